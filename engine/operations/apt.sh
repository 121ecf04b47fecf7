# Functions around apt-get and dpkg; included in the steps that need them. Reads: STEP, DIR, COMMAND (apply | undo |
# undo-late), DOAAS_APT_LOCK_SECONDS, CONFFILES (keep, also where unset, or take). Notes of a step: "$STEP"/apt (it called apt), news and gone (`NAME:ARCH VERSION`
# that apt installed and removed), paths and accounts (what was there right after apt).
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

# ---- custody -----------------------------------------------------------------------------------------------------

# Once per run, before its first effect: what the whole host had.
capture_system() {
  D="$DIR/system"; [ ! -e "$D/done" ] || return 0
  rm -rf "$D"; mkdir -p "$D/etc"
  installed_packages > "$D/packages"; inventory > "$D/paths"; data_folders > "$D/folders"; account_names > "$D/accounts"
  for f in $ACCOUNTS; do for b in "$f" "$f-"; do [ ! -e "/etc/$b" ] || cp -a "/etc/$b" "$D/etc/$b"; done; done
  [ ! -e /var/lib/apt/extended_states ] || cp -a /var/lib/apt/extended_states "$D/extended_states"
  : > "$D/done"
}

capture_package() { # NAME SAVE
  capture_system; mkdir -p "$2"
  ln -f "$DIR/system/packages" "$2/packages"
  dpkg-query -W -f '${Package}:${Architecture} ${Version} ${db:Status-Want} ${db:Status-Status}\n' "$1" > "$2/state" 2>/dev/null || :
  while read -r p v _; do # the file itself, should its version have left the archive
    a="/var/cache/apt/archives/$(deb_name "$p" "$v")"
    [ ! -e "$a" ] || ln -f "$a" "$2/" 2>/dev/null || cp "$a" "$2/"
  done < "$2/state"
}

note_system() { # right after apt: only what is new by now can have come with the packages
  inventory > "$STEP/paths.new"; account_names > "$STEP/accounts.new"
  mv -f "$STEP/paths.new" "$STEP/paths"; mv -f "$STEP/accounts.new" "$STEP/accounts"
}

is_installed() { # NAME:ARCH VERSION|'' FILE
  awk -v n="$1" -v v="$2" '$1 == n && (v == "" || $2 == v) && ($3 == "installed" || $3 ~ /^triggers/) { found = 1 } END { exit !found }' "$3"
}

# Data that was there before a package came must outlive it, also where a purge script would delete it: such a
# script (of a package that owns the folder or names it) is kept from purging.
shield_data() { # NAME:ARCH ...
  for p in "$@"; do for x in list postrm; do
    f="/var/lib/dpkg/info/$p.$x"; [ -e "$f" ] || f="/var/lib/dpkg/info/${p%%:*}.$x"; [ ! -e "$f" ] || echo "$f"
  done; done > "$STEP/shield.files"
  : > "$STEP/shield.folders"; : > "$STEP/undo.lists"
  grep '\.list$' "$STEP/shield.files" | xargs -r cat | grep '^/usr/' | grep -v '^/usr/local' | sort -u > "$STEP/undo.lists" || :
  ls /var/lib/dpkg/info/*.list | grep -vxFf "$STEP/shield.files" | xargs cat | sort -u > "$STEP/shield.owned"
  cut -d' ' -f3- "$DIR/system/folders" | grep -E '^/(srv|opt|var/[^/]*)/' | grep -vxFf "$STEP/shield.owned" > "$STEP/shield.data" || return 0
  for f in $(grep '\.postrm$' "$STEP/shield.files" || :); do
    own="${f%.postrm}.list"
    while IFS= read -r d; do
      if grep -qF "$d" "$f" || grep -qxF "$d" "$own"; then echo "$d"; fi
    done < "$STEP/shield.data" > "$STEP/shield.hit"
    if [ -s "$STEP/shield.hit" ]; then
      cat "$STEP/shield.hit" >> "$STEP/shield.folders"
      sed -i '1a [ "$1" != purge ] || exit 0' "$f"; echo "$f does not purge: it would touch data that was there before"
    fi
  done
}

restore_folders() { # owners and modes that packages changed; a folder that was empty may be gone
  data_folders | grep -vxFf - "$D/folders" | while read -r mode owner p; do
    [ -d "$p" ] || mkdir "$p"
    chown "$owner" "$p"; chmod "$mode" "$p"
  done
}

note_undo() { # NAME SAVE: what has to go or to come back for one item
  if grep -q ' installed$\| triggers-[a-z]*$' "$2/state"; then cut -d' ' -f1,2 "$2/state" >> "$STEP/undo.gone"
  else awk -v n="$1" '$1 == n || index($1, n ":") == 1 { print $1, $2 }' "$STEP/packages.now" >> "$STEP/undo.news"; fi
}

# What came with packages and nobody needs once they are gone. What was needless before is not ours to remove.
needless() { # PACKAGES-BEFORE NAME ...
  was="$1"; shift
  apt-get -s --auto-remove install $(for p in "$@"; do printf '%s- ' "$p"; done) 2>/dev/null | sed -n 's/^Remv \([^ ]*\) .*/\1/p' | while read -r p; do
    full=$(dpkg-query -W -f '${Package}:${Architecture}\n' "$p" | head -n 1)
    case " $* " in *" $full "*) continue ;; esac
    is_auto=$(apt-mark showauto "$p"); [ -n "$is_auto" ] || continue
    is_installed "$full" '' "$was" || echo "$full"
  done
}

restore_packages() { # NAME SAVE ...
  before="$2/packages"; now="$STEP/packages.now"; out=; wants=
  repair_dpkg
  installed_packages > "$now"; : > "$STEP/undo.news"; : > "$STEP/undo.gone"
  # In a rollback also what came and went with the items; in a release, long after, apt knows what nobody needs now.
  if [ "${COMMAND:-}" != apply ]; then cat "$STEP/news" >> "$STEP/undo.news" 2>/dev/null || :; cat "$STEP/gone" >> "$STEP/undo.gone" 2>/dev/null || :; fi
  saves=
  while [ "$#" -gt 0 ]; do note_undo "$1" "$2"; saves="$saves $2"; shift 2; done
  sort -u "$STEP/undo.news" > "$STEP/undo.out"; sort -u "$STEP/undo.gone" > "$STEP/undo.in"
  while read -r p _; do
    if grep -q "^$p " "$now" && ! is_installed "$p" '' "$before"; then out="$out $p"; fi
  done < "$STEP/undo.out"
  while read -r p v; do is_installed "$p" "$v" "$now" || wants="$wants $p=$v"; done < "$STEP/undo.in"
  change='--allow-downgrades --allow-change-held-packages --no-install-recommends'
  news="$STEP/undo.n"; gone="$STEP/undo.g"
  case ${COMMAND:-} in
    apply)
      news="$STEP/news"; gone="$STEP/gone"; [ -z "$out" ] || out="$out $(needless "$before" $out)"; [ "$KEEP" = no ] || [ -z "$out" ] || keep_debs must $out ;;
    undo) change="$change --purge"; shield_data $out; [ -z "$wants" ] || note_return ;;
  esac
  write_hook "$news" "$gone" "$(for p in $out; do printf '%s ' "${p%%:*}"; done)"
  if [ -n "$out$wants" ] && ! restore_kept; then
    if ! apt_change install $change $wants $(for p in $out; do printf '%s- ' "$p"; done); then
      debs=$(for s in $saves; do ls "$s"/*.deb 2>/dev/null || :; done)
      [ -n "$debs" ] || return 1
      apt_run install $FROM_FILES $change $debs || { tail -n 20 "$STEP/apt.out"; return 1; }
    fi
  fi
  [ "${COMMAND:-}" = undo ] || return 0
  for p in $out; do # configuration that was there before the package came stays
    grep -q "^$p .* config-files$" "$before" || ( umask 022; dpkg --purge "$p" ) > /dev/null 2>&1 || :
  done
}

restore_hold() { # NAME SAVE
  was=$(awk '{ print $3; exit }' "$2/state"); [ -z "$was" ] || mark_hold "$1" "$was"
}

mark_hold() { # NAME hold|install
  is=$(dpkg-query -W -f '${db:Status-Want}\n' "$1" 2>/dev/null | head -n 1)
  case $2:$is in hold:hold) ;; hold:*) apt-mark hold "$1" ;; *:hold) apt-mark unhold "$1" ;; esac
}

# Only at once after the run: accounts and files that came with the packages and that no purge script took away.
restore_system() {
  if [ "${COMMAND:-}" != undo ]; then return 0; fi
  D="$DIR/system"; restore_marks
  restore_return
  if [ ! -s "$STEP/news" ]; then return 0; fi
  [ -e "$STEP/paths" ] || note_system
  grep -vxFf "$D/accounts" "$STEP/accounts" > "$STEP/accounts.came" || :
  for u in $(sed -n 's/^passwd //p' "$STEP/accounts.came"); do ! getent passwd "$u" > /dev/null || ( umask 022; userdel "$u" ); done
  for g in $(sed -n 's/^group //p' "$STEP/accounts.came"); do ! getent group "$g" > /dev/null || ( umask 022; groupdel "$g" ); done
  restore_account_backups
  restore_folders
  {
    comm -13 "$D/paths" "$STEP/paths"
    # What a service wrote while it was stopped, beside data that was there before.
    [ ! -s "$STEP/shield.folders" ] || xargs -I{} find {} -mindepth 1 -maxdepth 1 < "$STEP/shield.folders" | grep -vxFf "$D/paths" || :
    # Folders that only the removed packages had, such as of a compilation that was cut.
    [ ! -s "$STEP/undo.lists" ] || cat /var/lib/dpkg/info/*.list | sort -u | comm -13 - "$STEP/undo.lists"
  } | while IFS= read -r p; do move_leftover "$p"; done
}

# What an apt of this run wrote and did not rename, as when the host was switched off just then; not what another one writes now.
sweep_marks() {
  [ -e "$DIR/system/done" ] || return 0
  find /var/lib/apt -maxdepth 1 -type f -name 'extended_states.??????' -newer "$DIR/system/done" | while IFS= read -r f; do
    ls -l /proc/[0-9]*/fd 2>/dev/null | grep -qF " $f" || rm -f "$f"
  done
}

restore_marks() { # which packages came by themselves: the very file, once the same packages are there
  installed_packages > "$STEP/packages.now"; sweep_marks
  if [ -e "$D/extended_states" ] && cmp -s "$STEP/packages.now" "$D/packages"; then
    cp -a "$D/extended_states" /var/lib/apt/extended_states.doaas; mv -f /var/lib/apt/extended_states.doaas /var/lib/apt/extended_states
  fi
}

restore_account_backups() { # /etc/passwd- and the like, when the files themselves are as they were
  for f in $ACCOUNTS; do
    if [ -e "$D/etc/$f" ] && ! cmp -s "/etc/$f" "$D/etc/$f"; then return 0; fi
  done
  for f in $ACCOUNTS; do
    if [ -e "$D/etc/$f-" ]; then cp -a "$D/etc/$f-" "/etc/$f-.doaas"; mv -f "/etc/$f-.doaas" "/etc/$f-"; else rm -f "/etc/$f-"; fi
  done
}

move_leftover() { # PATH: moved aside, not deleted: it may hold data
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then return 0; fi
  if dpkg-query -S "$1" > /dev/null 2>&1; then return 0; fi
  mkdir -p "$STEP/leftovers$(dirname "$1")"; mv -f "$1" "$STEP/leftovers$1"; echo "moved $1 to $STEP/leftovers"
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
