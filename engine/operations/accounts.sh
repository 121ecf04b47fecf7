# Puts the lines of one user or group back into the account databases, at the place where they stood, and leaves all
# other lines alone. Where nobody else changed anything the files end up byte for byte as they were.
DOAAS_ACCOUNTS='passwd group shadow gshadow subuid subgid'

# The protocol of shadow(5)'s own tools: a hard link that holds the pid of its owner. They wait for us and we for them.
doaas_lock() {
  for f in $DOAAS_ACCOUNTS; do
    printf %s "$$" > "/etc/$f.$$"; tries=0
    until ln "/etc/$f.$$" "/etc/$f.lock" 2>/dev/null; do
      holder=$(tr -cd 0-9 < "/etc/$f.lock" 2>/dev/null) || holder=
      if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then rm -f "/etc/$f.lock"; continue; fi
      tries=$((tries + 1))
      [ "$tries" -lt 150 ] || { rm -f "/etc/$f.$$"; echo "/etc/$f is locked by process ${holder:-unknown}; try again when it has ended" >&2; return 1; }
      sleep 0.1
    done
    rm -f "/etc/$f.$$"
  done
}
doaas_unlock() {
  for f in $DOAAS_ACCOUNTS; do
    if [ "$(cat "/etc/$f.lock" 2>/dev/null)" = "$$" ]; then rm -f "/etc/$f.lock"; fi
  done
}

doaas_merge() { # KIND NAME DATABASE OWN_GROUP FROM_GID TO_GID SAVED PRESENT
  awk -v kind="$1" -v name="$2" -v db="$3" -v own="$4" -v from="$5" -v to="$6" '
  BEGIN { FS = OFS = ":" }
  function member(list, who,   n, a, i) {
    n = split(list, a, ","); for (i = 1; i <= n; i++) if (a[i] == who) return 1
    return 0
  }
  function without(list, who,   n, a, i, out, m) {
    n = split(list, a, ","); m = 0
    for (i = 1; i <= n; i++) if (a[i] != who) out = out (m++ ? "," : "") a[i]
    return out
  }
  function including(list, saved, who,   n, a, i, out, after) {
    n = split(saved, a, ","); for (i = 1; i <= n && a[i] != who; i++) if (member(list, a[i])) after = a[i]
    if (after == "") return who (list == "" ? "" : ",") list
    n = split(list, a, ",")
    for (i = 1; i <= n; i++) out = out (i > 1 ? "," : "") a[i] (a[i] == after ? "," who : "")
    return out
  }
  function as_saved(list, saved) {
    if (member(saved, name) && !member(list, name)) return including(list, saved, name)
    if (!member(saved, name) && member(list, name)) return without(list, name)
    return list
  }
  function mine(key) { return key == name && (kind == "user" ? (members ? own == "yes" : 1) : members) }
  function fields(line, a) { split(line, a, ":") }
  FILENAME == ARGV[1] { saved[++sn] = $0; skey[sn] = $1; if (!($1 in sat)) sat[$1] = sn; next }
  { now[++pn] = $0; pkey[pn] = $1; pat[$1] = pn }
  END {
    members = (db == "group" || db == "gshadow")
    for (i = 1; i <= pn; i++) {
      $0 = now[i]; k = pkey[i]
      if (mine(k) && !(k in sat)) continue
      delete s; if (k in sat) split(saved[sat[k]], s, ":")
      if (kind == "user" && db == "passwd" && k == name) { for (j = 3; j <= 7; j++) if ($j != s[j]) $j = s[j] }
      if (kind == "user" && members) {
        v = as_saved($4, s[4]); if (v != $4) $4 = v
        if (db == "gshadow") { v = as_saved($3, s[3]); if (v != $3) $3 = v }
      }
      if (kind == "group" && db == "group" && k == name && $3 != s[3]) $3 = s[3]
      if (kind == "group" && db == "passwd" && from != to && $4 == to && s[4] == from) $4 = from
      out[++on] = $0; okey[on] = k; last[k] = on
    }
    anchor = -1
    if (mine(name) && !(name in pat) && (name in sat)) {
      anchor = 0; for (j = 1; j < sat[name]; j++) if (skey[j] in last) anchor = last[skey[j]]
    }
    for (i = 0; i <= on; i++) {
      if (i > 0) print out[i]
      if (i == anchor) for (j = 1; j <= sn; j++) if (skey[j] == name) print saved[j]
    }
  }' "$7" "$8"
}

doaas_accounts_restore() ( # KIND NAME SAVE OWN_GROUP FROM_GID TO_GID
  d=$3; same=yes
  trap doaas_unlock EXIT; doaas_lock
  for f in $DOAAS_ACCOUNTS; do
    [ -e "/etc/$f" ] || [ -e "$d/$f" ] || continue
    s="$d/$f"; [ -e "$s" ] || s=/dev/null
    q="/etc/$f"; [ -e "$q" ] || q=/dev/null
    doaas_merge "$1" "$2" "$f" "$4" "$5" "$6" "$s" "$q" > "$d/$f.merged"
    # useradd sorts subuid and subgid whenever it looks for a free range: the same lines go back in their old order
    sort "$s" > "$d/$f.sorted"
    if sort "$d/$f.merged" | cmp -s - "$d/$f.sorted"; then cat "$s" > "$d/$f.merged"; fi
    rm -f "$d/$f.sorted"
    if [ ! -s "$d/$f.merged" ] && [ "$s" = /dev/null ]; then rm -f "/etc/$f"
    elif ! cmp -s "$d/$f.merged" "$q"; then
      if [ "$q" = /dev/null ]; then cp -a "$s" "/etc/$f.doaas"; else cp -a "$q" "/etc/$f.doaas"; fi
      cat "$d/$f.merged" > "/etc/$f.doaas"; sync "/etc/$f.doaas"; mv -f "/etc/$f.doaas" "/etc/$f"
    fi
    rm -f "$d/$f.merged"
    if [ "$s" = /dev/null ]; then [ ! -e "/etc/$f" ] || same=no; else cmp -s "/etc/$f" "$s" || same=no; fi
  done
  if [ "$same" = yes ]; then # nobody else changed anything since: the tools' own backups go back too
    for f in $DOAAS_ACCOUNTS; do
      if [ ! -e "$d/$f-" ]; then rm -f "/etc/$f-"
      elif ! cmp -s "$d/$f-" "/etc/$f-"; then cp -a "$d/$f-" "/etc/$f-.doaas"; mv -f "/etc/$f-.doaas" "/etc/$f-"; fi
    done
  fi
  sync /etc
)

doaas_processes() { stat -c %u /proc/[0-9]* 2>/dev/null | grep -cx "$1" || :; } # UID: how many it runs

# What lies in a home folder, one line an entry; the folder's own attributes are left out.
doaas_home_list() ( # DIRECTORY
  cd -- "$1"; { find . -mindepth 1 -printf '%y %m %U:%G %l %P\n'; find . -type f -exec sha256sum {} +; } | sort
)

# A home folder that the engine made goes when nothing was added to it since.
doaas_remove_home() { # ITEM_DIR NAME
  [ -s "$1/home" ] || return 0
  h=$(cat "$1/home")
  if [ -d "$h" ] && [ ! -L "$h" ]; then
    doaas_home_list "$h" > "$1/home.now"
    if [ -n "$(comm -23 "$1/home.now" "$1/home.list")" ]; then
      echo "note: $h stays: it holds files that did not come with the user $2"; return 0
    fi
    rm -rf --one-file-system -- "$h"
  fi
  while IFS= read -r a; do [ ! -d "$a" ] || rmdir -- "$a" 2>/dev/null || :; done < "$1/home.parents"
}

doaas_no_processes() { # UID NAME
  tries=0
  while n=$(doaas_processes "$1"); [ "$n" -gt 0 ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { echo "the user $2 still runs $n processes; end them, then try again" >&2; return 1; }
    sleep 0.1
  done
}

doaas_field() { awk -F: -v n="$1" "\$1 == n { print $2; exit }" "$3" 2>/dev/null; } # NAME FIELDS FILE

doaas_restore_group() { # NAME SAVE
  was=$(doaas_field "$1" '$3' "$2/group"); now=$(doaas_field "$1" '$3' /etc/group)
  if [ -z "$was" ] && [ -n "$now" ]; then
    u=$(awk -F: -v g="$now" '$4 == g { print $1; exit }' /etc/passwd)
    [ -z "$u" ] || { echo "the group $1 is still the primary group of $u; change or remove that user first" >&2; return 1; }
  fi
  doaas_accounts_restore group "$1" "$2" no "$was" "$now"
}

doaas_restore_user() { # NAME SAVE ITEM_DIR
  was=$(doaas_field "$1" '$3 ":" $4 ":" $6' "$2/passwd"); now=$(doaas_field "$1" '$3 ":" $4 ":" $6' /etc/passwd)
  u1=${was%%:*}; h1=${was#*:}; g1=${h1%%:*}; h1=${h1#*:}
  u2=${now%%:*}; g2=${now#*:}; g2=${g2%%:*}; own=no
  if [ -e "$3/own-group" ]; then own=yes; fi
  if [ -n "$was" ] && [ -z "$now" ] && [ "$(doaas_field "$1" '$3' "$2/group")" = "$g1" ]; then own=yes; fi
  if [ -z "$was" ] && [ -n "$now" ]; then [ "$u2" = 0 ] || doaas_no_processes "$u2" "$1"; fi
  [ -n "$was" ] || doaas_remove_home "$3" "$1"
  doaas_accounts_restore user "$1" "$2" "$own" '' ''
  if [ -n "$was" ] && [ -n "$now" ] && [ -d "$h1" ] && [ "$h1" != / ]; then
    if [ "$u1" != "$u2" ]; then chown -R -h -P --from="$u2" "$u1" -- "$h1"; fi
    if [ "$g1" != "$g2" ]; then chown -R -h -P --from=":$g2" ":$g1" -- "$h1"; fi
  fi
}
