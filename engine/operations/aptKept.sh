# Packages that a run keeps on the host, so that it brings them back with neither a network nor an archive that still has them; goes
# with apt.sh. Notes of a step: debs (the packages), return (what was there just before they came back, and what came with them).

deb_name() { printf '%s_%s_%s.deb\n' "${1%%:*}" "$(printf %s "$2" | sed 's/:/%3a/g')" "${1##*:}"; } # NAME:ARCH VERSION: as apt has it

fetch_deb() { # NAME:ARCH VERSION; into the present folder
  apt-get -q download "$1=$2" > "$STEP/keep.out" 2>&1 < /dev/null && is_whole "$(deb_name "$1" "$2")"
}

# Read to its end: a full disk leaves the beginning of one.
is_whole() { [ -s "$1" ] && dpkg-deb --fsys-tarfile "$1" > /dev/null 2>&1; } # DEB

keep_cached() { is_whole "$1" && cp "$1" "$2.new" && is_whole "$2.new" && mv -f "$2.new" "$2"; } # CACHED KEPT

# What is installed of these, before it goes: whoever brings it back may have neither a network nor an archive that still has it.
keep_debs() { # must|try NAME[:ARCH] ...; must: fails where one cannot be had
  how=$1; shift; k="$STEP/debs"; mkdir -p "$k"
  installed_packages_of "$@" | while read -r p v; do
    f=$(deb_name "$p" "$v")
    if is_whole "$k/$f" || keep_cached "/var/cache/apt/archives/$f" "$k/$f"; then continue; fi
    if ( umask 022; cd "$k" || exit 1; fetch_deb "$p" "$v" || { apt_update > /dev/null || :; fetch_deb "$p" "$v"; } ); then continue; fi
    rm -f "$k/$f" "$k/$f.new"; [ "$how" = must ] || continue
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

# Packages that come back ask and make things anew, such as a host key that sshd had not. Noted before each try: what others made
# since the last one is theirs.
note_return() {
  r="$STEP/return"; mkdir -p "$r"; inventory > "$r/paths"
  for f in config.dat passwords.dat templates.dat; do # as our own last try left it: it is what was there before that one that counts
    if cmp -s "/var/cache/debconf/$f" "$r/$f.left"; then continue; fi
    rm -f "$r/$f"; [ ! -e "/var/cache/debconf/$f" ] || cp -a "/var/cache/debconf/$f" "$r/"
  done
}

# Right after apt. While it ran others wrote too: only what these packages name counts, and nothing but settings and systemd's marks.
note_returned() { # NAME:ARCH ...
  r="$STEP/return"; names_of "$@" > "$r/names"
  inventory | comm -13 "$r/paths" - | comm -13 "$DIR/system/paths" - > "$r/new"
  { grep '^/var/lib/systemd/deb-systemd-' "$r/new" || :; grep '^/etc/' "$r/new" | named_in "$r/names"; } >> "$r/came"
  for f in config.dat passwords.dat templates.dat; do [ ! -e "/var/cache/debconf/$f" ] || cp -a "/var/cache/debconf/$f" "$r/$f.left"; done
  sync -f "$r"
}

# Once the same packages are there, for all steps: the last one that is taken back sees them.
restore_return() {
  cmp -s "$STEP/packages.now" "$DIR/system/packages" || return 0
  for n in $STEPS; do
    r="$DIR/steps/$n/return"; [ -e "$r/came" ] || continue
    sort -u "$r/came" | while IFS= read -r p; do move_leftover "$p"; done
    for f in config.dat passwords.dat templates.dat; do
      to="/var/cache/debconf/$f"; if [ ! -e "$r/$f" ] || ! cmp -s "$r/$f.left" "$to" || cmp -s "$r/$f" "$to"; then continue; fi
      cp -a "$r/$f" "$to.doaas"; mv -f "$to.doaas" "$to"
    done
  done
}

# Paths that their lists, maintainer scripts and services name.
names_of() { # NAME:ARCH ...
  for p in "$@"; do for x in list config preinst postinst prerm postrm; do
    f="/var/lib/dpkg/info/$p.$x"; [ -e "$f" ] || f="/var/lib/dpkg/info/${p%%:*}.$x"; [ -e "$f" ] || continue
    if [ "$x" != list ]; then grep -oE '/[A-Za-z0-9._/+@:-]+' "$f" | sed 's,[/.]*$,,' || :; continue; fi
    cat "$f"
    { grep '/systemd/system/.*[.]service$' "$f" || :; } | while IFS= read -r u; do
      [ ! -f "$u" ] || sed -n 's,^StateDirectory=,/var/lib/,p;s,^LogsDirectory=,/var/log/,p' "$u"
    done
  done; done
}

# Of the paths on stdin those that are named, that lie above or right beside what is (KEY and KEY.pub), or that link to it.
named_in() { # NAMES-FILE
  while IFS= read -r p; do
    t=; [ ! -L "$p" ] || t=$(readlink -m -- "$p")
    if P="$p" T="$t" awk 'BEGIN { p = ENVIRON["P"]; t = ENVIRON["T"] }
      $0 == p || index($0, p "/") == 1 || (t != "" && ($0 == t || "/usr" $0 == t)) { found = 1; exit }
      index(p, $0 ".") == 1 && substr(p, length($0) + 2) !~ "/" { found = 1; exit }
      END { exit !found }' "$1"; then printf '%s\n' "$p"; fi
  done
}
