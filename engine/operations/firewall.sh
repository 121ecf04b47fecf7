# Functions for the engine's own nftables table; included in the batches that need them. Reads: STEP, DOAAS_PAYLOADS.
# Needs the functions of engine/facts/firewall.ts, engine/operations/units.sh and FILE, UNIT, UNIT_FILE, LOADED, UNIT_TEXT.

# In one transaction, never without looking at all of it first.
load_ruleset() { # FILE
  nft -c -f "$1" || { echo "nft does not accept the ruleset, so nothing was changed" >&2; return 1; }
  nft -f "$1"
}

put_file() { # MODE FILE, content on standard input; in one step
  (umask 022; mkdir -p "$(dirname "$2")"); t="$(dirname "$2")/.doaas.write"
  rm -f "$t"; cat > "$t"; chmod "$1" "$t"; sync "$t"; mv -fT "$t" "$2"; sync "$(dirname "$2")"
}

# The kernel first: a host that restarts in between comes back with what it had.
apply_firewall() { # SHA256
  ruleset="$DOAAS_PAYLOADS/$1"
  load_ruleset "$ruleset"
  put_file 0640 "$FILE" < "$ruleset"
  put_file 0600 "$LOADED" <<END
$1
$(doaas_table)
END
  printf %s "$UNIT_TEXT" | put_file 0644 "$UNIT_FILE"
  systemctl enable --no-reload --quiet "$UNIT"
  systemctl daemon-reload
  systemctl start "$UNIT" # where it is active already, nothing happens
}

is_firewall() { # SHA256
  [ "$(doaas_sum "$FILE")" = "$1" ] && [ "$({ echo "$1"; doaas_table; })" = "$(cat "$LOADED" 2>/dev/null)" ] &&
    printf %s "$UNIT_TEXT" | cmp -s - "$UNIT_FILE" &&
    [ "$(systemctl is-enabled "$UNIT" 2>/dev/null)" = enabled ] && [ "$(systemctl is-active "$UNIT" 2>/dev/null)" = active ]
}

capture_table() { # SAVE: with its counters
  mkdir -p "$1"
  if nft list table inet doaas > "$1/table.new" 2>/dev/null; then mv "$1/table.new" "$1/table"; else rm -f "$1/table.new"; fi
}

# As it was before, or not at all; tables of others are not looked at.
restore_table() { # SAVE
  command -v nft > /dev/null || return 0
  if [ -e "$1/table" ]; then
    { printf 'table inet doaas\ndelete table inet doaas\n'; cat "$1/table"; } > "$1/ruleset"
    load_ruleset "$1/ruleset"
  elif nft list table inet doaas > /dev/null 2>&1; then nft delete table inet doaas; fi
}
