/** Selected updates that apt keeps back and that are asked for one by one, to learn why; the others are in one question. */
const ASKED_MAX = 3;

/**
 * Configuration files of the packages that are not as the package brought them: dpkg's, then those that ucf(1) keeps. One of dpkg's that
 * was deleted is among them, as dpkg asks about it too; ucf neither asks nor brings it back.
 */
export const CONFFILES = `doaas_conffiles() { # NAME ...
  {
    dpkg-query -W -f '= \${binary:Package}\\n\${Conffiles}\\n' "$@" 2>/dev/null |
      awk -v native=":$(dpkg --print-architecture)$" '$1 == "=" { p = $2; sub(native, "", p); next } NF == 2 || (NF == 3 && $3 != "obsolete") { print p "\\t" $2 "\\t" $1 (NF == 2 && $2 != "newconffile" ? "\\tdpkg" : "") }'
    [ ! -r /var/lib/ucf/registry ] || awk -v names="$*" '
      BEGIN { n = split(names, w, " "); for (i = 1; i <= n; i++) { sub(/:.*/, "", w[i]); wanted[w[i]] = 1 } }
      FILENAME ~ /registry$/ { if ($1 in wanted) owner[$2] = $1; next }
      $2 in owner { print owner[$2] "\\t" $1 "\\t" $2 }' /var/lib/ucf/registry /var/lib/ucf/hashfile
  } | {
    doaas_known=$(cat)
    {
      printf '%s\\n' "$doaas_known" | cut -f3 | tr '\\n' '\\0' | xargs -0 -r md5sum 2>/dev/null
      printf '%s\\n' "$doaas_known" | awk -F '\\t' '$4 == "dpkg" { print $3 }' | while IFS= read -r f; do [ -e "$f" ] || echo "deleted  $f"; done
      echo --; printf '%s\\n' "$doaas_known"
    } | awk '
      $0 == "--" { known = 1; next }
      !known { sum = $1; sub(/^[^ ]* +/, ""); is[$0] = sum; next }
      { split($0, f, "\\t"); if (f[3] != "" && (f[3] in is) && is[f[3]] != f[2]) print "~ conffile " f[1] "\\t" f[3] }'
  }
}`;

/**
 * Of `$doaas_read`, the lines of the fact, the selected updates that may ask about such a file (`$doaas_changed`), and what is built with
 * them. apt must be told to leave them before it plans: it plans no others then that need them.
 */
export const LEFT = `doaas_left_to_people() {
  { printf '%s\\n' "$doaas_changed"; echo --; printf '%s\\n' "$doaas_read"; echo --; printf '%s\\n' "$doaas_read"; } | awk -F '\\t' -v OFS='\\t' '
    $0 == "--" { part++; next }
    !part { if (/^~ conffile /) changed[substr($1, 12)] = 1; next }
    part == 1 { if (/^~ update / && $7 == "selected" && substr($1, 10) in changed) source[$5] = 1; next }
    /^~ update / && $7 == "selected" && $5 in source { n = substr($1, 10); left[n] = 1; $7 = "asked"; print; print "A " n "=" $2; next }
    /^A / { n = substr($0, 3); sub(/=.*/, "", n); if (n in left) next }
    { print }'
}`;

/** Why selected updates are kept back, in apt's own words: about one alone, beside all that it is told to leave. */
export const KEPT = `doaas_install() { # NAME=VERSION ...
  timeout "$(doaas_left)" apt-get -s -q -o Debug::NoLocking=1 install -- "$@" $(printf '%s\\n' "$doaas_read" | awk -F '\\t' '
    /^~ update / && $7 ~ /^(excluded|other|asked)$/ { print substr($1, 10) "=" $2 }') 2>&1 < /dev/null
}
doaas_kept() { # NAME=VERSION ...
  doaas_n=0
  while [ "$#" -gt 0 ] && [ "$doaas_n" -lt ${ASKED_MAX} ]; do
    echo "~ kept \${1%%=*}	$(doaas_install "$1" | awk '
      /^The following packages will be REMOVED:/ { on = 1; print "it needs packages removed:"; next }
      /^The following packages have unmet dependencies:/ { on = 1; next }
      /^E: / && !on { print substr($0, 4); next }
      /^ / && on { print; next }
      { on = 0 }' | head -n 12 | base64 -w0)"
    doaas_n=$((doaas_n + 1)); shift
  done
  [ "$#" -gt 0 ] || return 0
  doaas_out=$(doaas_install "$@")
  for p in "$@"; do
    echo "~ kept \${p%%=*}	$(printf '%s\\n' "$doaas_out" | awk -v n="\${p%%=*}" '
      $1 == n && $2 == ":" { on = 1; print; next }
      /^   / && on { print; next }
      { on = 0 }' | head -n 12 | base64 -w0)"
  done
}`;

/**
 * From which archives what is not installed yet comes, such as a new kernel, as lines of the fact: apt's tables were asked about what is
 * installed alone. By the addresses that `$doaas_read` has.
 */
export const NEW = `doaas_new() { # NAME and VERSION, with a tab between, on stdin
  doaas_come=$(cat); [ -n "$doaas_come" ] || return 0
  { printf '%s\\n' "$doaas_read"; echo --; printf '%s\\n' "$doaas_come"; echo --
    apt-cache policy -- $(printf '%s\\n' "$doaas_come" | cut -f1) 2>/dev/null; } | awk '
    $0 == "--" { part++; next }
    !part { if (/^~ archive /) { split($0, f, "\\t"); n = substr(f[1], 11); at = f[2] " " f[3]; if (!(at in archive)) archive[at] = n }; next }
    part == 1 { to[$1] = $2; next }
    /^[^ ]/ { name = substr($0, 1, length($0) - 1); here = 0; next }
    /^ (\\*\\*\\*|   ) [^ ]/ { v = $1 == "***" ? $2 : $1; here = v == to[name]; if (here) print "~ version " name "\\t" v; next }
    here && ($2 " " $3) in archive { print "~ of " name "\\t" v "\\t" archive[$2 " " $3] }'
}`;

/** Packages of Debian and Ubuntu that bring each new kernel along, which is another package every time. */
const KERNEL_METAS = '^linux-(image-[a-z]|generic|virtual)';

/**
 * Where only `/boot`, a file system of its own, lacks room, and without a new kernel there is enough: the other updates are planned without
 * it. Why it is kept back is told in the lines of the fact, with what apt would take away for it.
 */
export const BOOT_ROOM = `doaas_spare_boot() {
  case $doaas_short in /boot'	'*) ;; *) return 0 ;; esac
  [ "$(printf '%s\\n' "$doaas_short" | wc -l)" -eq 1 ] || return 0
  doaas_all=$doaas_read doaas_full=$doaas_plan doaas_lacks=$doaas_short
  doaas_metas=$(printf '%s\\n' "$doaas_read" | awk -F '\\t' '/^~ update / && $7 == "selected" { n = substr($1, 10); if (n ~ /${KERNEL_METAS}/) print n "=" $2 }')
  [ -n "$doaas_metas" ] || return 0
  doaas_read=$({ printf '%s\\n' "$doaas_metas"; echo --; printf '%s\\n' "$doaas_read"; } | awk '
    $0 == "--" { rest = 1; next }
    !rest { print "A " $0; sub(/=.*/, ""); left[$0] = 1; next }
    /^A / { n = substr($0, 3); sub(/=.*/, "", n); if (n in left) next }
    { print }')
  if doaas_plan && { doaas_measure; [ -z "$doaas_short" ]; }; then
    doaas_why=$(printf '%s\\n' "$doaas_lacks" | awk -F '\\t' '{ printf "no room on %s for one more kernel: it needs %.0f MiB, and %.0f are free", $1, $2 / 1048576, $3 / 1048576 }'
      doaas_ask autoremove | awk '$1 == "Remv" && $2 ~ /^linux-image-[0-9]/ { printf "%s%s", n++ ? ", " : "; apt-get autoremove takes away ", $2 }')
    for p in $doaas_metas; do echo "~ kept \${p%%=*}	$(printf '%s' "$doaas_why" | base64 -w0)"; done
  else doaas_read=$doaas_all doaas_plan=$doaas_full doaas_metas=; doaas_measure; fi
}`;
