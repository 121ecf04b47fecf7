# What packages were, and how they come back; uses the functions of apt.sh and aptKept.sh. Reads: STEP, DIR, COMMAND, KEEP (yes: somebody needs
# one of them to get in). Notes of a restore in
# "$STEP": packages.now, undo.in (`NAME:ARCH VERSION` that have to be there), undo.came (that came), undo.wants (of undo.in, not there yet).

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

was_there() { # NAME:ARCH FILE; with a version, though dpkg may not have finished it
  awk -v n="$1" '$1 == n && NF == 3 && $3 != "not-installed" && $3 != "config-files" { found = 1 } END { exit !found }' "$2"
}

was_unfinished() { was_there "$1" "$before" && ! is_installed "$1" '' "$before"; } # NAME:ARCH

# As it was: of one that was half-configured before the run no more is asked than its version.
is_back() { # NAME:ARCH VERSION
  if is_installed "$1" "$2" "$now"; then return 0; fi
  was_unfinished "$1" && awk -v n="$1" -v v="$2" '$1 == n && $2 == v && $3 != "config-files" { found = 1 } END { exit !found }' "$now"
}

# Data that was there before a package came must outlive it, also where a purge script would delete it: such a
# script (of a package that owns the folder or names it) is kept from purging.
shield_data() { # NAME:ARCH ...
  for p in "$@"; do for x in list postrm; do
    f="/var/lib/dpkg/info/$p.$x"; [ -e "$f" ] || f="/var/lib/dpkg/info/${p%%:*}.$x"; [ ! -e "$f" ] || echo "$f"
  done; done > "$STEP/shield.files"
  : > "$STEP/shield.folders"; : > "$STEP/undo.lists"; names_of "$@" >> "$STEP/undo.names"
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
  if grep -qE '^[^ ]+ [^ ]+ [^ ]+ (installed|triggers-[a-z]*|unpacked|half-[a-z]*)$' "$2/state"; then cut -d' ' -f1,2 "$2/state" >> "$STEP/undo.gone"
  else awk -v n="$1" '$1 == n || index($1, n ":") == 1 { print $1, $2 }' "$STEP/packages.now" >> "$STEP/undo.news"; fi
}

# In a rollback also what came and went with the items; in a release, long after, apt knows what nobody needs now.
note_along() {
  cat "$STEP/news" >> "$STEP/undo.news" 2>/dev/null || :
  note_changed
}

# What came with packages and nobody needs once they are gone. What was needless before is not ours to remove.
needless() { # PACKAGES-BEFORE NAME ...
  was="$1"; shift
  apt-get -s --auto-remove install $(for p in "$@"; do printf '%s- ' "$p"; done) 2>/dev/null | sed -n 's/^Remv \([^ ]*\) .*/\1/p' | while read -r p; do
    full=$(dpkg-query -W -f '${Package}:${Architecture}\n' "$p" | head -n 1)
    case " $* " in *" $full "*) continue ;; esac
    is_auto=$(apt-mark showauto "$p"); [ -n "$is_auto" ] || continue
    was_there "$full" "$was" || echo "$full"
  done
}

# Where a version comes from: its file, as an archive may have dropped it meanwhile, else an archive.
from_files() { while read -r p v; do saved_file "$p" "$v" || echo "$p=$v"; done; }
# The other way round, as a file may be damaged; what can be had nowhere is left out, so that the rest comes back at least.
from_archives() { while read -r p v; do if is_offered "$p" "$v"; then echo "$p=$v"; else saved_file "$p" "$v" || :; fi; done; }

saved_file() { # NAME:ARCH VERSION
  for s in "$STEP/debs" $saves /var/cache/apt/archives; do
    f="$s/$(deb_name "$1" "$2")"; if is_whole "$f"; then echo "$f"; return 0; fi
  done
  return 1
}
is_offered() { [ -n "$(apt-cache show --no-all-versions -- "$1=$2" 2> /dev/null)" ]; } # apt-cache ends with 0 either way

# All in one call, so that no version that goes back is left beside one that it does not fit. Files of a run are for root alone, and apt
# reads as a user of its own.
put_back() { # NAME:ARCH=VERSION|FILE ...
  apt_change install -o APT::Sandbox::User=root $change "$@" $(for p in $out; do printf '%s- ' "$p"; done)
}

# What is there counts, whatever apt said.
is_put_back() {
  installed_packages > "$now"; rc=0
  while read -r p v; do
    if is_back "$p" "$v"; then continue; fi
    if saved_file "$p" "$v" > /dev/null || is_offered "$p" "$v"; then why=; else why=': no archive and no cache has it any more'; fi
    echo "$p $v is not installed again$why" >&2; rc=1
  done < "$STEP/undo.in"
  for p in $out; do ! is_installed "$p" '' "$now" || { echo "$p came along and is still installed" >&2; rc=1; }; done
  return "$rc"
}

restore_from_anywhere() {
  files=$(from_files < "$STEP/undo.wants")
  if put_back $files; then return 0; fi
  rest=$(from_archives < "$STEP/undo.wants")
  if [ "$rest" != "$files" ] && [ -n "$rest$out" ]; then put_back $rest || :; fi
}

is_running_kernel() { # NAME:ARCH
  case ${1%%:*} in "linux-image-$(uname -r)" | "linux-image-unsigned-$(uname -r)" | "linux-modules-$(uname -r)" | "linux-modules-extra-$(uname -r)") ;; *) return 1 ;; esac
}

# Items that are not to be as before: the kernel that runs, and what dpkg had not finished before the run and now has.
mark_stays() {
  while read -r p v; do
    if was_unfinished "$p" && is_installed "$p" "$v" "$now"; then
      stays="$stays $p"; echo "note: $p $v was not configured before, and is now; it stays so"
    fi
  done < "$STEP/undo.in"
  while read -r name save; do
    rm -f "${save%/saved}/stays"
    for p in $stays; do case $p in "$name" | "$name":*) : > "${save%/saved}/stays" ;; esac; done
  done < "$STEP/undo.items"
}

restore_packages() { # NAME SAVE ...
  before="$2/packages"; now="$STEP/packages.now"; out=; saves=; stays=; BACK=yes
  repair_dpkg
  installed_packages > "$now"; : > "$STEP/undo.news"; : > "$STEP/undo.gone"; : > "$STEP/undo.items"
  while [ "$#" -gt 0 ]; do note_undo "$1" "$2"; echo "$1 $2" >> "$STEP/undo.items"; saves="$saves $2"; shift 2; done
  if [ "${COMMAND:-}" != apply ]; then note_along; fi
  sort -u "$STEP/undo.news" > "$STEP/undo.came"; sort -u "$STEP/undo.gone" > "$STEP/undo.in"
  while read -r p _; do
    if ! grep -q "^$p " "$now" || was_there "$p" "$before"; then continue; fi
    if [ "${COMMAND:-}" != apply ] && is_running_kernel "$p"; then
      echo "note: $p stays: the server runs with this kernel. Start another one, then remove it with apt"; stays="$stays $p"
    else out="$out $p"; fi
  done < "$STEP/undo.came"
  while read -r p v; do is_back "$p" "$v" || echo "$p $v"; done < "$STEP/undo.in" > "$STEP/undo.wants"
  change='--allow-downgrades --allow-change-held-packages --no-install-recommends'
  news="$STEP/undo.n"; gone="$STEP/undo.g"
  case ${COMMAND:-} in
    apply) news="$STEP/news"; gone="$STEP/gone"; [ -z "$out" ] || out="$out $(needless "$before" $out)"; [ "$KEEP" = no ] || [ -z "$out" ] || keep_debs must $out ;;
    undo) change="$change --purge"; shield_data $out; [ ! -s "$STEP/undo.wants" ] || note_return ;;
  esac
  write_hook "$news" "$gone" "$(for p in $out; do printf '%s ' "${p%%:*}"; done)"
  if [ -n "$out" ] || [ -s "$STEP/undo.wants" ]; then
    restore_kept || restore_from_anywhere
    [ "${COMMAND:-}" != undo ] || [ ! -s "$STEP/undo.wants" ] || note_returned $(cut -d' ' -f1 "$STEP/undo.wants")
    is_put_back || BACK=no # the rest of the step is restored as well; restore_system fails in the end
  fi
  [ "${COMMAND:-}" = apply ] || mark_stays
  [ "${COMMAND:-}" = undo ] || return 0
  for p in $out; do # configuration that was there before the package came stays
    is_installed "$p" '' "$now" || grep -q "^$p .* config-files$" "$before" || ( umask 022; dpkg --purge "$p" ) > /dev/null 2>&1 || :
  done
}

restore_hold() { # NAME SAVE
  was=$(awk '{ print $3; exit }' "$2/state"); [ -z "$was" ] || mark_hold "$1" "$was" || [ "$BACK" = no ]
}

mark_hold() { # NAME hold|install
  is=$(dpkg-query -W -f '${db:Status-Want}\n' "$1" 2>/dev/null | head -n 1)
  case $2:$is in hold:hold) ;; hold:*) apt-mark hold "$1" ;; *:hold) apt-mark unhold "$1" ;; esac
}

restore_system() { restore_came; [ "$BACK" = yes ]; }

# Only at once after the run: accounts and files that came with the packages and that no purge script took away.
restore_came() {
  if [ "${COMMAND:-}" != undo ]; then return 0; fi
  D="$DIR/system"; restore_marks
  restore_return
  if [ ! -s "$STEP/news" ]; then return 0; fi
  for p in $out; do ! is_installed "$p" '' "$now" || return 0; done
  [ -e "$STEP/paths" ] || note_system
  grep -vxFf "$D/accounts" "$STEP/accounts" > "$STEP/accounts.came" || :
  for u in $(sed -n 's/^passwd //p' "$STEP/accounts.came"); do ! getent passwd "$u" > /dev/null || ( umask 022; userdel "$u" ); done
  for g in $(sed -n 's/^group //p' "$STEP/accounts.came"); do ! getent group "$g" > /dev/null || ( umask 022; groupdel "$g" ); done
  restore_account_backups
  restore_folders
  {
    comm -13 "$D/paths" "$STEP/paths" | came_along
    # What a service wrote while it was stopped, beside data that was there before.
    [ ! -s "$STEP/shield.folders" ] || xargs -I{} find {} -mindepth 1 -maxdepth 1 < "$STEP/shield.folders" | grep -vxFf "$D/paths" || :
    # Folders that only the removed packages had, such as of a compilation that was cut.
    [ ! -s "$STEP/undo.lists" ] || cat /var/lib/dpkg/info/*.list | sort -u | comm -13 - "$STEP/undo.lists"
  } | while IFS= read -r p; do move_leftover "$p"; done
}

# Of the paths on stdin those that the packages made which came. Services that were there before write elsewhere meanwhile: there only
# what these packages name is theirs, and folders that bear the name of one.
came_along() {
  touch "$STEP/undo.names"
  while IFS= read -r p; do
    case $p in
      /etc/* | /var/lib/systemd/*) echo "$p"; continue ;;
      /srv/* | /var/www/*) n= ;;
      /opt/*) n=${p#/opt/} ;;
      /var/*/*) n=${p#/var/*/} ;;
      *) n= ;;
    esac
    if [ -n "$n" ] && N="${n%%/*}" awk '{ sub(":.*", "", $1); n = ENVIRON["N"] } index($1, n) == 1 && substr($1, length(n) + 1) ~ /^([-.0-9]|$)/ { found = 1 } END { exit !found }' "$STEP/news"
    then printf '%s\n' "$p"
    else printf '%s\n' "$p" | named_in "$STEP/undo.names"; fi
  done
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
  if [ -d "$1" ] && [ ! -L "$1" ] && rmdir "$1" 2>/dev/null; then return 0; fi
  mkdir -p "$STEP/leftovers$(dirname "$1")"; mv -f "$1" "$STEP/leftovers$1"
  echo "note: $1, which came with packages that were taken back, was moved to $STEP/leftovers; it goes with the rest of the run after $KEEP_DAYS days"
}
