# Packages that a run keeps on the host, so that it brings them back with neither a network nor an archive that still has them; goes
# with apt.sh. Notes of a step: debs (the packages), return (what was there just before they came back).

deb_name() { printf '%s_%s_%s.deb\n' "${1%%:*}" "$(printf %s "$2" | sed 's/:/%3a/g')" "${1##*:}"; } # NAME:ARCH VERSION: as apt has it

fetch_deb() { # NAME:ARCH VERSION; into the present folder
  apt-get -q download "$1=$2" > "$STEP/keep.out" 2>&1 < /dev/null && [ -s "$(deb_name "$1" "$2")" ]
}

# What is installed of these, before it goes: whoever brings it back may have neither a network nor an archive that still has it.
keep_debs() { # must|try NAME[:ARCH] ...; must: fails where one cannot be had
  how=$1; shift; k="$STEP/debs"; mkdir -p "$k"
  installed_packages_of "$@" | while read -r p v; do
    f=$(deb_name "$p" "$v"); a="/var/cache/apt/archives/$f"
    if [ -s "$k/$f" ]; then continue; fi
    if [ -s "$a" ]; then cp "$a" "$k/$f.new"; mv -f "$k/$f.new" "$k/$f"; continue; fi
    if ( umask 022; cd "$k" || exit 1; fetch_deb "$p" "$v" || { apt_update > /dev/null || :; fetch_deb "$p" "$v"; } ); then continue; fi
    rm -f "$k/$f"; [ "$how" = must ] || continue
    echo "a way in is among what goes, and $p $v cannot be kept for the way back: it is neither in the cache of apt nor to be had from its repositories now ($(grep '^E: ' "$STEP/keep.out" | head -n 1)). So nothing was removed. Upgrade it to a version that they have, or see why they do not answer, then apply again" >&2
    exit 1
  done || return 1
  sync -f "$k"
}

installed_packages_of() { # NAME[:ARCH] ...
  dpkg-query -W -f '${Package}:${Architecture} ${Version} ${db:Status-Status}\n' "$@" 2>/dev/null | awk '$3 == "installed" || $3 ~ /^triggers/ { print $1, $2 }'
}

# What a run keeps is for root alone, and apt reads as a user of its own. Of the same version apt would ask the archive first.
FROM_FILES='-o APT::Sandbox::User=root -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=/dev/null -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache='

# Reads: out, change. Where all is on this host that must come back: it may be the network that is gone.
restore_kept() {
  [ -s "$STEP/undo.wants" ] || return 1
  debs=$(while read -r p v; do saved_file "$p" "$v" || exit 1; done < "$STEP/undo.wants") || return 1
  : > "$STEP/apt"; sweep_marks; r=0
  apt_run install $FROM_FILES $change $debs $(for p in $out; do printf '%s- ' "$p"; done) || r=$?
  tail -n 15 "$STEP/apt.out"; return "$r"
}

# Packages that come back ask and make things anew, such as a host key that sshd had not: what was there just before they did.
note_return() {
  [ ! -e "$STEP/return" ] || return 0
  rm -rf "$STEP/return.new"; mkdir "$STEP/return.new"; inventory > "$STEP/return.new/paths"
  for f in config.dat passwords.dat templates.dat; do [ ! -e "/var/cache/debconf/$f" ] || cp -a "/var/cache/debconf/$f" "$STEP/return.new/"; done
  sync -f "$STEP"; mv -T "$STEP/return.new" "$STEP/return"
}

restore_return() { # once the same packages are there
  if [ ! -e "$STEP/return" ] || ! cmp -s "$STEP/packages.now" "$D/packages"; then return 0; fi
  inventory | comm -13 "$STEP/return/paths" - | comm -13 "$D/paths" - | while IFS= read -r p; do move_leftover "$p"; done
  for f in "$STEP"/return/*.dat; do
    to="/var/cache/debconf/${f##*/}"; if [ ! -e "$f" ] || cmp -s "$f" "$to"; then continue; fi
    cp -a "$f" "$to.doaas"; mv -f "$to.doaas" "$to"
  done
}
