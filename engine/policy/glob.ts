/**
 * Whether a path matches a pattern: `*` and `?` within a folder's name, `**` for any number of folders. Paths come from
 * whoever opens a pull request, so this is no regular expression: it takes at most pattern times path steps.
 */
export function matchesGlob(pattern: string, path: string): boolean {
  return matchesSequence(pattern.split('/'), path.split('/'), '**', matchesSegment);
}

/** The same, where a `\` before `*`, `?` or another `\` lets these stand for themselves. */
export function matchesEscapedGlob(pattern: string, path: string): boolean {
  return matchesSequence(pattern.split('/'), path.split('/'), '**', (wanted, given) =>
    matchesCharacters(wanted.match(/\\?./gsu) ?? [], given),
  );
}

/** One name against one pattern without slashes. */
export function matchesSegment(pattern: string, name: string): boolean {
  return matchesCharacters([...pattern], name);
}

/** `\*` is a character, `*` any number of them. */
function matchesCharacters(pattern: readonly string[], name: string): boolean {
  const equal = (wanted: string, given: string) =>
    wanted === '?' || wanted === given || wanted === `\\${given}`;
  return matchesSequence(pattern, [...name], '*', equal);
}

/** The known two-pointer way: on a mismatch the last wild card takes one more. */
function matchesSequence(
  wanted: readonly string[],
  given: readonly string[],
  wild: string,
  equal: (wanted: string, given: string) => boolean,
): boolean {
  let w = 0;
  let g = 0;
  let afterWild = -1;
  let taken = 0;
  while (g < given.length) {
    const want = wanted[w];
    if (want === wild) {
      w += 1;
      afterWild = w;
      taken = g;
    } else if (want !== undefined && equal(want, given[g] ?? '')) {
      w += 1;
      g += 1;
    } else if (afterWild >= 0) {
      taken += 1;
      w = afterWild;
      g = taken;
    } else return false;
  }
  return wanted.slice(w).every((rest) => rest === wild);
}
