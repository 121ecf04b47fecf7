import { HOSTILE } from './mutate.ts';
import type { Random } from './random.ts';

type Tree = { [key: string]: unknown } | unknown[];

const CHANGES_MAX = 4;
/** Deeper than any stack that reads it by recursion. */
const NESTED = '['.repeat(50_000) + ']'.repeat(50_000);
/** Stands for it until the rest is text; no recursion of ours could write it. */
const NESTED_MARK = 'nested here';
const LONG = 2_000_000;

/** Values of other types than expected, and of sizes that nobody expects. */
const VALUES: readonly ((random: Random) => unknown)[] = [
  () => null,
  () => true,
  (random) => random.pick([0, -1, 1.5, 2 ** 53, 1e308, -0, 2 ** 31]),
  (random) => random.pick(HOSTILE).toString('utf8'),
  () => '\ud800',
  () => '',
  () => [],
  () => ({}),
  () => ({ __proto__: null, toString: 'canary', constructor: 1 }),
  (random) => [random.int(10), { number: random.int(10) }],
];

/** Changes a few values of a JSON text; a text that is none is returned as it is. */
export function mutateJson(random: Random, text: string): string {
  const tree = parsed(text);
  if (tree === undefined) return text;
  for (let n = 1 + random.int(CHANGES_MAX); n > 0; n -= 1) change(random, tree);
  return JSON.stringify(tree).replaceAll(`"${NESTED_MARK}"`, NESTED);
}

function parsed(text: string): Tree | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Tree) : undefined;
  } catch {
    return undefined;
  }
}

/** The engine reads what lies near the root, so the walk ends early more often than not. */
function change(random: Random, tree: Tree): void {
  const keys = Object.keys(tree);
  const key = keys.length === 0 ? 'added' : random.pick(keys);
  const inner = (tree as Record<string, unknown>)[key];
  if (typeof inner === 'object' && inner !== null && random.chance(0.75)) change(random, inner as Tree);
  else if (random.chance(0.15)) delete (tree as Record<string, unknown>)[key];
  else (tree as Record<string, unknown>)[key] = changed(random, inner);
}

function changed(random: Random, value: unknown): unknown {
  if (random.chance(0.01)) return 'x'.repeat(LONG);
  if (random.chance(0.01)) return NESTED_MARK;
  if (typeof value === 'string' && random.chance(0.5)) {
    const at = random.int(value.length + 1);
    return value.slice(0, at) + random.pick(HOSTILE).toString('utf8') + value.slice(at);
  }
  return random.pick(VALUES)(random);
}
