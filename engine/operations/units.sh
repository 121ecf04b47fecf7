# Functions for systemd units; included in the batches that need them. Reads: STEP, DOAAS_PAYLOADS.
UNITS=/etc/systemd/system
# A unit that is up must stay up this long to count as started.
SETTLE_SECONDS=0.3

unit_is() { systemctl show -p "$2" --value -- "$1" 2>/dev/null; }

# Everything that enabling a unit makes: links named after it or to it, and System V links of a service.
unit_links() { # NAME
  find "$UNITS" -xdev -type l \( -name "$1" -o -lname "*/$1" -o -lname "$1" \) 2>/dev/null || :
  case $1 in *.service) find /etc/rc[0-6S].d -name "[SK][0-9][0-9]${1%.service}" 2>/dev/null || : ;; esac
}

capture_unit() { # NAME SAVE
  mkdir -p "$2"
  unit_links "$1" | sort > "$2/links"
  tar --numeric-owner --no-recursion -C / -cf "$2/links.tar" -T "$2/links" 2>/dev/null
  find "$UNITS" -mindepth 1 -maxdepth 1 -type d > "$2/folders"
  unit_is "$1" ActiveState > "$2/active"
  [ -e "/var/lib/systemd/timers/stamp-$1" ] || : > "$2/no-stamp"
  [ -e /var/lib/systemd/timers ] || : > "$2/no-timers"
}

restore_unit() { # NAME SAVE: links and, where it did not run, a stop; it is started by settle_unit, when all is restored
  systemctl daemon-reload
  case $(cat "$2/active") in active | reloading | activating) ;; *) stop_unit "$1"; systemctl reset-failed -- "$1" 2>/dev/null || : ;; esac
  unit_links "$1" | while IFS= read -r l; do grep -qxF "$l" "$2/links" || rm -f "$l"; done
  tar --numeric-owner -C / -xpf "$2/links.tar"
  find "$UNITS" -mindepth 1 -maxdepth 1 -type d -empty | while IFS= read -r d; do grep -qxF "$d" "$2/folders" || rmdir "$d"; done
  systemctl daemon-reload
  [ ! -e "$2/no-stamp" ] || rm -f "/var/lib/systemd/timers/stamp-$1"
  [ ! -e "$2/no-timers" ] || rmdir /var/lib/systemd/timers 2>/dev/null || :
}

settle_unit() { # NAME SAVE
  systemctl daemon-reload
  case $(cat "$2/active") in
    active | reloading | activating) start_unit "$1" ;;
    *) systemctl reset-failed -- "$1" 2>/dev/null || : ;;
  esac
}

stop_unit() { case $(unit_is "$1" ActiveState) in inactive | failed | '') ;; *) systemctl stop -- "$1" ;; esac; }

start_unit() {
  systemctl start -- "$1" || { why_not "$1" start; return 1; }
  steady_unit "$1" start
}

# A service that systemd takes for started at once may still end a moment later, or have been started anew since.
steady_unit() { # NAME VERB
  was=$(systemctl show -p ActiveState,Type,InvocationID -- "$1")
  case $was in *ActiveState=active*)
    case $was in *Type=simple* | *Type=exec* | *Type=idle*) sleep "$SETTLE_SECONDS" ;; *) return 0 ;; esac
    [ "$(systemctl show -p ActiveState,Type,InvocationID -- "$1")" != "$was" ] || return 0 ;;
  esac
  why_not "$1" "$2"; return 1
}

why_not() { # NAME VERB: last words of the unit
  journalctl --sync 2>/dev/null || :
  {
    echo "$1 did not $2: it is $(unit_is "$1" ActiveState) ($(unit_is "$1" Result)). Its last lines:"
    journalctl -q -u "$1" -n 15 --no-pager -o cat 2>/dev/null | sed 's/^/  /'
    [ "$(unit_is "$1" Type)" != oneshot ] || echo "$1 is a oneshot service: it ends by itself; leave out \`running\` or set RemainAfterExit=yes"
  } >&2
}

# systemd reads it under its right name, but not yet from its place. Siblings are units that come in the same plan.
verify_unit() { # NAME SHA256
  v="$STEP/verify"; rm -rf "$v"; mkdir -p "$v"; chmod 755 "$v"
  cat "$DOAAS_PAYLOADS/$2" > "$v/$1"
  if systemd-analyze verify --man=no "$v/$1" > "$STEP/verify.out" 2>&1 < /dev/null; then rm -rf "$v"; return 0; fi
  echo "systemd does not accept the text of $1, so nothing was changed:" >&2
  sed "s|$v/||g;s/^/  /" "$STEP/verify.out" | head -n 15 >&2
  return 1
}

write_unit() { # NAME SHA256; systemd must be told to read it
  verify_unit "$1" "$2"
  t="$UNITS/.doaas.write"; rm -f "$t"; cat "$DOAAS_PAYLOADS/$2" > "$t"
  chown 0:0 "$t"; chmod 0644 "$t"; sync "$t"; mv -fT "$t" "$UNITS/$1"; sync "$UNITS"
}

same_unit() { # NAME SHA256
  same_text "$1" "$2" && [ "$(unit_is "$1" NeedDaemonReload)" = no ]
}

same_text() { # NAME SHA256
  f="$UNITS/$1"; [ -f "$f" ] && [ ! -L "$f" ] && [ "$(stat -c %a:%u:%g "$f")" = 644:0:0 ] && [ "$(sha256sum < "$f")" = "$2  -" ]
}

unit_states() { # NAME: what systemd says of it, with one question
  ACTIVE=; FILE=; STALE=
  while IFS='=' read -r k v; do
    case $k in ActiveState) ACTIVE=$v ;; UnitFileState) FILE=$v ;; NeedDaemonReload) STALE=$v ;; esac
  done <<EOF
$(systemctl show -p ActiveState,NeedDaemonReload,UnitFileState -- "$1" 2>/dev/null)
EOF
}

# ---- notified units ----------------------------------------------------------------------------------------------

# What tells that a unit was restarted or reloaded since: a new invocation, or a later change of state.
unit_mark() { case $2 in restart) unit_is "$1" InvocationID ;; *) echo "$(unit_is "$1" InvocationID) $(unit_is "$1" StateChangeTimestampMonotonic)" ;; esac; }

was_acted() { # NAME VERB
  [ -e "$STEP/mark" ] || return 1
  [ "$(cat "$STEP/mark")" != inactive ] || return 0
  [ "$(unit_mark "$1" "$2")" != "$(cat "$STEP/mark")" ] && [ "$(unit_is "$1" ActiveState)" = active ] || return 1
  [ "$2" != reload ] || case $(unit_is "$1" ReloadResult) in success | '') ;; *) return 1 ;; esac
}

act_once() { # NAME reload|restart
  while [ "$(unit_is "$1" Job)" -gt 0 ] 2>/dev/null; do sleep 0.1; done
  if [ ! -e "$STEP/mark" ]; then
    case $(unit_is "$1" ActiveState) in active | reloading) unit_mark "$1" "$2" > "$STEP/mark.new" ;; *) echo inactive > "$STEP/mark.new" ;; esac
    sync "$STEP/mark.new"; mv -f "$STEP/mark.new" "$STEP/mark"; sync "$STEP"
  fi
  if was_acted "$1" "$2"; then return 0; fi
  if [ "$2" = reload ] && [ "$(unit_is "$1" CanReload)" = no ]; then
    echo "$1 cannot be reloaded: it has no ExecReload=; notify it with \`restart\` instead" >&2; return 1
  fi
  systemctl "$2" -- "$1" || { why_not "$1" "$2"; return 1; }
  steady_unit "$1" "$2"
}

act_again() { # NAME reload|restart: after a rollback, with the restored configuration
  [ -e "$STEP/mark" ] && [ "$(cat "$STEP/mark")" != inactive ] || return 0
  systemctl daemon-reload
  # The run brought the unit, as with its package, and the rollback took it away again.
  [ "$(unit_is "$1" LoadState)" != not-found ] || return 0
  # It ran before this run acted on it, and has failed since, such as sshd with a configuration that it refuses.
  if [ "$(unit_is "$1" ActiveState)" = failed ]; then systemctl reset-failed -- "$1"; systemctl start -- "$1"; return; fi
  case $2 in reload) systemctl try-reload-or-restart -- "$1" ;; *) systemctl try-restart -- "$1" ;; esac
}
