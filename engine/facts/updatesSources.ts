import { FactError } from './fact.ts';
import type { AptSource, OriginMatch, UpdatesQuery } from './updates.ts';
import { number, words } from './updatesChecks.ts';
import { isNamed, isSecurity, releaseFields } from './updatesSelection.ts';
import { fieldsOf, type Told } from './updatesTold.ts';

/** A server has a dozen. */
const SOURCES_MAX = 500;

/**
 * The archives that apt is to read, each with what its Release file says. Tried with apt 2.6: whenever apt was answered by an archive, with something new or with
 * nothing, it sets the owner of that file and so its time of change, and never where the archive fails; its time of modification is the
 * server's. What has no Release file ([trusted=yes]) has no such time. Without release info apt names what it has never read too. CDs are read by hand only.
 */
export const SOURCES = `doaas_sources() {
  t=$(apt-get indextargets --no-release-info --format '$(REPO_URI)\t$(RELEASE)\t$(METAKEY)\t$(FILENAME)' 'Created-By: Packages' 'Target-Of: deb' 2>/dev/null) || return 0
  echo '~ sources'; now=$(date +%s)
  printf '%s\\n' "$t" | awk -F '\\t' 'NF == 4 && $1 !~ /^cdrom:/ {
    for (n = split($3, part, "/"); n > 0; n--) sub(/_[^_]*$/, "", $4) # apt writes an underscore of a name as %5f
    sub(/\\/\\/[^\\/]*@/, "//", $1) # password
    if (!seen[$4]++) print $4 "\\t" $1 "\\t" $2
  }' | head -n ${SOURCES_MAX} | while IFS='	' read -r base uri suite; do
    printf '~ source %s\\t%s\\t%s\\n' "$uri" "$suite" "$(doaas_source "$base")"
  done
}
doaas_source() { # PREFIX of its lists; prints whether it is read, the ages of that and of the end of its validity, and its release
  for f in "$1_InRelease" "$1_Release"; do
    [ -f "$f" ] || continue
    v=$(sed -n '/^Valid-Until: */{s///p;q}' "$f"); [ -z "$v" ] || v=$(date -u -d "$v" +%s) || v=
    r=$(awk 'BEGIN { k["Origin:"] = "o"; k["Suite:"] = "a"; k["Codename:"] = "n"; k["Label:"] = "l" }
      $1 in k { f = k[$1]; delete k[$1]; sub(/^[^ ]* */, ""); gsub(/\\t/, " "); print f "=" $0 }' "$f" | tr '\\n' ,)
    printf 'yes\\t%s\\t%s\\t%s' "$(doaas_since "$(stat -c %Z "$f")")" "$(doaas_since "$v")" "\${r%,}"
    return
  done
  set -- "$1"_*Packages*
  if [ -e "$1" ]; then printf 'yes\\t-\\t-\\t'; else printf 'no\\t-\\t-\\t'; fi
}
doaas_since() { # seconds since then, of what is not to come
  case $1 in ''|*[!0-9]*) echo -; return ;; esac
  if [ "$1" -le "$now" ]; then echo $((now - $1)); else echo -; fi
}`;

export interface Sources {
  readonly sources?: readonly AptSource[];
  readonly unmatchedOrigins?: readonly OriginMatch[];
}

/** What the host tells of its archives; nothing where its apt does not name them. */
export function sourcesOf(told: Told, { securityOrigins = [] }: UpdatesQuery): Sources {
  if (told('sources').length === 0) return {};
  const lines = told('source');
  if (lines.length > SOURCES_MAX)
    throw new FactError(
      `the host told of ${lines.length} archives of packages; at most ${SOURCES_MAX} are read`,
    );
  const rows = lines.map(fieldsOf);
  const releases = rows.map(([, , , , , release = '']) => releaseFields(release));
  const unmatched = securityOrigins.filter((match) => !releases.some((fields) => isNamed(match, fields)));
  return {
    sources: rows.map((row) => sourceOf(row, securityOrigins)),
    ...(unmatched.length === 0 ? {} : { unmatchedOrigins: unmatched }),
  };
}

function sourceOf(
  [uri = '', suite = '', read, age = '-', over = '-', release = '']: readonly string[],
  securityOrigins: readonly OriginMatch[],
): AptSource {
  return {
    uri: words(uri),
    suite: words(suite),
    read: read === 'yes',
    security: isSecurity(release, releaseFields(release), securityOrigins),
    ...(age === '-' ? {} : { ageSeconds: number(age) }),
    ...(over === '-' ? {} : { expiredSeconds: number(over) }),
  };
}
