import { distance } from 'fastest-levenshtein';

/** Candidates looked at; above that a suggestion is not worth its time. */
const MAX_CANDIDATES = 1_000;
/** Characters of a name that is compared; the time grows with their square. */
const MAX_LENGTH = 100;

/** The candidate that the user probably meant: at most a third of its letters differ, or only its end is missing. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  let best: { readonly name: string; readonly distance: number } | undefined;
  let seen = 0;
  for (const candidate of candidates) {
    if (++seen > MAX_CANDIDATES) break;
    const bound = Math.max(2, Math.floor(Math.max(name.length, candidate.length) / 3));
    const cut = name.length > 1 && candidate.startsWith(name);
    if (!cut && Math.abs(name.length - candidate.length) > bound) continue;
    const found = cut ? 1 : distance(name.toLowerCase(), candidate.toLowerCase());
    if (found <= bound && found < candidate.length && (best === undefined || found < best.distance)) {
      best = { name: candidate, distance: found };
    }
  }
  return best?.name;
}

/** `; did you mean "packages"?`, or a full stop. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? '.' : `; did you mean ${JSON.stringify(nearest)}?`;
}
