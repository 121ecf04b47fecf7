# What apt changes beside the packages that it is asked for; goes with apt.sh, aptCustody.sh and aptKept.sh. Notes of a step: ways-in (what
# counts as one), keep.in (names that apt would give another version).

# For a step that is not taken for one of a way in: then it changes none. What counts as one: extended regular expressions.
spare_ways_in() { # ERE ...
  printf '%s\n' "$@" > "$STEP/ways-in"
  cat >> "$STEP/hook" <<EOF
for p in \$(awk '\$5 ~ /^[<=>]\$/ && \$9 ~ /\\.deb\$/ { print \$1 }' "$STEP/hook.in" | grep -Ef "$STEP/ways-in"); do
  echo "doaas: apt would install \$p as well, a way in, which the plan does not say: plan again, and name it in the document where that does not help" >&2; exit 1
done
EOF
}

# All that apt would give another version for this, as the old ones may fit one another alone.
keep_changed() { # ARGUMENTS of apt-get
  ls /var/lib/apt/lists/*_*Release > /dev/null 2>&1 || apt_update > /dev/null || :
  apt-get -s -q -o Debug::NoLocking=1 "$@" 2> /dev/null < /dev/null | awk '$1 == "Inst" && $3 ~ /^\[/ { print $2 }' > "$STEP/keep.in" || :
  keep_what_fits $(cat "$STEP/keep.in")
}

# What all runs together keep at most, and as much must stay free beside it, MiB; how long it may take, seconds.
KEEP_MIB_MAX=512
KEEP_SECONDS_MAX=300
keep_what_fits() { # NAME[:ARCH] ...
  k="$STEP/debs"; mkdir -p "$k"; until=$(($(date +%s) + KEEP_SECONDS_MAX))
  for name in "$@"; do
    if [ "$(date +%s)" -ge "$until" ] || [ "$(du -cm "${DIR%/*}"/*/steps/*/debs | tail -n 1 | cut -f1)" -ge "$KEEP_MIB_MAX" ] ||
      [ "$(df -m --output=avail "$k" | tail -n 1)" -lt "$KEEP_MIB_MAX" ]; then break; fi
    # newer lists have no older versions, so they are not read for it
    ( apt_update() { return 1; }; keep_debs try "$name" )
  done
}

# What went or got another version with the items. An item that an earlier step of the run has updated went at that version: the one of
# before it is noted already.
note_changed() {
  [ -e "$STEP/gone" ] || return 0
  # apt may have begun more than once
  awk 'NF > 1 { if (!($1 in was)) { was[$1] = $2; name[++n] = $1 } is[$1] = $3 } END { for (i = 1; i <= n; i++) print name[i], was[name[i]], is[name[i]] }' "$STEP/gone" |
    while read -r p v is; do
      if grep -q "^$p " "$STEP/undo.gone" || { [ -n "$is" ] && ! goes_back "$p" "$v" "$is"; }; then continue; fi
      echo "$p $v" >> "$STEP/undo.gone"
    done
}

goes_back() { # NAME:ARCH VERSION NEW; long after the run it may have got yet another one, which stays
  if [ "$COMMAND" != undo ] && ! is_installed "$1" "$3" "$now"; then return 1; fi
  if is_installed "$1" "$2" "$now" || saved_file "$1" "$2" > /dev/null || is_offered "$1" "$2"; then return 0; fi
  echo "note: $1 stays at $3, to which it was updated along: no archive and no cache has $2 any more"; return 1
}
