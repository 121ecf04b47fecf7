import { lines, type Sh, sh } from '../shell/sh.ts';
import { informational } from './accounts.ts';
import { encodeKey, type Fact, FactError } from './fact.ts';
import { isPackageName, text, words } from './updatesChecks.ts';

/** One Debian package. With `want`, what apt would do is read too, but only where something differs. */
export interface PackageQuery {
  readonly fact: 'package';
  /** Name, or `name:architecture`. */
  readonly key: string;
  readonly want?: 'present' | 'absent';
  /** Exact version, or a prefix with `*` at its end. */
  readonly version?: string;
  readonly hold?: boolean;
  /** While one of these units runs, apt is not asked what it would do to have the package absent. */
  readonly staysWith?: readonly string[];
}

export interface PackageState {
  /** Installed and configured. A removed package whose configuration stayed is not present. */
  readonly present: boolean;
  /** dpkg's own word where the package is neither: `half-configured`, `unpacked`, ... */
  readonly broken?: string;
  readonly version?: string;
  readonly hold: boolean;
  /** Only where the package is not as wanted. */
  readonly offer?: PackageOffer;
  /** What one apt run for all packages that are not as wanted would do; on one of their readings. */
  readonly transaction?: AptTransaction;
}

/** What the host's package lists have of it. */
export interface PackageOffer {
  /** Version that would be installed; left out when none matches. */
  readonly version?: string;
  /** `URI SUITE/COMPONENT` that it comes from. */
  readonly origin?: string;
  /** All versions in the lists, newest first; empty when the lists do not have it. */
  readonly versions: readonly string[];
}

export interface AptTransaction {
  readonly installs: readonly string[];
  readonly upgrades: readonly string[];
  readonly downgrades: readonly string[];
  readonly removes: readonly string[];
  /** apt's own words when it finds no way. */
  readonly problem?: string;
  /** Seconds since the package lists were read; left out when there are none. */
  readonly listsAgeSeconds?: number;
}

/** Versions shown of a package. */
const VERSIONS_MAX = 8;

/** Of one sort in a transaction: more than Debian installs anywhere; a host that lies could name millions. */
const NAMES_MAX = 20_000;

/**
 * One dpkg-query for all packages. Prints a package's block; then `? NAME[=VERSION]`, `- NAME` or `! NAME` when it
 * must be installed, removed, or only its hold differs.
 */
const STATES = `awk '
$1 == "--" { wants = 1; next }
!wants { split($1, p, ":"); if (p[1] == "dpkg") native = p[2]; state[$1] = $2 " " $3 " " $4; next }
{
  key = $2
  if (!(key in state)) key = ($2 ":" native in state) ? $2 ":" native : $2 ":all"
  split(state[key], s, " "); hold = s[1] == "hold" ? "hold" : "free"
  ok = s[2] == "installed" || s[2] ~ /^triggers-/
  n = length($4); match_ = $4 == "-" || s[3] == $4 || (substr($4, n) == "*" && index(s[3], substr($4, 1, n - 1)) == 1)
  print "= " $1
  if (ok) print "installed " s[3] " " hold
  else if (s[2] == "" || s[2] == "not-installed" || s[2] == "config-files") print "absent"
  else print "broken " s[2] " " s[3]
  if ($3 == "present" && !(ok && match_)) print "? " $2 ($4 == "-" ? "" : "=" $4)
  else if ($3 == "present" && $5 != hold) print "! " $2
  else if ($3 == "absent" && (ok || s[2] ~ /^(half|unpacked)/)) print "- " $2
}'`;

/**
 * A hash over all that apt's answer to these blocks depends on; nothing where apt does not say where its files are.
 * dpkg's and apt's own states count by content, lists and settings by inode, size, modification and change times.
 */
const BASIS = `doaas_basis() { # BLOCKS
  doaas_at=$(apt-config shell s Dir::State::status/f x Dir::State::extended_states/f l Dir::State::lists/d e Dir::Etc/d \\
    a Dir::Etc::sourcelist/f b Dir::Etc::sourceparts/d c Dir::Etc::preferences/f d Dir::Etc::preferencesparts/d 2>/dev/null) || return 0
  (
    s= x= l= e= a= b= c= d=; eval "$doaas_at" # apt's own quoting: apt-config(8)
    [ -n "$s" ] && [ -n "$l" ] && [ -n "$e" ] || exit 0
    {
      printf '%s\\n' "$1"; apt-config dump; cat -- "$s" "$x" /var/lib/dpkg/arch
      find -L "$l" "$e" "$a" "$b" "$c" "$d" -printf '%p %y %i %s %T@ %C@\\n' | sort
    } 2>/dev/null | sha256sum | cut -d' ' -f1
  )
}`;

/**
 * Turns the lines `? ...` and `- ...` into what apt knows. Reads only: apt-get prints what it would fetch. An answer
 * without a problem may be remembered; one with it is asked for anew, since its lists' age counts.
 */
const OFFERS = `doaas_offers() { # BLOCKS BASIS
  set -f
  install=$(printf '%s\\n' "$1" | sed -n 's/^? //p'); remove=$(printf '%s\\n' "$1" | sed -n 's/^- //p')
  policy=$([ -z "$install" ] || LC_ALL=C apt-cache policy $(printf '%s\\n' $install | sed 's/=.*//') 2>/dev/null)
  known=$(for p in $install; do
    printf '%s\\n' "$policy" | awk -v want="$p" '
      BEGIN { at = index(want, "="); name = at ? substr(want, 1, at - 1) : want; version = at ? substr(want, at + 1) : "" }
      /^[^ ]/ { mine = $1 == name ":" ; next }
      !mine { next }
      $1 == "Candidate:" { candidate = $2; if (version == "" && $2 != "(none)") chosen = $2; next }
      /^ (\\*\\*\\*|   ) [^ ]/ {
        v = $1 == "***" ? $2 : $1; if (count++ < ${VERSIONS_MAX}) all = all " " v; n = length(version)
        if (version != "" && chosen == "" && (v == version || (substr(version, n) == "*" && index(v, substr(version, 1, n - 1)) == 1))) chosen = v
        here = v == chosen; next
      }
      here && origin == "" && $2 !~ /^\\/var\\/lib\\/dpkg/ && NF >= 3 { origin = $2 " " $3 }
      END { print "offer " want " " (chosen == "" ? "-" : chosen) " " (origin == "" ? "- -" : origin) all }'
  done)
  args=$(printf '%s\\n' "$known" | awk '$3 != "-" && NF { print $2 }')
  problem=
  plan=
  if [ -n "$args$remove" ]; then
    plan=$(LC_ALL=C apt-get install --print-uris -q -y --allow-downgrades --allow-change-held-packages -o APT::Get::Show-Versions=false -o Debug::NoLocking=1 -- $args $(printf '%s\\n' $remove | sed 's/.$/&-/') 2>&1 < /dev/null) ||
      problem=$(printf '%s\\n' "$plan" | sed -n '/^Reading\\|^Building/d;/./p' | tail -c 1000 | base64 -w0)
  fi
  set +f
  now=$(date +%s); read=$(ls /var/lib/apt/lists/*_*Release > /dev/null 2>&1 && stat -c %Y /var/lib/apt/lists /var/lib/apt/lists/partial 2>/dev/null | sort -n | tail -n 1)
  case $problem$known in *' - - -'*) ;; *) [ -n "$problem" ] || [ -z "$2" ] || echo "# basis $2" ;; esac
  printf '%s\\n' "$known" "problem \${problem:--}" "lists \${read:+$((now - read))}" '--plan' "$plan" '--blocks' "$1" | awk '
    $0 == "--plan" { part = 1; next }
    $0 == "--blocks" { part = 2; next }
    !part && $1 == "offer" { want = $2; $1 = ""; $2 = ""; sub(/^ +/, ""); offer[want] = $0; next }
    !part && $1 == "problem" { if ($2 != "-") extra = extra "~ problem " $2 "\\n"; next }
    !part && $1 == "lists" { if ($2 != "") extra = extra "~ lists " $2 "\\n"; next }
    part == 1 && /^The following .*REMOVED:/ { list = "removes"; next }
    part == 1 && /^The following NEW / { list = "installs"; next }
    part == 1 && /^The following .*DOWNGRADED:/ { list = "downgrades"; next }
    part == 1 && /^The following packages will be upgraded:/ { list = "upgrades"; next }
    part == 1 && /^  / { if (list != "") { gsub(/\\*/, ""); sub(/^ +/, ""); extra = extra "~ " list " " $0 "\\n" } next }
    part == 1 { list = ""; next }
    /^[?!-] / { if ($1 == "?") print "~ offer " offer[$2]; if ($1 != "!" && !told++) printf "~ transaction\\n%s", extra; next }
    part == 2 { print }'
}`;

/** Prints the blocks, with lines `? - !` for what is not as wanted. */
export function packageStates(queries: readonly PackageQuery[]): Sh {
  const wants = queries.map(
    (q) =>
      `${encodeKey(q.key)} ${q.key} ${q.want ?? '-'} ${q.version ?? '-'} ${q.hold === true ? 'hold' : 'free'}`,
  );
  const fields = ['Package', 'Architecture', 'db:Status-Want', 'db:Status-Status', 'Version'];
  const [name, arch, ...rest] = fields.map((field) => `\${${field}}`);
  const format = `${name}:${arch} ${rest.join(' ')}\\n`;
  return sh`{ dpkg-query -W -f ${format} dpkg ${queries.map((q) => q.key)} 2>/dev/null || :; echo --; printf '%s\n' ${wants}; } | ${code(STATES)}`;
}

export const packageFact: Fact<PackageQuery, PackageState> = {
  fact: 'package',
  read: (queries) =>
    queries.some((q) => q.want !== undefined)
      ? lines(
          code(BASIS),
          code(OFFERS),
          sh`blocks=$(${packageStates(queries)})
${lines(...queries.map(staying))}
case $blocks in *'
? '*|*'
- '*)
  doaas_is=$(doaas_basis "$blocks")
  if [ -n "$doaas_is" ] && [ "$doaas_is" = "$doaas_known" ]; then echo "# same $doaas_is"; else doaas_offers "$blocks" "$doaas_is"; fi ;;
*'
! '*) printf '%s\n' "$blocks" | sed '/^! /d' ;; *) printf '%s\n' "$blocks" ;; esac`,
        )
      : packageStates(queries),
  parse: parsePackage,
};

/** Takes the line that asks for its removal away. */
function staying({ key, staysWith = [] }: PackageQuery): Sh {
  if (staysWith.length === 0) return sh`:`;
  const line = `- ${key}`;
  return sh`case $blocks in *${line}*) ! systemctl is-active --quiet ${staysWith} || blocks=$(printf '%s\n' "$blocks" | grep -vFx -- ${line}) ;; esac`;
}

function code(text: string): Sh {
  return { kind: 'sh', text };
}

function parsePackage(output: readonly string[], query: PackageQuery): PackageState {
  const [type, ...words] = (output[0] ?? '').split(' ');
  const told = { ...offerOf(output), ...transactionOf(output) };
  switch (type) {
    case 'absent':
      return { present: false, hold: false, ...told };
    case 'broken':
      return { present: false, hold: false, broken: words[0] ?? '', version: words[1] ?? '', ...told };
    case 'installed':
      return { present: true, version: words[0] ?? '', hold: words[1] === 'hold', ...told };
    default:
      throw new FactError(`${query.key}: the host answered a package state that is not understood`);
  }
}

function offerOf(output: readonly string[]): { readonly offer?: PackageOffer } {
  const line = output.find((l) => l.startsWith('~ offer '));
  if (line === undefined) return {};
  const told = line
    .slice('~ offer '.length)
    .split(' ', 3 + VERSIONS_MAX)
    .map(words);
  const [version = '-', uri = '-', suite = '-', ...versions] = told;
  return {
    offer: {
      ...(version === '-' ? {} : { version }),
      ...(uri === '-' ? {} : { origin: `${uri} ${suite}` }),
      versions,
    },
  };
}

function transactionOf(output: readonly string[]): { readonly transaction?: AptTransaction } {
  if (!output.includes('~ transaction')) return {};
  const names = (sort: string) => namesIn(output, sort);
  const problem = informational(output, 'problem');
  const age = informational(output, 'lists');
  return {
    transaction: {
      installs: names('installs'),
      upgrades: names('upgrades'),
      downgrades: names('downgrades'),
      removes: names('removes'),
      ...(problem === undefined ? {} : { problem: text(problem) }),
      ...(age === undefined ? {} : { listsAgeSeconds: Number(age) }),
    },
  };
}

function namesIn(output: readonly string[], sort: string): readonly string[] {
  const names: string[] = [];
  for (const line of output) {
    if (!line.startsWith(`~ ${sort} `)) continue;
    const told = line.slice(sort.length + 3).split(' ', NAMES_MAX + 1);
    if (names.length + told.length > NAMES_MAX)
      throw new FactError(`the host named more than ${NAMES_MAX} packages that its apt would change at once`);
    const named = told.filter((word) => word !== '');
    const wrong = named.find((word) => !isPackageName(word));
    if (wrong !== undefined)
      throw new FactError(`apt on the host named what is no package: ${wrong.slice(0, 80)}`);
    names.push(...named);
  }
  return names;
}
