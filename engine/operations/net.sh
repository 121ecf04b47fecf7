# Confirm or revert: docs/decisions/0016-confirm-or-revert.md. Part of every batch, before runner.sh. NET_SECONDS: how long
# a fresh login may take once the last step is done; 0: the run has no net.
# In $DIR/net: confirmed, reverted (what a verdict is linked from), verdict, timer, made-wants.
NET="$DIR/net"
NET_UNIT="doaas-$RUN-net"
NET_BOOT="doaas-$RUN-boot.service"
NET_UNITS=/etc/systemd/system
NET_WANTS="$NET_UNITS/sysinit.target.wants"
# It goes with the boot in which the net was armed: whatever starts the boot unit before that does nothing.
NET_LIVE="/run/doaas-$RUN-armed"
# Steps are short, as a rule: so the timer is set anew once a minute, not at each of them.
NET_SLACK=60

# While the machine boots, waiting for a unit would wait for ourselves; the undo that follows sees to units.
if [ "${COMMAND:-${1:-}}" = net-boot ]; then
  systemctl() { case $1 in show | is-active | is-enabled) command systemctl "$@" ;; esac; }
fi

net_armed() { [ -e "$NET/timer" ]; }
net_verdict() { cat "$NET/verdict" 2>/dev/null || echo open; }

# Whoever links first has it; true where the verdict is RESULT, whoever gave it.
net_claim() { # confirmed|reverted
  ln -T "$NET/$1" "$NET/verdict" 2>/dev/null || [ -e "$NET/verdict" ] || { rm -f "$DIR/reserve"; ln -T "$NET/$1" "$NET/verdict"; }
  sync "$NET"; [ "$(net_verdict)" = "$1" ]
}

# The former timer is stopped only when the next one runs.
net_timer() { # SECONDS
  last=$(cat "$NET/timer" 2>/dev/null) || last=
  case $last in a) next=b ;; *) next=a ;; esac
  [ -z "$last" ] || systemctl stop "$NET_UNIT-$next.timer" 2>/dev/null
  systemd-run --quiet --collect --unit="$NET_UNIT-$next" --description="doaas: revert $RUN unless it is confirmed" \
    --on-active="$1" --timer-property=AccuracySec=100ms -p OOMScoreAdjust=-500 -p LimitCORE=0 \
    /bin/sh "$DIR/batch.sh" net-fire || return 1
  echo "$next" > "$NET/timer"
  [ -z "$last" ] || systemctl stop "$NET_UNIT-$last.timer" 2>/dev/null || :
}

net_boot_unit() {
  cat <<UNIT
[Unit]
Description=Takes back the DOaaS run $RUN, which was not confirmed before the restart
DefaultDependencies=no
ConditionPathExists=!$NET_LIVE
RequiresMountsFor=$DIR
Conflicts=shutdown.target
Wants=network-pre.target
After=local-fs.target systemd-remount-fs.service
Before=sysinit.target network-pre.target systemd-sysctl.service shutdown.target nftables.service ufw.service firewalld.service
Before=doaas-firewall.service netfilter-persistent.service networking.service systemd-networkd.service NetworkManager.service ssh.service ssh.socket
[Service]
Type=oneshot
TimeoutStartSec=120
ExecStart=/bin/sh $DIR/batch.sh net-boot
UNIT
}

# Before the first effect, when everything is saved.
net_arm() {
  [ "$NET_SECONDS" -gt 0 ] || return 0
  mkdir -p "$NET" && for v in confirmed reverted; do echo "$v" > "$NET/$v" || return 1; done
  touch "$NET_LIVE" || return 1
  [ -d "$NET_WANTS" ] || { touch "$NET/made-wants"; (umask 022; mkdir -p "$NET_WANTS") || return 1; }
  net_boot_unit > "$NET_UNITS/$NET_BOOT" && sync "$NET_UNITS/$NET_BOOT" || return 1
  ln -sfT "../$NET_BOOT" "$NET_WANTS/$NET_BOOT" && sync "$NET_UNITS" "$NET_WANTS" "$NET" || return 1
  net_timer $((LIMIT + NET_SECONDS + NET_SLACK)) || return 1
  NET_UNTIL=$(($(net_uptime) + LIMIT + NET_SECONDS + NET_SLACK))
}
net_uptime() { read -r up _ < /proc/uptime; echo "${up%.*}"; }

# Before a step: its time and the window fit into what the timer leaves.
net_ahead() {
  net_armed || return 0
  [ "$(net_verdict)" = open ] || return 1
  need=$((LIMIT + NET_SECONDS)); [ $(($(net_uptime) + need)) -gt "$NET_UNTIL" ] || return 0
  net_timer $((need + NET_SLACK)) || return 1
  NET_UNTIL=$(($(net_uptime) + need + NET_SLACK))
}

# No step follows: from now on there is the window, and no more.
net_window() { if net_armed && [ "$(net_verdict)" = open ]; then net_timer "$NET_SECONDS" || :; fi; }

# Nothing of it is left. The verdict stays.
net_down() {
  [ -d "$NET" ] || return 0
  rm -f "$NET_WANTS/$NET_BOOT" "$NET_UNITS/$NET_BOOT"
  [ ! -e "$NET/made-wants" ] || rmdir "$NET_WANTS" 2>/dev/null || :
  sync "$NET_UNITS"
  for t in a b; do systemctl stop "$NET_UNIT-$t.timer" 2>/dev/null || :; done
  # where systemd has read its units anew since, it still knows the unit, and would start it with whatever is started next
  [ -z "$(systemctl list-units --all --plain --no-legend "$NET_BOOT")" ] || systemctl daemon-reload
  rm -f "$NET_LIVE" "$NET/timer"
}

# Who follows the apply, or asks for it again, reads this as its end.
net_tell() { # WHY
  JOURNAL="$DIR/apply.journal"; ! grep -q '	end	reverted$' "$JOURNAL" || return 0
  say - reverted "$1"; say - end reverted; sync -f "$DIR"
}

# The unit that the engine would start, so that there is only ever one.
net_undo() { # PROPERTIES
  U="doaas-$RUN-undo.service"; touch "$DIR/undo.journal"
  ! grep -q '	end	' "$DIR/undo.journal" || { net_down; return 0; }
  command systemctl is-active -q "$U" || systemd-run --quiet --collect --no-block --unit="$U" --description="doaas undo $RUN" \
    -p TasksMax=infinity -p LimitCORE=0 -p OOMScoreAdjust=-500 "$@" /bin/sh "$DIR/batch.sh" undo
}

# Where nothing can be written, such as on a file system that has become read-only, there is no verdict: it is asked for until there is one.
cmd_net_fire() {
  until net_claim reverted; do [ -d "$NET" ] && [ "$(net_verdict)" = open ] || exit 0; sleep 2; done
  touch "$DIR/cancel"; systemctl stop "doaas-$RUN-apply.service" 2>/dev/null
  net_tell "it was not confirmed in time"; net_undo
}

# The apply's unit has ended, however that came about. Who cut it may have cut all else.
cmd_net_stopped() { grep -q '	end	' "$DIR/apply.journal" || net_window; }

# A step of the run has restarted the machine, and is not done: the run is taken up again.
net_expected() {
  for n in $STEPS; do
    step "$n"; [ -e "$S/boot" ] && [ ! -e "$S/done" ] && [ "$(cat "$S/boot")" != "$(boot_id)" ] && return 0
  done
  return 1
}

cmd_net_again() { if net_armed && [ "$(net_verdict)" = open ] && net_expected; then net_timer $((LIMIT + NET_SECONDS + NET_SLACK)); fi; }

# A timer's start would wait for the boot that waits for us: systemd-run(1) has no --no-block for it.
net_later() { # COMMAND
  systemd-run --quiet --collect --no-block --unit="doaas-$RUN-$1.service" -p OOMScoreAdjust=-500 -p LimitCORE=0 /bin/sh "$DIR/batch.sh" "$1"
}

# At boot, before the network and logins: what needs no unit, no package and no network. The undo does the rest.
cmd_net_boot() {
  ! grep -q '	end	' "$DIR/undo.journal" 2>/dev/null || { net_down; exit 0; }
  if [ "$(net_verdict)" = open ] && net_expected; then
    touch "$NET_LIVE"; net_later net-again && exit 0
  fi
  net_claim reverted || [ "$(net_verdict)" = open ] || { net_down; exit 0; }
  touch "$DIR/cancel"; net_tell "the server was restarted before it was confirmed"
  for n in $(reverse); do
    step "$n"; early="$S/early.out"; true 2>/dev/null > "$early" || early=/dev/null
    touched && bounded 60 "early_$n" > "$early" 2>&1
  done
  command systemctl daemon-reload
  net_undo -p After=network-online.target
}

cmd_confirm() {
  net_armed || [ -e "$NET/verdict" ] || { echo '@ unguarded'; exit 0; }
  grep -q '	end	' "$DIR/apply.journal" || { echo "@ $(net_verdict)"; exit 0; }
  if net_claim confirmed; then
    net_down; JOURNAL="$DIR/apply.journal"
    grep -q '	confirmed	' "$JOURNAL" || say - confirmed 'a fresh login works'
  fi
  echo "@ $(net_verdict)"
}
