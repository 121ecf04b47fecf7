import type { Sh } from '../shell/sh.ts';

/** Longest that the search through system folders may take before it counts as incomplete. Seconds. */
const SEARCH_SECONDS = 20;

/** Things of one sort that are told; the first ones are enough to begin with. */
const LINES_MAX = 300;

/** Of a line of nsswitch.conf(5), and files of one account with keys. */
export const WORDS_MAX = 16;
export const WORD_MAX = 40;
const NSSWITCH_BYTES_MAX = 65_536;

/** What knows of users: sources of the line `passwd:`, without what is done after each; nsswitch.conf(5). */
export const userSources = (
  root: string,
): string => `head -c ${NSSWITCH_BYTES_MAX} ${root}/etc/nsswitch.conf | awk '
{ sub(/#.*/, "") }
sub(/^[ \\t]*passwd[ \\t]*:/, "") {
  gsub(/\\[[^]]*\\]/, " ")
  for (i = 1; i <= NF && i <= ${WORDS_MAX}; i++) print "~ user-source " substr($i, 1, ${WORD_MAX})
}'`;

/** Where sshd looks for keys of an account; without one that answers, where it would by default. */
const KEY_FILES = `doaas_sshd=$(command -v sshd || echo /usr/sbin/sshd)
doaas_key_files=$("$doaas_sshd" -T | sed -n 's/^authorizedkeysfile //p')
: "\${doaas_key_files:=.ssh/authorized_keys .ssh/authorized_keys2}"`;

/**
 * Shadow first, so that a password's sort is known when its account comes. A hash with MD5 or DES, and an account of the
 * system (uid below 1000) with a shell, are found here; what needs files is looked at by the shell. Before each account come
 * the paths of its keys; %h, %u, %U and %% are all that AuthorizedKeysFile of sshd_config(5) knows.
 */
const accounts = (root: string) => `doaas_files=$doaas_key_files awk -F: '
BEGIN { files = split(ENVIRON["doaas_files"], file, " "); if (files > ${WORDS_MAX}) files = ${WORDS_MAX}; if (file[1] == "none") files = 0 }
function path(pattern, name, uid, home,   out, at, of) {
  while (at = index(pattern, "%")) {
    of = substr(pattern, at + 1, 1)
    out = out substr(pattern, 1, at - 1) (of == "h" ? home : of == "u" ? name : of == "U" ? uid : of)
    pattern = substr(pattern, at + 2)
  }
  out = out pattern
  return out ~ /^\\// ? out : home "/" out
}
FILENAME == "${root}/etc/shadow" { hash[$1] = $2; known[$1] = 1; next }
FILENAME == "${root}/etc/group" {
  if ($1 == "shadow" && $4 != "") print "~ shadow-group " $4
  if (gids[$3]++) print "~ twice group id " $3
  if (groups[$1]++) print "~ twice group " $1
  next
}
/^[+]/ { print "~ legacy " FILENAME; next }
{
  if (uids[$3]++) print "~ twice user id " $3
  if (names[$1]++) print "~ twice user " $1
  if ($3 == 0 && $1 != "root") print "~ uid0 " $1
  if ($1 == "root" && $4 != 0) print "~ root-group " $4
  if ($2 != "x" && $2 !~ /^[!*]/) print "~ unshadowed " $1
  password = $2 == "x" ? (known[$1] ? hash[$1] : "*") : $2
  if (password == "") print "~ empty " $1
  if (password ~ /^[$](1|2a|md5)[$]/ || password ~ /^[A-Za-z0-9.\\/]+$/ && length(password) == 13) print "~ weak " $1
  login = $7 !~ /\\/(nologin|false|sync|shutdown|halt)$/
  if (login && $3 > 0 && $3 < 1000) print "~ shell " $1
  if (!login) next
  for (i = 1; i <= files; i++) print "K:" path(file[i], $1, $3, $6)
  print "A:" $1 ":" $3 ":" (password == "" ? "none" : password ~ /^[!*]/ ? "locked" : "set") ":" $6
}' ${root}/etc/shadow ${root}/etc/group ${root}/etc/passwd`;

const HOMES = `doaas_keys=no
while IFS= read -r doaas_line; do
  case $doaas_line in
    K:*) [ ! -f "\${doaas_line#K:}" ] || [ ! -s "\${doaas_line#K:}" ] || doaas_keys=yes; continue ;;
    A:*) ;;
    *) printf '%s\\n' "$doaas_line"; continue ;;
  esac
  IFS=: read -r _ n u p h << EOF
$doaas_line
EOF
  echo "~ account $n:$u:$p:$doaas_keys"; doaas_keys=no
  if [ "$u" -ge 1000 ] && [ ! -d "$h" ]; then echo "~ homeless $n"; fi
  for f in .rhosts .shosts .netrc .forward; do [ ! -e "$h/$f" ] || echo "~ leftover $h/$f"; done
done`;

/** `root`: the folder that the system's files are below; none on a host. */
export const people = (root: string): string => `${KEY_FILES}\n${accounts(root)} | { ${HOMES}; }`;

/**
 * Names with a newline are left out: they would make lines of their own. Each sort is bounded by itself, and one that is cut
 * says so. find(1) ends with 1 where something vanished meanwhile; whatever is more, as 124 of timeout(1), broke it off.
 */
export const search = (...folders: readonly string[]): string => `doaas_search() {
  timeout ${SEARCH_SECONDS} find ${folders.join(' ')} -xdev -name '*
*' -prune -o -type l -prune -o \\( \\
    -type f -perm /6000 -printf '~ suid %p\\n' , \\
    \\( -type f -perm -0002 -o -type d -perm -0002 ! -perm -1000 \\) -printf '~ writable %p\\n' , \\
    \\( -nouser -o -nogroup \\) -printf '~ unowned %p\\n' \\)
  [ $? -le 1 ] || echo '~ incomplete'
}
doaas_search | sort | awk '++n[$2] <= ${LINES_MAX} { print; next } n[$2] == ${LINES_MAX} + 1 { print "~ incomplete " $2 }'`;

/** Of whose options apt tells what all its files come to: true or false. */
export const APT_OPTIONS = [
  'APT::Get::AllowUnauthenticated',
  'Acquire::AllowInsecureRepositories',
  'Acquire::AllowDowngradeToInsecureRepositories',
] as const;

/** Settings of files in systemd's own format, of which the last one counts; their sections are of different files. */
export const SYSTEMD_SETTINGS = [
  '[Journal]Storage',
  '[Journal]Compress',
  '[Coredump]Storage',
  '[Coredump]ProcessSizeMax',
  '[Manager]DumpCore',
] as const;

/** What counts of all files together; apt-config(8), systemd-analyze(1). */
export const COUNTS = `apt-config shell ${APT_OPTIONS.map((name) => `${name} ${name}/b`).join(' ')} | sed -n "s/^\\\\([A-Za-z:]*\\\\)='\\\\([a-z]*\\\\)'$/~ counts \\\\1 \\\\2/p"
systemd-analyze cat-config systemd/journald.conf systemd/coredump.conf systemd/system.conf | awk '
BEGIN { count = split("${SYSTEMD_SETTINGS.join(' ')}", name, " ") }
{ gsub(/^[ \\t]+|[ \\t]+$/, "") }
/^\\[/ { section = $0; next }
at = index($0, "=") {
  key = substr($0, 1, at - 1); value = substr($0, at + 1, ${WORD_MAX})
  sub(/[ \\t]+$/, "", key); sub(/^[ \\t]+/, "", value)
  last[section key] = value
}
END { for (i = 1; i <= count; i++) if (name[i] in last) print "~ counts " name[i] " " last[name[i]] }'`;

/** Modules of the kernel that are looked for; it writes _ where they have -. */
export const MODULES = [
  'cramfs',
  'dccp',
  'firewire-core',
  'freevxfs',
  'hfs',
  'hfsplus',
  'jffs2',
  'rds',
  'sctp',
  'tipc',
  'usb-storage',
] as const;

export const modules = (root: string): string => `[ ! -r ${root}/proc/modules ] || awk '
BEGIN { count = split("${MODULES.join(' ')}", name, " "); for (i = 1; i <= count; i++) wanted[name[i]] }
{ gsub(/_/, "-", $1) }
$1 in wanted { print "~ module " $1 }' ${root}/proc/modules`;

const MOUNTS = `while read -r _ p _ o _; do case $p in
  /tmp | /var | /var/tmp | /var/log | /var/log/audit | /home | /dev/shm | /proc) echo "~ mount $p $o" ;;
esac; done < /proc/self/mounts
[ ! -r /etc/fstab ] || while read -r s p _; do case $s in '#'* | '') ;; *) echo "~ fstab $p" ;; esac; done < /etc/fstab`;

/** Interfaces and programs that forward packets for others: with forwarding on and addresses on several, all of these. In a container /sys/class/net may be that of another namespace. */
const ROUTERS = `while read -r i _; do i=\${i%%:*}; case $i in
  docker* | br-* | virbr* | lxcbr* | lxdbr* | cni* | cali* | flannel* | podman* | veth* | wg* | tun* | tap* | ppp*) echo "~ router $i" ;;
esac; done < /proc/net/dev
ip -4 -o addr show scope global | while read -r _ i _; do echo "~ interface $i"; done
case $(ip -6 route show default proto ra; ip -6 addr show scope global dynamic) in ?*) echo '~ advertised' ;; esac
for c in dockerd containerd podman libvirtd kubelet k3s lxd incusd; do ! command -v "$c" > /dev/null || echo "~ router $c"; done
case $(cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding 2> /dev/null) in *1*)
  ip -o addr show scope global | { read -r _ first _; while read -r _ i _; do [ "$i" = "$first" ] || echo "~ router $first\n~ router $i"; done; } | sort -u ;;
esac
! nft list ruleset 2> /dev/null | grep -qiE 'masquerade|dnat' || echo '~ router NAT'
for c in podman docker-rootless dockerd-rootless.sh bwrap newuidmap flatpak chromium; do ! command -v "$c" > /dev/null || echo "~ namespaces $c"; done`;

const OTHERS = `echo "~ today $(date +%F)"
# PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h
case $(readlink /proc/1/ns/pid) in 'pid:[4026531836]') echo '~ kernel own' ;; *) echo '~ kernel shared' ;; esac
[ ! -r /sys/kernel/security/apparmor/profiles ] || echo '~ apparmor'
case :$PATH: in *::* | *:.:*) echo "~ path $PATH" ;; esac
for f in /etc/ssh/ssh_host_*_key; do [ ! -e "$f" ] || case $(stat -c '%a %U' -- "$f") in [0246]00\\ root | [046]40\\ root) ;; *) echo "~ host-key $f" ;; esac; done`;

export const SURVEY: Sh = {
  kind: 'sh',
  text: [
    OTHERS,
    userSources(''),
    people(''),
    MOUNTS,
    ROUTERS,
    COUNTS,
    search('/etc', '/usr', '/boot', '/root'),
  ].join('\n'),
};
