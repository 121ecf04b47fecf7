/** What the order of hosts in a rollout depends on. */
export interface Placed {
  readonly name: string;
  readonly site: string;
}

/** By site, then by name; numbers in names count by their value, so `web-9` comes before `web-10`. A total order. */
export function hostOrder(a: Placed, b: Placed): number {
  return (
    compareNatural(a.site, b.site) ||
    compareNatural(a.name, b.name) ||
    compare(a.site, b.site) ||
    compare(a.name, b.name)
  );
}

function compareNatural(a: string, b: string): number {
  const left = parts(a);
  const right = parts(b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = comparePart(left[i] ?? '', right[i] ?? '');
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Text and runs of digits in turns. */
function parts(text: string): readonly string[] {
  return text.match(/[0-9]+|[^0-9]+/g) ?? [];
}

function comparePart(a: string, b: string): number {
  if (!isNumber(a) || !isNumber(b)) return compare(a, b);
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return x.length - y.length || compare(x, y);
}

function isNumber(part: string): boolean {
  return /^[0-9]/.test(part);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
