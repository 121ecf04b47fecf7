import type { AptSource, OriginMatch, UpdatesState } from '../../facts/updates.ts';

/** Lists that are older than this know too little: apt-daily.timer reads them once a day. Seconds. */
export const LISTS_AGE_MAX_SECONDS = 2 * 24 * 3600;

/** Between the first and the last archive of one reading, on a slow line. Seconds. */
const READING_SECONDS = 3600;

/** An archive whose newer updates are not known. */
export interface StaleArchive extends Pick<AptSource, 'uri' | 'suite' | 'security'> {
  /** `never`: apt has nothing of it. `silent`: it has not answered for `seconds`. `expired`: what it answers is not valid since then. */
  readonly why: 'never' | 'silent' | 'expired';
  readonly seconds?: number;
}

/** Those that alone are not read, of security first; none where the host reads nothing at all, or never has, which is said of all of them together. */
export function staleArchives({ sources = [], listsAgeSeconds }: UpdatesState): readonly StaleArchive[] {
  if (listsAgeSeconds === undefined) return [];
  const newest = Math.min(...sources.map(({ ageSeconds }) => ageSeconds ?? Number.POSITIVE_INFINITY));
  const stale = sources.flatMap((source) => staleArchive(source, newest));
  return stale.toSorted((a, b) => Number(b.security) - Number(a.security));
}

function staleArchive(source: AptSource, newestSeconds: number): readonly StaleArchive[] {
  const { uri, suite, security, read, ageSeconds: age = 0, expiredSeconds: expired } = source;
  const told = { uri, suite, security };
  if (!read) return [{ ...told, why: 'never' }];
  if (age > LISTS_AGE_MAX_SECONDS && age > newestSeconds + READING_SECONDS)
    return [{ ...told, why: 'silent', seconds: age }];
  return expired === undefined ? [] : [{ ...told, why: 'expired', seconds: expired }];
}

/** `http://deb.example.org/ bookworm-security of security updates, which last answered 12 days ago` */
export function staleText({ uri, suite, security, why, seconds = 0 }: StaleArchive): string {
  const name = `${uri} ${suite}${security ? ' of security updates' : ''}`;
  switch (why) {
    case 'never':
      return `${name}, which apt has never read`;
    case 'silent':
      return `${name}, which last answered ${age(seconds)} ago`;
    default:
      return `${name}, whose Release file has not been valid for ${age(seconds)}`;
  }
}

/** In whole days where hours say little. */
function age(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  return days >= 2 ? `${days} days` : `${Math.ceil(seconds / 3600)} h`;
}

/** apt reads archives here, and none of them is one of security updates; where it reads nothing, that is not known. */
export function hasNoSecurity({ sources }: UpdatesState): boolean {
  if (sources === undefined || sources.some(({ read, security }) => read && security)) return false;
  return sources.length === 0 || sources.some(({ read }) => read);
}

/** What a document takes for archives of security updates, and none here is; nothing where apt reads nothing. */
export function unmatchedOrigins({ sources = [], unmatchedOrigins: all = [] }: UpdatesState) {
  return sources.some(({ read }) => read) ? all : [];
}

/** `origin Acme, label Fixes` */
export function originText({ origin, label, suite, codename }: OriginMatch): string {
  return Object.entries({ origin, label, suite, codename })
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]))
    .join(', ');
}
