# Functions for updates, restarts and reboots; they use those of apt.sh and units.sh. Reads: STEP, DIR. Notes of a step: failed (units
# that had failed before it), jobs (of systemd, that were there before it), auto (packages that nobody asked for by name), boot (the boot in which it began),
# running (services, with their invocations), named (what needrestart said), units (that are restarted), why (who asks for the reboot).

failed_units() { # but those of our own runs
  systemctl list-units --failed --plain --no-legend --no-pager 2>/dev/null | awk '$1 !~ /^doaas-.*-(apply|undo|undo-late|net-[a-z]+|boot)[.]service$/ { print $1 }' | sort -u
}

note_failed() {
  [ ! -e "$STEP/failed" ] || return 0
  jobs_of_systemd > "$STEP/jobs"
  failed_units > "$STEP/failed.new"; sync "$STEP/failed.new"; mv -f "$STEP/failed.new" "$STEP/failed"; sync "$STEP"
}

jobs_of_systemd() { systemctl list-jobs --no-legend --no-pager 2>/dev/null | awk '{ print $1, $2 }'; }

# What is being started has come up or failed by then. A backup that runs since before the step is one long start.
QUIET_SECONDS=60
until_quiet() {
  q=0; while [ "$q" -lt "$QUIET_SECONDS" ] && jobs_of_systemd | grep -qvxFf "$STEP/jobs"; do sleep 1; q=$((q + 1)); done
}

no_new_failed() {
  [ -e "$STEP/failed" ] || return 0
  until_quiet
  broke=$(failed_units | grep -vxFf "$STEP/failed" || :)
  [ -n "$broke" ] || return 0
  for u in $broke; do echo "$u has failed since, which it had not before" >&2; why_not "$u" run; done
  return 1
}

# For people; the runner puts it into the journal, and only once, so a step that is taken up again tells it anew. What packages
# print is not read for it. Names are words of whoever made them.
TOLD_BYTES=1500
tell() { { printf '%s' "$1" | head -c "$TOLD_BYTES" | tr '\n\t' '  '; echo; } >> "$STEP/notes" || :; } # SENTENCE
tell_names() { # WORDS; names on stdin, one a line
  n=$(awk -v most="$TOLD_BYTES" '
    NF && (told == "" || length(told) + length($0) < most - 200) { told = told (told == "" ? "" : ", ") $0; next }
    NF { more++ }
    END { if (told != "") printf "%s%s", told, more ? " and " more " more" : "" }')
  [ -z "$n" ] || tell "$1 $n"
}

# ---- updates -----------------------------------------------------------------------------------------------------

# dpkg that was cut in the middle of the run has some already.
require_planned() { # NAME FROM TO ...; FROM is - where it is not installed yet
  while [ "$#" -gt 0 ]; do
    is=$(dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | head -n 1)
    case $is in '' | not-installed* | config-files*) is=- ;; *) is=${is#* } ;; esac
    if [ "$is" != "$2" ] && [ "$is" != "$3" ]; then
      echo "$1 is at $is, and was at $2 when this was planned, so nothing was changed; plan again" >&2; return 1
    fi
    shift 3
  done
}

# Before anything is downloaded.
require_room() { # NAME=VERSION ...
  short=$(doaas_sizes "$@" | doaas_room); [ -n "$short" ] || return 0
  echo "$short" | while IFS='	' read -r m need free; do
    echo "$m has no room for these updates, so nothing was downloaded or changed: they need $((need / 1048576)) MiB, and $((free / 1048576)) MiB are free. Free some space, then apply again"
  done >&2
  return 1
}

require_lists() { # NAME=VERSION ...: a version that is newer than this host's lists is looked for once more
  [ -n "$(apt-cache show --no-all-versions -- "$@" 2>&1 | grep '^[EW]: ')" ] || return 0
  apt_update || :
}

# A version that is asked for by name counts for apt as wanted for itself; who came as a dependency stays one.
note_auto() { # NAME=VERSION ...
  [ ! -e "$STEP/auto" ] || return 0
  for p in "$@"; do
    p=${p%%=*}
    if is_known "$p" && [ -z "$(apt-mark showauto "$p" 2>/dev/null)" ]; then continue; fi
    echo "$p"
  done > "$STEP/auto.new"
  sync "$STEP/auto.new"; mv -f "$STEP/auto.new" "$STEP/auto"
}
is_known() { case $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) in '' | not-installed | config-files) return 1 ;; esac; }
restore_auto() { [ ! -s "$STEP/auto" ] || apt-mark -qq auto $(cat "$STEP/auto") > /dev/null || :; }

# Reads: OLD (names whose present version is kept for the way back, empty where nobody needs one of them to get in).
keep_old() { # NAME=VERSION ...
  [ -n "$OLD" ] || return 0
  keep_what_fits $OLD
  # the updates themselves come first
  [ -z "$(doaas_sizes "$@" | doaas_room)" ] || rm -rf "$STEP/debs"
}

upgrade_patches() { # keep|take NAME=VERSION ...
  CONFFILES=$1; shift
  if [ "$CONFFILES" = take ]; then unset UCF_FORCE_CONFFOLD; export UCF_FORCE_CONFFNEW=1; fi
  note_failed; note_running; repair_dpkg; require_lists "$@"; require_room "$@"; keep_old "$@"; note_auto "$@"
  write_hook "$STEP/news" "$STEP/gone" '' "$*"
  rc=0; apt_change install --no-remove --no-install-recommends "$@" || rc=$?
  restore_auto; note_system
  [ "$rc" -eq 0 ] || return "$rc"
  no_new_failed
}

# Packages restart services by themselves. Those of a login come and go with it.
running_services() { # prints NAME and invocation of each
  systemctl show -p Id,ActiveState,InvocationID -- '*.service' 2>/dev/null | awk '
    function flush() { if (state == "active" && id != "" && name !~ /^user(-runtime-dir)?@/) print name, id; name = state = id = "" }
    /^Id=/ { name = substr($0, 4) } /^ActiveState=/ { state = substr($0, 13) } /^InvocationID=/ { id = substr($0, 14) }
    /^$/ { flush() } END { flush() }'
}
note_running() {
  [ ! -e "$STEP/running" ] || return 0
  running_services > "$STEP/running.new"; sync "$STEP/running.new"; mv -f "$STEP/running.new" "$STEP/running"; sync "$STEP"
}
tell_meanwhile() {
  [ -s "$STEP/running" ] || return 0
  running_services | awk 'NR == FNR { was[$1] = $2; next } $1 in was && was[$1] != $2 { print $1 }' "$STEP/running" - |
    tell_names 'restarted while their packages were updated:'
}

# What dpkg and ucf left beside configuration files is moved aside, not deleted.
restore_copies() {
  if [ "${COMMAND:-}" != undo ] || [ ! -e "$DIR/system/paths" ]; then return 0; fi
  find /etc -xdev -path /etc/apt -prune -o \( -name '*.dpkg-dist' -o -name '*.dpkg-old' -o -name '*.dpkg-new' -o -name '*.ucf-dist' -o -name '*.ucf-old' \) -print |
    grep -vxFf "$DIR/system/paths" | while IFS= read -r f; do move_leftover "$f"; done
}

# ---- restarts ----------------------------------------------------------------------------------------------------

# needrestart's name of process 1, which is not restarted but executed anew: systemctl(1).
MANAGER=systemd-manager

left_alone() { # PATTERN ...: names on stdin, without these and their instances
  while IFS= read -r u; do is_one_of "$u" "$@" || printf '%s\n' "$u"; done
}
is_one_of() { # UNIT PATTERN ...
  n=$1; shift
  for p in "$@"; do case $n in $p | ${p%.service}@*.service) return 0 ;; esac; done
  return 1
}

# Once: what is restarted is named no more.
note_units() { # UNIT ...; more on stdin
  { for u in "$@"; do printf '%s\n' "$u"; done; cat; } | grep . | sort -u > "$STEP/units.new" || :
  sync "$STEP/named" "$STEP/units.new"; mv -f "$STEP/units.new" "$STEP/units"; sync "$STEP"
}
named_units() { sed -n 's/^~ restart //p' "$STEP/named"; }

restart_patched() { # UNIT ...
  note_failed
  for u in "$@"; do
    mkdir -p "$STEP/$u"
    set +e; ( set -e; restart_one "$u" ); r=$?; set -e # left of || the shell would ignore set -e in it
    [ "$r" -eq 0 ] || { tell_restarted "$@"; tell "restart of $u failed"; return "$r"; }
  done
  tell_restarted "$@"; no_new_failed
}
restart_one() { # UNIT
  if [ "$1" != "$MANAGER" ]; then STEP="$STEP/$1"; act_once "$1" restart
  elif [ ! -e "$STEP/$1/mark" ]; then systemctl daemon-reexec; touch "$STEP/$1/mark"; fi
}

were_restarted() { # UNIT ...
  [ -e "$STEP/failed" ] || return 1
  for u in "$@"; do was_restarted "$u" || return 1; done
  no_new_failed && tell_restarted "$@"
}
was_restarted() { # UNIT
  if [ "$1" = "$MANAGER" ]; then [ -e "$STEP/$1/mark" ]; else ( STEP="$STEP/$1"; was_acted "$1" restart ); fi
}

tell_restarted() { # UNIT ...
  for u in "$@"; do was_restarted "$u" && ! did_not_run "$u" && printf '%s\n' "$u"; done | tell_names restarted
  for u in "$@"; do did_not_run "$u" && printf '%s\n' "$u"; done | tell_names 'not restarted, as it did not run:'
}
did_not_run() { [ "$(cat "$STEP/$1/mark" 2>/dev/null)" = inactive ]; } # UNIT

# Who is left as it is, and why. Patterns are extended regular expressions.
tell_left() { # OUR-OWN DEFERRED
  case $(sed -n 's/^~ needrestart //p' "$STEP/named") in
    ran*) ;;
    failed*) tell 'needrestart failed, so what else still uses what was replaced is not known, and was not restarted' ;;
    vulnerable*) tell 'needrestart has known holes and was not run, so what else still uses what was replaced is not known, and was not restarted' ;;
    *) tell 'needrestart is not there, so what else still uses what was replaced is not known, and was not restarted' ;;
  esac
  named_units | grep -Ev -e "$1" | grep -E -e "$2" | tell_names 'left for a reboot, as a restart may cut off people or containers:'
  named_units | grep -Ev -e "$1" -e "$2" | grep -vxFf "$STEP/units" | tell_names 'left as they are by restartNever:'
}

# With what was put back.
restart_again() { # UNIT ...
  for u in "$@"; do
    if [ "$u" != "$MANAGER" ]; then ( STEP="$STEP/$u"; act_again "$u" restart )
    elif [ -e "$STEP/$u/mark" ]; then systemctl daemon-reexec; fi
  done
}

# ---- reboot ------------------------------------------------------------------------------------------------------

was_rebooted() { [ -e "$STEP/boot" ] && [ "$(cat "$STEP/boot")" != "$(boot_id)" ]; }

# In a container the kernel is the machine's. PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h
kernel_is_new() {
  [ "$(readlink /proc/1/ns/pid)" = 'pid:[4026531836]' ] || return 0
  newest=$(ls /boot 2>/dev/null | sed -n 's/^vmlinuz-//p' | grep -v '\.dpkg-\|\.old$' | sort -V | tail -n 1)
  if [ -z "$newest" ] || [ "$newest" = "$(uname -r)" ]; then return 0; fi
  echo "the server came up with the kernel $(uname -r), though $newest is installed: see what its boot loader starts" >&2; return 1
}

reboot_is_required() { [ -e /run/reboot-required ] || ! kernel_is_new 2> /dev/null; }

# Who asks for it, by name; the boot takes that away.
reboot_reasons() {
  if [ -s /run/reboot-required.pkgs ]; then sort -u /run/reboot-required.pkgs
  elif [ -e /run/reboot-required ]; then echo /run/reboot-required; fi
  kernel_is_new 2>/dev/null || echo "the kernel $newest ($(uname -r) ran)"
}

tell_reboot() { if [ -s "$STEP/why" ]; then tell_names 'rebooted, for' < "$STEP/why"; else tell rebooted; fi; }

came_up() { was_rebooted && tell_reboot && kernel_is_new && no_new_failed; }
not_needed() { ! reboot_is_required && tell 'not rebooted, as nothing asks for it'; }

reboot_once() {
  if was_rebooted; then came_up; return; fi
  note_failed
  reboot_reasons > "$STEP/why"
  boot_id > "$STEP/boot.new"; sync "$STEP/why" "$STEP/boot.new"; mv -f "$STEP/boot.new" "$STEP/boot"; sync "$STEP"
  systemctl --no-block reboot
}
