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

/**
 * By turns what is no digit, by characters, and what is digits, as a number of any length; nothing counts as zero. Makes no copies:
 * a report compares hundreds of thousands.
 */
function comparePart(a: string, b: string): number {
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    while (isText(a, i) || isText(b, j)) {
      const order = rank(a, i) - rank(b, j);
      if (order !== 0) return order;
      i += 1;
      j += 1;
    }
    i = afterZeros(a, i);
    j = afterZeros(b, j);
    let order = 0;
    while (isDigit(a, i) && isDigit(b, j)) {
      order ||= a.charCodeAt(i) - b.charCodeAt(j);
      i += 1;
      j += 1;
    }
    // the number with more digits is the greater one
    if (isDigit(a, i)) return 1;
    if (isDigit(b, j)) return -1;
    if (order !== 0) return order;
  }
  return 0;
}

const [ZERO, NINE, TILDE] = [48, 57, 126];

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= ZERO && code <= NINE;
}

function isText(text: string, at: number): boolean {
  return at < text.length && !isDigit(text, at);
}

function afterZeros(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === ZERO) at += 1;
  return at;
}

/** Letters before all else, a tilde before everything, even the end of what is no digit. */
function rank(text: string, at: number): number {
  if (!isText(text, at)) return 0;
  const code = text.charCodeAt(at);
  if (code === TILDE) return -1;
  return isLetter(code) ? code : code + 256;
}

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}
