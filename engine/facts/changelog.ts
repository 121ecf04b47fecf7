import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact } from './fact.ts';

/** What the changelog of a package's newer version says that it mends. */
export interface ChangelogQuery {
  readonly fact: 'changelog';
  /** Name of the package. */
  readonly key: string;
  /** The version that is installed: entries down to it count. */
  readonly from: string;
}

export interface ChangelogState {
  readonly present: true;
  /** CVE ids of the entries since `from`; none where the changelog cannot be had, or does not know that version. At most `CVES_MAX`. */
  readonly cves: readonly string[];
}

export const CVES_MAX = 500;
/** apt asks the server of the package's archive. Seconds. */
const SECONDS_MAX = 8;

/**
 * The ids of the entries that are newer than the version DOAAS_FROM, or DOAAS_OR, whichever comes first; `none` where neither
 * comes: that would be all of history. Entries begin with `source (version) suite; urgency=...` (deb-changelog(5)).
 */
export const CVES_SINCE = `awk '
    /^[a-z0-9][a-z0-9+.-]* [(]/ { v = $2; gsub(/[()]/, "", v); if (v == ENVIRON["DOAAS_FROM"] || v == ENVIRON["DOAAS_OR"]) { known = 1; exit } }
    { while (match($0, /CVE-[0-9][0-9][0-9][0-9]-[0-9]+/)) { seen[substr($0, RSTART, RLENGTH)] = 1; $0 = substr($0, RSTART + RLENGTH) } }
    END { if (!known) print "none"; else for (id in seen) print id }' | sort`;

/**
 * Only what can be the name of a package (Debian Policy 5.6.7), and is installed, is asked for: a name that apt does not know is
 * a regular expression to it (apt-get(8)), and it makes a folder for each package that matches. Its sandbox user writes there, too.
 * apt leaves that behind when its time is up, so it gets a folder around it that is removed however this ends.
 */
export const CHANGELOG_CVES: Sh = {
  kind: 'sh',
  text: `doaas_changelog() ( # NAME
  case $1 in [!a-z0-9]*|*[!a-z0-9+.:-]*) exit ;; esac
  dpkg-query -W -f '\${db:Status-Status}\\n' "$1" 2>/dev/null | grep -qx installed || exit
  doaas_tmp=$(mktemp -d) || exit
  trap 'rm -rf "$doaas_tmp"' EXIT; trap 'exit 1' HUP INT PIPE TERM
  chmod 1777 "$doaas_tmp"
  TMPDIR=$doaas_tmp timeout -k 1 ${SECONDS_MAX} apt-get -qq changelog "$1" 2>/dev/null </dev/null
)
doaas_cves() { # FROM; a changelog on standard input
  DOAAS_FROM=$1 DOAAS_OR=$1 ${CVES_SINCE} | sed -n 's/^CVE-/~ cve &/p' | head -n ${CVES_MAX}
}`,
};

export const changelogFact: Fact<ChangelogQuery, ChangelogState> = {
  fact: 'changelog',
  read: (queries) =>
    lines(
      CHANGELOG_CVES,
      ...queries.map(
        (q) => sh`echo ${`= ${encodeKey(q.key)}`}
doaas_changelog ${q.key} | doaas_cves ${q.from}`,
      ),
    ),
  parse: (output) => ({
    present: true,
    cves: output
      .flatMap((line) => /^~ cve (CVE-[0-9]{4}-[0-9]{4,12})$/.exec(line)?.[1] ?? [])
      .slice(0, CVES_MAX),
  }),
};
