/**
 * Negative, zero or positive, as the first version is older than, the same as or newer than the second: the order of dpkg, as the
 * Debian policy manual defines it (5.6.12, "Version"). What is no version is compared by the same rules.
 */
export function compareDebianVersions(a: string, b: string): number {
  const [one, other] = [partsOf(a), partsOf(b)];
  return (
    one.epoch - other.epoch ||
    comparePart(one.upstream, other.upstream) ||
    comparePart(one.revision, other.revision)
  );
}

interface Parts {
  readonly epoch: number;
  readonly upstream: string;
  /** Empty is the same as `0`. */
  readonly revision: string;
}

function partsOf(version: string): Parts {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? 0 : Number.parseInt(version.slice(0, colon), 10) || 0,
    upstream: hyphen < 0 ? rest : rest.slice(0, hyphen),
    revision: hyphen < 0 ? '' : rest.slice(hyphen + 1),
  };
}

/** By turns what is no digit, by characters, and what is digits, as a number; nothing counts as zero. */
function comparePart(a: string, b: string): number {
  const [one, other] = [piecesOf(a), piecesOf(b)];
  for (let i = 0; i < Math.max(one.length, other.length); i++) {
    const [text = '', number = ''] = one[i] ?? [];
    const [otherText = '', otherNumber = ''] = other[i] ?? [];
    const order = compareText(text, otherText) || compareNumber(number, otherNumber);
    if (order !== 0) return order;
  }
  return 0;
}

function piecesOf(part: string): readonly (readonly [string, string])[] {
  return [...part.matchAll(/(\D*)(\d*)/g)].map(([, text = '', number = '']) => [text, number]);
}

function compareText(a: string, b: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = rank(a[i]) - rank(b[i]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Letters before all else, a tilde before everything, even the end of a part. */
function rank(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === '~') return -1;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}

/** Of any length. */
function compareNumber(a: string, b: string): number {
  const [one, other] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  if (one.length !== other.length) return one.length - other.length;
  return one < other ? -1 : one > other ? 1 : 0;
}
