# Functions around apt-get and dpkg; included in the steps that need them. Reads: STEP, DIR, COMMAND (apply | undo |
# undo-late), DOAAS_APT_LOCK_SECONDS, CONFFILES (keep, also where unset, or take). Notes of a step: "$STEP"/apt (it called apt), news and gone (`NAME:ARCH VERSION`
# that apt installed and removed; `NAME:ARCH VERSION NEW` that it gave another one), paths and accounts (what was there right after apt).
export LC_ALL=C DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical NEEDRESTART_SUSPEND=1 UCF_FORCE_CONFFOLD=1
export APT_LISTCHANGES_FRONTEND=none
LOCK_SECONDS=${DOAAS_APT_LOCK_SECONDS:-120}
ACCOUNTS='passwd group shadow gshadow subuid subgid'

installed_packages() { dpkg-query -W -f '${Package}:${Architecture} ${Version} ${db:Status-Status}\n'; }

# Names only, of the places where packages leave files that dpkg does not know. Caches are not restored.
inventory() {
  {
    find /etc -xdev -path /etc/apt -prune -o -print || :
    find /usr/local /opt /srv /var/lib /var/log /var/spool /var/www -xdev -maxdepth 2 \
      \( -path /var/lib/doaas -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/lib/ucf -o -path /var/log/journal \) -prune -o -print 2>/dev/null || : # not every host has all of them
    find /var -xdev -maxdepth 1
    [ ! -d /var/lib/systemd ] || find /var/lib/systemd -xdev
  } | sort -u
}

data_folders() { find /var /var/lib /var/log /var/spool /srv /opt -xdev -mindepth 1 -maxdepth 1 -type d -printf '%m %U:%G %p\n' 2>/dev/null || :; }

account_names() { for f in $ACCOUNTS; do [ ! -e "/etc/$f" ] || sed "s/:.*//;s/^/$f /" "/etc/$f"; done; }

# What becomes of a configuration file that was changed on the host and in the package: dpkg(1), --force-confdef.
conffile_options() { case ${CONFFILES:-keep} in take) echo --force-confnew ;; *) echo --force-confdef --force-confold ;; esac; }

# apt calls it with all that it is about to do, before dpkg starts. "$3": names that it may remove; "$4": `NAME=VERSION` of
# all that it may install; left out: anything.
write_hook() { # NEWS-FILE GONE-FILE ALLOWED [PLANNED]
  : >> "$1"; : >> "$2"
  cat > "$STEP/hook" <<EOF
cat > "$STEP/hook.in"
awk '\$5 == "<" && \$2 == "-" && \$9 ~ /\\.deb\$/ { print \$1 ":" \$7, \$6 }' "$STEP/hook.in" >> "$1"
awk '\$NF == "**REMOVE**" { print \$1 ":" \$3, \$2 }' "$STEP/hook.in" >> "$2"
awk '\$5 ~ /^[<>]\$/ && \$2 != "-" && \$9 ~ /\.deb\$/ { print \$1 ":" \$3, \$2, \$6 }' "$STEP/hook.in" >> "$2"
sync "$1" "$2"
[ "$3" != any ] || exit 0
for p in \$(awk '\$NF == "**REMOVE**" { print \$1 }' "$STEP/hook.in"); do
  case " $3 " in *" \$p "*) ;; *) echo "doaas: apt would remove \$p as well, which the plan does not say" >&2; exit 1 ;; esac
done
EOF
  [ -n "${4:-}" ] || return 0
  cat >> "$STEP/hook" <<EOF
awk '\$5 ~ /^[<=>]\$/ && \$9 ~ /\.deb\$/ { print \$1 "=" \$6, \$1 ":" \$7 "=" \$6 }' "$STEP/hook.in" | while read -r p q; do
  case " $4 " in *" \$p "* | *" \$q "*) ;; *) echo "doaas: apt would install \$p as well, which the plan does not say" >&2; exit 1 ;; esac
done
EOF
}

lock_sentence() {
  holder=$(sed -n 's/.*held by process \([0-9]* ([^)]*)\).*/\1/p;s/.*another process with pid \([0-9]*\).*/\1/p' "$1" | tail -n 1)
  echo "apt is locked by another process${holder:+, $holder,} for more than $LOCK_SECONDS s; wait until it has ended or end it, then apply again"
}

# A dpkg that was cut is finished first. A lock is waited for.
repair_dpkg() {
  if [ -z "$(ls /var/lib/dpkg/updates 2>/dev/null)" ] && [ -z "$(dpkg --audit 2>&1)" ]; then return 0; fi
  tries=0
  while ! ( umask 022; dpkg $(conffile_options) --configure -a ) > "$STEP/repair.out" 2>&1 < /dev/null; do
    grep -q 'locked by another process' "$STEP/repair.out" || break
    tries=$((tries + 1)); [ "$tries" -lt "$LOCK_SECONDS" ] || { lock_sentence "$STEP/repair.out" >&2; return 1; }
    sleep 1
  done
  cat "$STEP/repair.out"
}

apt_run() { # ARGUMENTS of apt-get; the output goes to "$STEP"/apt.out as well
  ( umask 022; apt-get -q -y -o "DPkg::Lock::Timeout=$LOCK_SECONDS" $(for o in $(conffile_options); do echo "-o Dpkg::Options::=$o"; done) \
    -o "DPkg::Pre-Install-Pkgs::=sh $STEP/hook" -o DPkg::Tools::Options::sh::Version=3 -o Dpkg::Use-Pty=0 "$@" ) > "$STEP/apt.out" 2>&1 < /dev/null
}

apt_update() {
  tries=0; updated=0
  until ( umask 022; apt-get -q update "$@" ) > "$STEP/update.out" 2>&1 < /dev/null; do
    grep -q 'Could not get lock' "$STEP/update.out" || { updated=1; break; }
    tries=$((tries + 1)); [ "$tries" -lt "$LOCK_SECONDS" ] || { lock_sentence "$STEP/update.out" >&2; return 1; }
    sleep 1
  done
  tail -n 15 "$STEP/update.out"
  return "$updated"
}

# Package lists are only read anew when apt does not find what it needs in them.
apt_change() { # ARGUMENTS of apt-get
  : > "$STEP/apt"; sweep_marks
  ls /var/lib/apt/lists/*_*Release > /dev/null 2>&1 || apt_update || :
  if apt_run "$@"; then tail -n 15 "$STEP/apt.out"; return 0; fi
  if grep -qE 'Unable to locate package|has no installation candidate|^E: Version .* was not found|404 +Not Found' "$STEP/apt.out"; then
    apt_update || :
    if apt_run "$@"; then tail -n 15 "$STEP/apt.out"; return 0; fi
  elif grep -qE 'dpkg was interrupted|Unmet dependencies|reinstallation' "$STEP/apt.out"; then
    repair_dpkg
    if apt_run "$@" --fix-broken; then tail -n 15 "$STEP/apt.out"; return 0; fi
  fi
  grep -v '^Waiting for cache lock' "$STEP/apt.out" | tail -n 25 || :
  explain_apt >&2
  return 1
}

explain_apt() {
  if grep -q 'Could not get lock\|Unable to acquire the dpkg frontend lock' "$STEP/apt.out"; then lock_sentence "$STEP/apt.out"; fi
  sed -n 's/^E: Unable to locate package \(.*\)/\1/p;s/^E: Package .\([^ ]*\). has no installation candidate/\1/p' "$STEP/apt.out" |
    while read -r p; do echo "the package $p is not in the package lists of this host, which were read anew just now: check its name, or add the repository that has it"; done
  sed -n "s/^E: Version '\(.*\)' for '\(.*\)' was not found/the package \2 has no version \1 in the package lists of this host: \`apt-cache policy \2\` shows which it has/p" "$STEP/apt.out"
  if grep -qi "no space left on device\|enough free space" "$STEP/apt.out"; then echo "the disk of this host is full: free some space, then apply again"; fi
}

# ---- repositories ------------------------------------------------------------------------------------------------

write_apt_file() { # PATH; content on stdin
  cat > "$1.doaas"; chown 0:0 "$1.doaas"; chmod 0644 "$1.doaas"; sync "$1.doaas"; mv -fT "$1.doaas" "$1"; sync "${1%/*}"
}

# Reads the lists of this source alone; the others stay as they are.
update_source() { # SOURCES-FILE
  [ -e "$STEP/lists" ] || ls /var/lib/apt/lists > "$STEP/lists"
  if ! apt_update -o "Dir::Etc::sourcelist=$1" -o Dir::Etc::sourceparts=/dev/null -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any ||
    grep -q '^E: ' "$STEP/update.out"; then
    echo "apt cannot use this repository: $(grep '^[EW]: ' "$STEP/update.out" | head -n 2 | tr '\n' ' ')" >&2
    return 1
  fi
  : > "$STEP/updated"
}

restore_lists() { # in a rollback what apt read goes as well; long after, its own next update cleans up
  if [ "${COMMAND:-}" != undo ] || [ ! -e "$STEP/lists" ]; then return 0; fi
  ls /var/lib/apt/lists | grep -vxFf "$STEP/lists" | while IFS= read -r f; do rm -f "/var/lib/apt/lists/$f"; done
}
