import { createHash } from 'node:crypto';
import { lines, type Sh, sh } from '../shell/sh.ts';
import {
  encodeKey,
  type Fact,
  FactError,
  type FactQuery,
  type ItemKey,
  itemKey,
  type Reading,
  type Readings,
} from './fact.ts';

/** Facts by name, as in registry.ts. */
export type Facts = Readonly<Record<string, Fact<FactQuery, unknown>>>;

/** What every fact may use beside the shell itself; without one of them a reading would be wrong, not absent. */
const TOOLS = [
  'awk',
  'base64',
  'cut',
  'head',
  'id',
  'readlink',
  'sed',
  'sha256sum',
  'sort',
  'stat',
  'tail',
  'tr',
];

const HAS_TOOLS = sh`doaas_lack=
for doaas_t in ${TOOLS}; do command -v "$doaas_t" > /dev/null || doaas_lack="$doaas_lack $doaas_t"; done
[ -z "$doaas_lack" ] || { echo "the host lacks commands that are read with:$doaas_lack; install them (Debian has them in coreutils, mawk and sed)" >&2; exit 127; }`;

/** One script that reads everything; one round trip per host. `known`: basis of the answer that is remembered. */
export function readScript(facts: Facts, queries: readonly FactQuery[], known = ''): Sh {
  const parts = groupByFact(queries).flatMap(([name, group]) => [
    sh`echo ${`@ ${name}`}`,
    factNamed(facts, name).read(group),
  ]);
  return lines(HAS_TOOLS, sh`doaas_known=${known}`, ...parts, sh`echo '@ end'`);
}

/**
 * Parses what `readScript` printed. Throws FactError when anything asked for is missing, so that a cut connection
 * is never taken for an absent item.
 */
export function parseReadings(facts: Facts, queries: readonly FactQuery[], output: string): Readings {
  const blocks = splitBlocks(output);
  return new Map(queries.map((query) => readingOf(facts, query, blocks)).map((r) => [keyOf(r.query), r]));
}

/** sha256 of a raw state, the same bytes that the host hashes with `observe`. */
export function hashRaw(raw: string): string {
  return createHash('sha256').update(raw).digest('hex');
}

/** Prints the raw state of one item: the fact's lines without frame and informational lines. */
export function observe(facts: Facts, item: { readonly fact: string; readonly key: string }): Sh {
  return sh`{ ${factNamed(facts, item.fact).read([item])}
} | sed '/^[=~] /d'`;
}

function keyOf(query: FactQuery): ItemKey {
  return itemKey(query.fact, query.key);
}

function factNamed(facts: Facts, name: string): Fact<FactQuery, unknown> {
  const fact = Object.hasOwn(facts, name) ? facts[name] : undefined;
  if (fact === undefined)
    throw new Error(`no fact is named ${name}; register it in engine/facts/registry.ts`);
  return fact;
}

function groupByFact(queries: readonly FactQuery[]): readonly (readonly [string, readonly FactQuery[]])[] {
  const groups = new Map<string, FactQuery[]>();
  for (const query of queries) {
    const group = groups.get(query.fact);
    if (group === undefined) groups.set(query.fact, [query]);
    else group.push(query);
  }
  return [...groups];
}

/** Lines of one answer that are kept, for a host that lies: 32 MiB of short ones would not fit into the engine's memory. */
const LINES_MAX = 500_000;

function splitBlocks(output: string): ReadonlyMap<string, readonly string[]> {
  const blocks = new Map<string, string[]>();
  let fact = '';
  let block: string[] | undefined;
  let count = 0;
  for (const line of linesOf(output)) {
    if (line !== '' && ++count > LINES_MAX)
      throw new FactError(`the host answered more than ${LINES_MAX} lines, which no state of it needs`);
    if (line.startsWith('@ ')) {
      fact = line.slice(2);
      block = undefined;
    } else if (line.startsWith('= ')) {
      block = [];
      blocks.set(`${fact} ${line.slice(2)}`, block);
    } else if (line !== '') block?.push(line);
  }
  if (fact !== 'end')
    throw new FactError('the host did not answer to the end; the connection may have been cut');
  return blocks;
}

function* linesOf(text: string): Generator<string> {
  let from = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
    yield text.slice(from, at);
    from = at + 1;
  }
  yield text.slice(from);
}

function readingOf(facts: Facts, query: FactQuery, blocks: ReadonlyMap<string, readonly string[]>): Reading {
  const block = blocks.get(`${query.fact} ${encodeKey(query.key)}`);
  if (block === undefined) throw new FactError(`the host answered nothing for ${keyOf(query)}`);
  const raw = block
    .filter((line) => !line.startsWith('~ '))
    .map((line) => `${line}\n`)
    .join('');
  return { query, state: factNamed(facts, query.fact).parse(block, query), raw };
}
