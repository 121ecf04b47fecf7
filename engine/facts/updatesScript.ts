import { type Sh, sh } from '../shell/sh.ts';
import { CVES_SINCE } from './changelog.ts';
import { RELEASE } from './inventory.ts';
import { BOOT } from './updatesBoot.ts';
import { BOOT_ROOM, CONFFILES, KEPT, LEFT, NEW } from './updatesLeft.ts';
import type { Selection } from './updatesSelection.ts';
import { SERVICES } from './updatesServices.ts';
import { SOURCES } from './updatesSources.ts';
import { UNATTENDED } from './updatesUnattended.ts';

/**
 * For all questions to apt together, as it reads its package lists anew for each: a second where nothing else runs, many
 * times that on a busy server. Begins with the first one, and fits into `READ_SECONDS_MAX`.
 */
const APT_SECONDS = 75;

/** needrestart reads the memory maps of all that runs; apt is asked meanwhile. Seconds. */
const NEEDRESTART_SECONDS = 60;

/**
 * What is newer than what is installed, from apt's own tables. `--archives`: `apt-cache policy`; `--installed`:
 * dpkg-query; `--cached`: apt's archives; `--policy`: `apt-cache policy NAME...`, whose versions stand newest first. Prints the lines of the fact,
 * and `A NAME=VERSION` for what apt must be told beside its own choice.
 */
const POLICY = `awk '
function previous(    f, p) {
  if (kept != "") return "archive"
  split(key, p, ":"); f = from; gsub(/:/, "%3a", f)
  return (p[1] "_" f "_" p[2] ".deb") in cached ? "cache" : "gone"
}
function flush(    to, state) {
  if (key == "" || candidate == "" || from == "" || candidate == from || !upgradable) return
  to = origin == "" ? candidate : secure
  state = hold[key] == "hold" ? "held" : exclude != "" && (bare ~ exclude) ? "excluded" : to == "" ? "other" : "selected"
  print "~ update " name "\\t" from "\\t" (to == "" ? candidate : to) "\\t" candidate "\\t" source[key] "\\t" state "\\t" previous()
  printf "%s", versions
  if (state == "excluded" || state == "other") print "A " name "=" from
  else if (state == "selected" && to != candidate) print "A " name "=" to
}
BEGIN { origin = ENVIRON["doaas_origin"]; exclude = ENVIRON["doaas_exclude"]; total = 0 }
/^--(archives|installed|cached|policy)$/ { part = substr($0, 3); next }
part == "archives" {
  if ($1 ~ /^-?[0-9]+$/ && NF > 2) { sub(/^ *-?[0-9]+ /, ""); at = $0 }
  else if ($1 == "release" && at != "" && !(at in archive)) {
    sub(/^ *release /, ""); archive[at] = ++total; release[total] = $0
    split(at, w, " "); print "~ archive " total "\\t" w[1] "\\t" w[2] "\\t" $0
  }
  next
}
part == "installed" {
  split($0, f, "\\t"); split(f[1], p, ":"); if (p[1] == "dpkg") native = p[2]
  version[f[1]] = f[2]; hold[f[1]] = f[3]; source[f[1]] = f[4] "\\t" f[5]; next
}
part == "cached" { cached[$0] = 1; next }
/^[^ ]/ {
  flush(); name = substr($0, 1, length($0) - 1); bare = name; sub(/:.*/, "", bare)
  key = (name ":" native) in version ? name ":" native : (name ":all") in version ? name ":all" : (name in version) ? name : ""
  from = key == "" ? "" : version[key]; candidate = secure = versions = kept = ""; newer = here = upgradable = 0; next
}
$1 == "Candidate:" { candidate = $2 == "(none)" ? "" : $2; next }
/^ (\\*\\*\\*|   ) [^ ]/ {
  v = $1 == "***" ? $2 : $1
  if (v == candidate) newer = 1
  here = v == from
  if (here) { upgradable = newer; newer = 0 }
  if (newer) versions = versions "~ version " name "\\t" v "\\n"
  next
}
here && NF > 2 { sub(/^ *-?[0-9]+ /, ""); if ($0 in archive) kept = "yes"; next }
newer && NF > 2 {
  priority = $1; sub(/^ *-?[0-9]+ /, ""); if (!($0 in archive)) next
  n = archive[$0]; versions = versions "~ of " name "\\t" v "\\t" n "\\n"
  if (origin != "" && secure == "" && priority >= 0 && release[n] ~ origin) secure = v
}
END { flush() }'`;

/** Package files that are looked into; the largest, MiB; time for one, and after which none is begun, seconds. */
const CHANGELOGS_MAX = 30;
const CHANGELOG_MIB_MAX = 20;
const CHANGELOG_SECONDS = 3;
const CHANGELOGS_SECONDS = 10;

/**
 * The CVE ids in the changelog of what is newer, down to the version that is installed, if it has that: where apt has the package's file already
 * (APT::Periodic::Download-Upgradeable-Packages), as nothing is downloaded for it. Packages of one source have one changelog.
 */
const CVES = `doaas_cves() { # lines of updates on stdin
  doaas_late=$(($(date +%s) + ${CHANGELOGS_SECONDS}))
  awk -F '\\t' '/^~ update / && !seen[$5]++ { print substr($1, 10) "\\t" $2 "\\t" $3 "\\t" $5 "\\t" $6 }' | head -n ${CHANGELOGS_MAX} | while IFS='	' read -r n f t s o; do
    set +f; d=$(find /var/cache/apt/archives -maxdepth 1 -name "\${n%%:*}_$(printf %s "$t" | sed 's/:/%3a/g')_*.deb" -size -${CHANGELOG_MIB_MAX}M | head -n 1); set -f
    [ -n "$d" ] || continue
    [ "$(date +%s)" -le "$doaas_late" ] || break
    c=$(timeout ${CHANGELOG_SECONDS} dpkg-deb --fsys-tarfile "$d" | tar -xO --wildcards './usr/share/doc/*/changelog.Debian.gz' './usr/share/doc/*/changelog.gz' | zcat | DOAAS_FROM=$f DOAAS_OR=$o ${CVES_SINCE} | head -n 200 | tr '\\n' ' ')
    case $c in none*) ;; *) echo "~ cves $s	$c" ;; esac
  done
}`;

export const APT = `doaas_until=$(($(date +%s) + ${APT_SECONDS}))
doaas_left() { # seconds; timeout(1) takes 0 for no limit
  doaas_s=$((doaas_until - $(date +%s))); [ "$doaas_s" -gt 0 ] || doaas_s=1; echo "$doaas_s"
}
doaas_ask() {
  doaas_rc=0; timeout "$(doaas_left)" apt-get -s -q -o Debug::NoLocking=1 "$@" 2>&1 < /dev/null || doaas_rc=$?
  [ "$doaas_rc" -ne 124 ] || echo "E: apt was not done within ${APT_SECONDS} s; look what keeps this server busy, then plan again"
  return "$doaas_rc"
}
doaas_sim() { doaas_ask upgrade --with-new-pkgs "$@"; }
doaas_apt() {
  doaas_read=$({
    echo --archives; apt-cache policy
    echo --installed; dpkg-query -W -f '\${Package}:\${Architecture}\\t\${Version}\\t\${db:Status-Want}\\t\${source:Package}\\t\${source:Version}\\n'
    echo --cached; ls /var/cache/apt/archives
    echo --policy; apt-cache policy -- $(dpkg-query -W -f '\${db:Status-Status} \${binary:Package}\\n' | awk '$1 != "not-installed" && $1 != "config-files" { print $2 }')
  } 2>/dev/null | ${POLICY})
  set -f; set -- $(printf '%s\\n' "$doaas_read" | awk -F '\\t' '/^~ update / { print substr($1, 10) }')
  if [ "$#" -eq 0 ]; then doaas_plan=$(doaas_ask check) || doaas_problem; return 0; fi
  doaas_changed=$(doaas_conffiles "$@")
  [ -z "$doaas_leaves" ] || doaas_read=$(doaas_left_to_people)
  doaas_plan || { doaas_problem; return 0; }
  printf '%s\\n' "$doaas_read" | sed '/^A /d'
  printf '%s\\n' "$doaas_read" | doaas_cves
  [ -z "$doaas_changed" ] || printf '%s\\n' "$doaas_changed"
  doaas_change
}
doaas_plan() { # what apt would do for what is selected: in one go, as reading its tables takes most of the time
  set -f; set -- $(printf '%s\\n' "$doaas_read" | sed -n 's/^A //p')
  doaas_plan=$(doaas_sim "$@") && return 0
  [ "$?" -ne 124 ] || return 1 # what was not answered in time is no answer
  if [ "$#" -gt 0 ]; then # a version that is not apt's own choice does not fit
    set -- $(printf '%s\\n' "$doaas_read" | awk -F '\\t' '/^~ update / { n = substr($1, 10); from[n] = $2 } /^A / { n = substr($0, 3); sub(/=.*/, "", n); print n "=" from[n] }')
    doaas_plan=$(doaas_sim "$@") && return 0
    [ "$?" -ne 124 ] || return 1
    ! doaas_plan=$(doaas_sim) || { doaas_plan=; return 0; }
  fi
  return 1
}
doaas_problem() { # apt cannot plan at all
  echo "~ apt-problem $(printf '%s\\n' "$doaas_plan" | sed -n '/^Reading\\|^Building\\|^Calculating/d;/./p' | tail -c 1000 | base64 -w0)"
}
doaas_measure() { # what the plan changes, its sizes, and where there is no room for it
  doaas_insts=$(printf '%s\\n' "$doaas_plan" | awk '$1 == "Inst" { from = "-"; i = 3; if ($3 ~ /^\\[/) { from = substr($3, 2, length($3) - 2); i = 4 } print $2 "\\t" from "\\t" substr($i, 2) }')
  doaas_sizes=$(doaas_sizes $(printf '%s\\n' "$doaas_insts" | awk -F '\\t' 'NF { print $1 "=" $3 }'))
  doaas_short=; [ -z "$doaas_sizes" ] || doaas_short=$(printf '%s\\n' "$doaas_sizes" | doaas_room)
}
doaas_change() {
  doaas_metas=; doaas_measure; doaas_spare_boot
  [ -z "$doaas_insts" ] || printf '%s\\n' "$doaas_insts" | sed 's/^/~ change /'
  printf '%s\\n' "$doaas_insts" | awk -F '\\t' '$2 == "-" { print $1 "\\t" $3 }' | doaas_new
  [ -z "$doaas_sizes" ] || printf '%s\\n' "$doaas_sizes" | sed 's/^/~ size /'
  [ -z "$doaas_short" ] || printf '%s\\n' "$doaas_short" | sed 's/^/~ short /'
  doaas_kept $({ printf '%s\\n' "$doaas_insts"; echo --; printf '%s\\n' "$doaas_metas" "$doaas_read"; } | awk -F '\\t' '
    $0 == "--" { rest = 1; next }
    !rest { is[$1] = $3; next }
    /^[^~A]/ { n = $0; sub(/=.*/, "", n); told[n] = 1; next }
    /^~ update / { n = substr($1, 10); if ($7 == "selected" && is[n] != $3 && !(n in told)) print n "=" $3 }')
}
`;

/** Left free on every file system: for logs, dpkg's own state and whatever else is written meanwhile. Bytes. */
const SPARE_BYTES = 32 * 1024 * 1024;

/**
 * What packages take, and whether there is room, before anything is downloaded: the files, then what grows, and once the
 * largest package, whose old and new files are there at the same time; a new kernel makes an initrd as well.
 * Lines: NAME, VERSION, bytes to download, KiB once unpacked, KiB now, `yes` where the file is in the cache.
 */
export const SIZES = `doaas_sizes() { # NAME=VERSION ...
  [ "$#" -gt 0 ] || return 0
  doaas_native=$(dpkg --print-architecture)
  doaas_was=$(dpkg-query -W -f '\${binary:Package}\\t\${Installed-Size}\\n' 2>/dev/null)
  { printf '%s\\n' "$doaas_was"; echo --; apt-cache show -- "$@" 2>/dev/null; } | awk -v native="$doaas_native" '
    $0 == "--" { show = 1; next }
    !show { split($0, f, "\\t"); n = f[1]; if (!(n in was)) was[n] = f[2]; sub(/:.*/, "", n); if (!(n in was)) was[n] = f[2]; next }
    $1 == "Package:" { p = $2 } $1 == "Version:" { v = $2 } $1 == "Architecture:" { a = $2 }
    $1 == "Size:" { s = $2 } $1 == "Installed-Size:" { k = $2 }
    $0 == "" { tell() }
    function tell(    n, f) {
      if (p == "" || seen[p, v, a]++) return
      n = a == native || a == "all" ? p : p ":" a; f = v; gsub(/:/, "%3a", f)
      print n "\\t" v "\\t" s + 0 "\\t" k + 0 "\\t" was[n] + 0 "\\t" p "_" f "_" a ".deb"; p = ""
    }
    END { tell() }' | while IFS='	' read -r n v s k w f; do
      c=no; [ ! -e "/var/cache/apt/archives/$f" ] || c=yes
      echo "$n	$v	$s	$k	$w	$c"
    done
}
doaas_room() { # sizes on stdin; prints MOUNT, BYTES and FREE of each file system that they do not fit on
  {
    df -B1 --output=target,avail /usr /var/cache/apt/archives /boot 2>/dev/null | awk 'NR > 1 { print NR - 1 "\\t" $1 "\\t" $2 }'
    echo "initrd	$(set +f; stat -L -c %s /boot/initrd.img-* 2>/dev/null | sort -n | tail -n 1)" # it is called with set -f
    cat
  } | awk -F '\\t' '
    /^[1-3]\\t/ && NR <= 3 { at[$1] = $2; free[$2] = $3; next }
    $1 == "initrd" { initrd = $2 + 0; next }
    {
      if ($6 != "yes") load += $3
      if ($4 > $5) more += ($4 - $5) * 1024
      if ($4 * 1024 > peak) peak = $4 * 1024
      if ($5 == 0 && $1 ~ /^linux-image-[0-9]/) boot += initrd
    }
    END {
      if (load) need[at[2]] += load
      if (peak) need[at[1]] += more + peak
      if (boot) need[at[3]] += boot
      for (m in need) if (need[m] + ${SPARE_BYTES} > free[m]) printf "%s\\t%.0f\\t%.0f\\n", m, need[m] + ${SPARE_BYTES}, free[m]
    }'
}`;

const HEALTH = `doaas_audit=$(dpkg --audit 2>&1 | head -c 1500)
[ -z "$(ls /var/lib/dpkg/updates 2>/dev/null)" ] || doaas_audit="dpkg was interrupted
$doaas_audit"
[ -z "$doaas_audit" ] || echo "~ dpkg-problem $(printf '%s\\n' "$doaas_audit" | base64 -w0)"
for f in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/cache/apt/archives/lock; do
  i=$(stat -c %i "$f" 2>/dev/null) || continue
  awk -v i=":$i" '$2 == "POSIX" && substr($6, length($6) - length(i) + 1) == i { print $5 }' /proc/locks 2>/dev/null
done | sort -u | while read -r p; do c=; read -r c < "/proc/$p/comm" || :; echo "~ lock $p \${c:-unknown}"; done
if ls /var/lib/apt/lists/*_*Release > /dev/null 2>&1; then
  # as an archive that has nothing new sets no other time: SOURCES
  v=$(stat -c %Z /var/lib/apt/lists/*_*Release | sort -n | tail -n 1); n=$(date +%s); echo "~ lists $((n > v ? n - v : 0))"
fi
for d in / /usr /var /boot /var/cache/apt/archives; do df -B1 --output=avail,target -- "$d" 2>/dev/null | awk -v d="$d" 'NR == 2 { print "~ free " d "\\t" $1 "\\t" $2 }'; done`;

/**
 * Versions before these start programs of others as root (CVE-2024-48990, -48991, -48992, -11003): DSA-5815-1, DLA-3957-1,
 * USN-7117-1; upstream 3.8.
 */
export const NEEDRESTART = `doaas_patched() { # VERSION
  case $1 in
    3.5-4+deb11*) dpkg --compare-versions "$1" ge 3.5-4+deb11u4 ;;
    3.6-4+deb12*) dpkg --compare-versions "$1" ge 3.6-4+deb12u2 ;;
    3.5-5ubuntu2.*) dpkg --compare-versions "$1" ge 3.5-5ubuntu2.2 ;;
    3.6-7ubuntu4.*) dpkg --compare-versions "$1" ge 3.6-7ubuntu4.3 ;;
    *) dpkg --compare-versions "$1" ge 3.8 ;;
  esac
}
# \`-v\` names the processes, as \`#PROCESS is UNIT\`; they come after the units, and cannot stand for one
doaas_needrestart() {
  { { timeout ${NEEDRESTART_SECONDS} needrestart -v -b -r l 2>&1 >&3 < /dev/null && echo NEEDRESTART-END >&3; } |
    awk '/^\\[main\\] #[0-9]+ is [^ ]+$/ { told = told $2 " " $4 "\\n" } END { printf "%s", told }'; } 3>&1
}
doaas_named() { # its output on stdin
  awk '
    /^NEEDRESTART-SVC: / { unit[++n] = $2 }
    /^#/ { processes[$2] = processes[$2] " " substr($1, 2) }
    END { for (i = 1; i <= n; i++) print unit[i] processes[unit[i]] }' |
    while read -r u p; do printf '~ %s %s\\n' "$(doaas_way "$u" $p)" "$u"; done
}
doaas_started() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; } # proc(5): hundredths of a second
doaas_way() { # UNIT PROCESS ...: restart; oneshot; or leftover, where all of them were there before its last start
  w=$(systemctl show -p Type,MainPID,InactiveExitTimestampMonotonic -- "$1" 2>/dev/null) || :
  case $w in *Type=oneshot*) echo oneshot; return ;; esac
  b=\${w##*Monotonic=}; b=\${b%%[!0-9]*}; b=$((\${b:-0} / 10000)); shift
  m=\${w##*MainPID=}; m=\${m%%[!0-9]*}; m=$(doaas_started "\${m:-0}")
  [ -z "$m" ] || [ "$m" -ge "$b" ] || b=$m # systemd notes the time a moment later
  [ "$#" -gt 0 ] || { echo restart; return; }
  for p in "$@"; do
    p=$(doaas_started "$p"); [ -z "$p" ] || [ "$p" -lt "$b" ] || { echo restart; return; }
  done
  echo leftover
}
v=$(dpkg-query -W -f '\${db:Status-Status} \${Version}' needrestart 2>/dev/null)
case $v in
  'installed '*) v=\${v#* }
    if ! doaas_patched "$v"; then echo "~ needrestart vulnerable $v"; else
      r=$(doaas_needrestart)
      case $r in
        *NEEDRESTART-END*) echo "~ needrestart ran $v"; printf '%s\\n' "$r" | doaas_named ;;
        *) echo "~ needrestart failed $v" ;;
      esac
    fi ;;
  *) echo '~ needrestart absent' ;;
esac`;

/** The state of the item: nothing of it is changed as such. */
export const HAS_APT: Sh = sh`if command -v apt-get > /dev/null; then echo apt; else echo absent; fi`;

/** Every further line is informational: what is done about it is in the steps, with exact versions. */
export function updatesScript(selection: Selection): Sh {
  return sh`(
set -f; export LC_ALL=C doaas_origin=${selection.origin} doaas_exclude=${selection.exclude}
doaas_leaves=${selection.leavesAsking ? 'yes' : ''}
case $(${HAS_APT}) in absent) echo absent; exit 0 ;; esac
echo apt
set +f
${code([SERVICES, CONFFILES, LEFT, KEPT, NEW, BOOT_ROOM, SIZES, CVES, SOURCES, APT].join('\n'))}
{
${code(RELEASE)}
${code(HEALTH)}
doaas_sources
${code(NEEDRESTART)}
${code(BOOT)}
${code(UNATTENDED)}
doaas_services ${selection.services}
} < /dev/null | { doaas_apt < /dev/null; cat; } # both at the same time
) 2>/dev/null`;
}

function code(text: string): Sh {
  return { kind: 'sh', text };
}
