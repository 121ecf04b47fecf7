import { FactError } from './fact.ts';

/**
 * An answer that is dear to get (apt's) is asked for again only when something that it depends on has changed. Before
 * its blocks the fact prints `# basis HASH`, a hash over all of that. Sent along with the next reading as
 * `$doaas_known`, the same hash makes the host print `# same HASH` instead of its blocks.
 */
export interface Remembered {
  readonly basis: string;
  /** The blocks of the one fact that gives a basis. */
  readonly blocks: string;
}

/** Longest answer that is remembered; a longer one is asked for again. Characters. */
const BLOCKS_MAX = 16_384;

const BASIS = /^# basis ([0-9a-f]{64})\n/m;
const SAME = /^# same ([0-9a-f]{64})\n/m;

/** What is worth remembering of a reading's output. */
export function learnt(output: string): Remembered | undefined {
  const found = BASIS.exec(output);
  if (found === null) return undefined;
  const [line, basis = ''] = found;
  const from = found.index + line.length;
  const end = output.indexOf('\n@ ', from - 1);
  if (end === -1 || end + 1 - from > BLOCKS_MAX) return undefined;
  return { basis, blocks: output.slice(from, end + 1) };
}

/** Output with the remembered blocks where the host said that they still hold. Throws FactError. */
export function completed(output: string, known: Remembered | undefined): string {
  const [line = '', basis] = SAME.exec(output) ?? [];
  if (line === '') return output;
  if (known === undefined || basis !== known.basis)
    throw new FactError('the host says that its answer is as before, but it was not told of that one');
  return output.replace(line, () => known.blocks);
}
