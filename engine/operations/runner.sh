# The host's side of a run. Everything above this line was generated for the run: RUN, DIR, ITEMS, STEPS and the
# functions of each step and net.sh. Commands: apply | confirm | verdict | undo | undo-late | call FUNCTION; net-* by units.
# COMMAND.journal: one line an event, `SECONDS<TAB>STEP<TAB>EVENT<TAB>DETAIL`; the last one is `- end RESULT`.
set -u
umask 077
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive DIR RUN
export DOAAS_PAYLOADS="$DIR/payloads"
# What the snippets are part of, such as apply or undo. They run by `call`, which keeps it.
export COMMAND="${COMMAND:-${1:-}}"

# On a full disk the room that was kept back is given up for the journal, first of all.
say() {
  line=$(printf '%s\t%s\t%s\t%s' "$(date +%s.%3N)" "$1" "$2" "${3:-}")
  printf '%s\n' "$line" >> "$JOURNAL" || { rm -f "$DIR/reserve"; printf '\n%s\n' "$line" >> "$JOURNAL"; }
}

finish() { # RESULT: durable before anyone can read it as the end
  say - end "$1"
  sync -f "$DIR"
  exit 0
}

# What an ended apply wrote is in its place, or is not wanted any more; taking it back needs none of it.
applied_as() { # RESULT
  net_window
  ( finish "$1" ) # the end first: without it the same content is needed again
  rm -rf "$DIR/payloads"; exit 0
}

# A run is over when it was taken back whole, or when a run that locked this host after it has begun to apply: its store
# grants that only once the former holder has ended or was undone. One of an engine that kept no lock's number is over too.
over() { # FOLDER
  ! grep -q '	end	rolled-back$' "$1/undo.journal" "$1/undo-late.journal" 2>/dev/null || return 0
  [ -e "$1/lock" ] || return 0
  store=; number=; begun=0
  read -r store number < "$1/lock"; read -r begun 2>/dev/null < "$FENCES/$store.begun"
  [ "$number" -lt "$begun" ] 2>/dev/null
}

# Runs that were not touched for so long. Never of this run: another wave of it may be undone next.
prune() {
  find "${DIR%/*}" -mindepth 1 -maxdepth 1 -mtime "+$KEEP_DAYS" | while IFS= read -r folder; do
    case "$folder" in "$DIR" | "${DIR%-w*}"-w*) continue ;; esac
    if over "$folder" || [ -n "$(find "$folder" -prune -mtime "+$KEEP_OPEN_DAYS")" ]; then rm -rf "$folder"; fi
  done
}

# Runs one function of a step in a shell of its own, so that `set -e` holds and a time limit ends all of it.
bounded() { # SECONDS FUNCTION
  STEP="$S" timeout -k 10 "$1" sh "$0" call "$2" < /dev/null
}

step() { meta_$1; S="$DIR/steps/$1"; }
each_item() { i=1; while [ "$i" -le "$COUNT" ]; do "$1" "$n" "$i" || return 1; i=$((i + 1)); done; }
item() { item_$1_$2; I="$S/$2"; }
digest() { set -- $(observe_$1_$2 2>/dev/null | sha256sum); echo "$1"; }

# ---- apply -------------------------------------------------------------------------------------------------------

expect_item() { # an item must be as it was planned
  item "$1" "$2"; mkdir -p "$I"
  now=$(digest "$1" "$2"); echo "$now" > "$I/before"
  [ "$now" = "$BEFORE" ] || UNEXPECTED="${UNEXPECTED:-$NAME}"
}

# Called in a shell of its own, where `set -e` holds. Each in a subshell: none is to see another's folder or variables.
capture_all() {
  for n in $STEPS; do
    step "$n"; i=1
    while [ "$i" -le "$COUNT" ]; do
      item "$n" "$i"; echo "$n" > "$DIR/capturing"
      [ -s "$I/before" ] || { echo "its digest could not be written to $I" >&2; exit 1; }
      if [ -e "$ITEM/record" ]; then cp -aT "$ITEM" "$I/item"; fi
      ( "capture_${n}_$i" )
      i=$((i + 1))
    done
  done
}

prepare() { # compares with the plan, then saves; nothing is changed
  for n in $STEPS; do
    step "$n"; mkdir -p "$S"; UNEXPECTED=; each_item expect_item
    [ -n "$UNEXPECTED" ] || continue
    if bounded 60 "check_$n" > /dev/null 2>&1; then continue; fi
    say "$ID" unexpected "$UNEXPECTED"; applied_as refused
  done
  if ! message=$(sh "$0" call capture_all 2>&1); then
    if read -r n < "$DIR/capturing" && [ -n "$n" ]; then step "$n"; fi
    say "$ID" failed "cannot save the present state: $(printf %s "$message" | tail -n 5 | tr '\n\t' '  ' | tail -c 300)"; applied_as refused
  fi
  sync -f "$DIR"; : > "$DIR/captured"; sync "$DIR/captured" "$DIR"
}

# After a cut an item may be as before, as wanted, or as another step of this run left it; nothing else.
resume_item() {
  item "$1" "$2"; now=$(digest "$1" "$2")
  grep -qxF "$now" "$I/before" "$I/seen" 2>/dev/null || { UNEXPECTED="$NAME"; return 1; }
}
resume() {
  for n in $STEPS; do
    step "$n"; [ ! -e "$S/done" ] && [ ! -e "$S/started" ] || continue
    each_item resume_item && continue
    if bounded 60 "check_$n" > /dev/null 2>&1; then continue; fi
    say "$ID" unexpected "$UNEXPECTED"; applied_as failed
  done
}

own_item() { # the record of first contact, with what was there then
  item "$1" "$2"; [ -n "$RECORD" ] || return 0
  mkdir -p "$ITEM"
  if [ ! -e "$ITEM/record" ]; then cp -a "$I/saved" "$ITEM/" 2>/dev/null || mkdir -p "$ITEM/saved"; ORIGIN=$RECORD
  else ORIGIN="$(cut -f1,2 "$ITEM/record")	$(printf %s "$RECORD" | cut -f3-)"; fi
  printf '%s\t%s\n' "$ORIGIN" "$RUN" > "$ITEM/record.new"; mv -f "$ITEM/record.new" "$ITEM/record"
}
# Of an item without a record: what it is then is what a later undo must find.
leave_item() { item "$1" "$2"; [ "$FREE" = no ] || digest "$1" "$2" > "$I/left-as"; }
see_item() { item "$1" "$2"; digest "$1" "$2" >> "$I/seen"; }
see_pending() { # what later steps will find, so that a resumed run knows it for our own doing
  for n in $STEPS; do step "$n"; [ -e "$S/done" ] || each_item see_item; done
}

# A step that restarts the machine leaves "$STEP"/boot with the id of the boot it was begun in. The run is cut then, and taken up after it.
RESTART_SECONDS=300
boot_id() { cat /proc/sys/kernel/random/boot_id; }
until_restarted() {
  w=0; while [ -e "$S/boot" ] && [ "$(cat "$S/boot")" = "$(boot_id)" ]; do
    [ "$w" -lt "$RESTART_SECONDS" ] || return 1
    sleep 1; w=$((w + 1))
  done
}

effect() { # one step; returns 1 when the run must stop
  rm -f "$S/notes"
  if bounded "$LIMIT" "check_$n" > "$S/check.out" 2>&1; then
    effect_notes; each_item own_item; : > "$S/done"; say "$ID" already; return 0
  fi
  : > "$S/started"; say "$ID" started; each_item own_item
  echo > "$S/out" # its first block, so that a step which fills the disk can still say so
  bounded "$LIMIT" "apply_$n" >> "$S/out" 2>&1; rc=$?; effect_notes
  [ "$rc" -ne 124 ] || { say "$ID" failed "not finished after $LIMIT s"; return 1; }
  [ "$rc" -eq 0 ] || { say "$ID" failed "exit $rc"; return 1; }
  until_restarted || { say "$ID" failed "the server did not restart within $RESTART_SECONDS s"; return 1; }
  bounded "$LIMIT" "check_$n" >> "$S/out" 2>&1; rc=$?; effect_notes
  [ "$rc" -eq 0 ] || { say "$ID" failed 'applied, but the wanted state is not there'; return 1; }
  each_item leave_item; : > "$S/done"; say "$ID" done
}

cmd_apply() {
  prune
  [ "$(net_verdict)" != reverted ] || applied_as reverted
  [ ! -e "$DIR/cancel" ] || applied_as cancelled
  if [ ! -e "$DIR/captured" ]; then prepare; else say - resumed; resume; fi
  if ! net_arm > "$DIR/net.out" 2>&1; then
    net_down; say - failed "the server cannot be made to take this back by itself, so nothing was changed: $(last_lines "$DIR/net.out")"
    applied_as failed
  fi
  for n in $STEPS; do
    step "$n"; [ ! -e "$S/done" ] || continue
    [ ! -e "$DIR/cancel" ] || applied_as cancelled
    net_ahead || applied_as failed
    effect || applied_as failed
    current=$n; [ "$IMPLICIT" = no ] || see_pending; n=$current
  done
  applied_as applied
}

# ---- undo --------------------------------------------------------------------------------------------------------

reverse() { r=; for n in $STEPS; do r="$n $r"; done; echo "$r"; }

disown_item() { # the engine's own record goes back too
  item "$1" "$2"
  if [ -e "$I/item" ]; then cp -aT "$I/item" "$I/back" || return 1; fi
  rm -rf "$ITEM"
  if [ -e "$I/back" ]; then mv -T "$I/back" "$ITEM"; fi
}
# With the record goes what a restore may need, such as the text of a script's undo: the next try finds it again.
set_aside() { item "$1" "$2"; [ ! -d "$ITEM" ] || cp -aT "$ITEM" "$I/left"; }
take_up() {
  item "$1" "$2"; [ -d "$I/left" ] && [ ! -e "$ITEM/record" ] || return 0
  rm -rf "$ITEM"; mv "$I/left" "$ITEM"
}
restored_item() {
  item "$1" "$2"; now=$(digest "$1" "$2")
  [ "$now" = "$(cat "$I/before")" ] || [ -e "$I/stays" ] || { say "$ID" differs "$NAME"; DIFFERS=1; }
}

touched() { [ -e "$S/started" ] || [ -e "$S/done" ]; }
last_lines() { tail -n 3 "$1" | tr '\n\t' '  ' | tail -c 300; }
note_lines() { # what a restore left on purpose, for people to read
  grep '^note: ' "$1" 2>/dev/null | while IFS= read -r l; do note_once "${l#note: }"; done
}
note_once() { cut -f 2- "$JOURNAL" | grep -qxF -e "$ID	note	$1" || say "$ID" note "$1"; }

# What an effect wrote to "$STEP"/notes for people. One that was cut and is done again writes it again.
NOTES_MAX=20
effect_notes() {
  [ -e "$S/notes" ] || return 0
  head -n "$NOTES_MAX" "$S/notes" | while IFS= read -r l; do note_once "$l"; done
}

# Room enough to remove a package or to write what there was.
room() { head -c 4194304 /dev/zero > "$DIR/room" 2>/dev/null; r=$?; rm -f "$DIR/room"; return "$r"; }
# Whoever has filled a disk often empties it again. Seconds.
until_room() { w=0; while [ "$w" -lt 120 ] && ! room; do sleep 2; w=$((w + 2)); done; }
patiently() { "$@" && return 0; ! room || return 1; until_room; "$@"; }

# One pass over all steps. A step may have to wait for another: a folder is only empty when its user's files are gone.
restore_pass() {
  FAILED=0
  for n in $(reverse); do
    step "$n"; touched && [ ! -e "$S/undone" ] || continue
    note_lines "$S/undo.out" # of a try that was cut
    # touch: on a full disk `: >` would end this shell
    if bounded "$LIMIT" "restore_$n" > "$S/undo.out" 2>&1 && touch "$S/undone"; then :; else FAILED=1; fi
    note_lines "$S/undo.out"
  done
}

after() { bounded "$LIMIT" "after_$n" > "$S/after.out" 2>&1; a=$?; note_lines "$S/after.out"; return "$a"; }

undone_as() { net_down; finish "$1"; }

undo_all() {
  rm -rf "$DIR/reserve" "$DIR/payloads"; STUCK=0
  prune
  if net_armed; then net_claim reverted || :; fi
  [ -e "$DIR/captured" ] && [ ! -e "$DIR/restored" ] || undone_as rolled-back
  rm -f "$DIR"/steps/*/undone
  for n in $STEPS; do step "$n"; each_item take_up; done
  restore_pass; [ "$FAILED" -eq 0 ] || { until_room; restore_pass; }
  for n in $(reverse); do
    step "$n"; touched && [ ! -e "$S/undone" ] || continue
    say "$ID" stuck "$(last_lines "$S/undo.out")"; STUCK=1
  done
  for n in $(reverse); do
    step "$n"; touched || continue
    patiently after || { say "$ID" stuck "$(last_lines "$S/after.out")"; STUCK=1; }
  done
  for n in $(reverse); do
    step "$n"; touched || continue
    DIFFERS=0; each_item restored_item
    if [ "$DIFFERS" -ne 0 ]; then
      STUCK=1; [ ! -e "$S/undone" ] || continue
      each_item set_aside
    fi
    patiently each_item disown_item || STUCK=1
    [ ! -e "$S/undone" ] || say "$ID" undone
  done
  [ "$STUCK" -eq 0 ] || undone_as held
  # once this is on disk it is not done again, so what it was done from can go
  patiently touch "$DIR/restored" || undone_as held
  sync -f "$DIR"; rm -rf "$DIR"/steps/*/*/saved "$DIR"/steps/*/*/item "$DIR"/steps/*/*/left "$DIR"/steps/*/debs
  undone_as rolled-back
}

# Long after the run: refused where a later run touched the same item.
mine_item() {
  item "$1" "$2"
  if [ "$FREE" = yes ] && [ -e "$I/left-as" ] && [ "$(digest "$1" "$2")" != "$(cat "$I/left-as")" ]; then LATER="$NAME -"; return 1; fi
  [ -n "$RECORD" ] || return 0
  [ "$(cut -f6 "$ITEM/record" 2>/dev/null)" = "$RUN" ] || { LATER="$NAME $(cut -f6 "$ITEM/record" 2>/dev/null)"; return 1; }
}
cmd_undo_late() {
  for n in $STEPS; do
    step "$n"; touched || continue
    each_item mine_item || { say "$ID" touched-later "$LATER"; finish refused; }
  done
  undo_all
}

JOURNAL="$DIR/${1:-none}.journal"
case "${1:-}" in
  call) set -e; "$2" ;;
  apply) cmd_apply ;;
  confirm) cmd_confirm ;;
  verdict) echo "@ $(net_verdict)" ;;
  net-fire) cmd_net_fire ;;
  net-stopped) cmd_net_stopped ;;
  net-boot) cmd_net_boot ;;
  net-again) cmd_net_again ;;
  undo) undo_all ;;
  undo-late) cmd_undo_late ;;
  *) echo "usage: sh $0 apply|confirm|verdict|undo|undo-late" >&2; exit 2 ;;
esac
