import type { OriginMatch, UpdatesQuery } from './updates.ts';

/** The patterns are extended regular expressions that mawk and JavaScript both have. */
export interface Selection {
  /** Only versions that an archive has whose release, `o=Debian,a=...,n=...,l=...`, matches; empty: every version. */
  readonly origin: string;
  /** Names that are left out; empty: none. */
  readonly exclude: string;
  /** What may ask about a changed configuration file is left out. */
  readonly leavesAsking: boolean;
  /** Services that are looked for. */
  readonly services: readonly string[];
}

/** In a release as apt-cache policy prints it: `v=12,o=Debian,a=stable-security,n=bookworm-security,l=Debian-Security,c=main,b=amd64`. */
const SECURITY = '(^|,)l=Debian-Security(,|$)|(^|,)[an]=[^,]*-security(,|$)';

export function selectionOf(query: UpdatesQuery): Selection {
  return {
    origin: query.updates === 'security' ? securityPattern(query.securityOrigins ?? []) : '',
    exclude: (query.exclude ?? []).map((glob) => `^${globPattern(glob)}$`).join('|'),
    leavesAsking: query.conffiles === 'ask',
    services: query.services ?? [],
  };
}

/** Extended regular expression over a release. */
function securityPattern(origins: readonly OriginMatch[]): string {
  return [SECURITY, ...origins.map(originPattern)].join('|');
}

const OWN_SECURITY = new RegExp(SECURITY);

/**
 * Whether an archive is one of security: Debian's and Ubuntu's own, or one that a document names. Field by field, in time that no release
 * makes long: the expression for apt takes as long as a host's owner likes.
 */
export function isSecurity(
  release: string,
  fields: Required<OriginMatch>,
  origins: readonly OriginMatch[],
): boolean {
  return OWN_SECURITY.test(release) || origins.some((match) => isNamed(match, fields));
}

/** Whether an archive is the one that a document names. */
export function isNamed(
  match: OriginMatch,
  { origin, label, suite, codename }: Required<OriginMatch>,
): boolean {
  return (
    (match.origin ?? origin) === origin &&
    (match.label ?? label) === label &&
    (match.suite ?? suite) === suite &&
    (match.codename ?? codename) === codename
  );
}

/** Of a release as apt-cache policy prints it. */
export function releaseFields(release: string): Required<OriginMatch> {
  // a value may hold a comma, so a field begins only at a letter and an equals sign
  const field = (letter: string) =>
    new RegExp(`(?:^|,)${letter}=(.*?)(?=,[a-z]=|$)`).exec(release)?.[1] ?? '';
  return { origin: field('o'), label: field('l'), suite: field('a'), codename: field('n') };
}

/** apt prints the fields in this order, so that one expression can ask for several. */
function originPattern(match: OriginMatch): string {
  const fields = [
    ['o', match.origin],
    ['a', match.suite],
    ['n', match.codename],
    ['l', match.label],
  ] as const;
  const wanted = fields.flatMap(([letter, value]) =>
    value === undefined ? [] : `${letter}=${escapePattern(value)}`,
  );
  if (wanted.length === 0) throw new Error('a security origin names at least one field');
  return `(^|,)${wanted.join(',(.*,)?')}(,|$)`;
}

function globPattern(glob: string): string {
  return [...glob].map((c) => (c === '*' ? '.*' : c === '?' ? '.' : escapePattern(c))).join('');
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}/]/g, '\\$&');
}
