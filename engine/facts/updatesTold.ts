import { FactError } from './fact.ts';

/** Things of one sort that are read; a host that lies could tell more. */
const LINES_MAX = 20_000;

/** Rest of each line `~ NAME ...`. */
export type Told = (name: string) => readonly string[];

export function collect(output: readonly string[]): Told {
  const byName = new Map<string, string[]>();
  for (const line of output) {
    const found = /^~ ([a-z-]+)(?: (.*))?$/.exec(line);
    if (found === null) continue;
    const [, name = '', rest = ''] = found;
    const all = byName.get(name) ?? [];
    if (all.length >= LINES_MAX)
      throw new FactError(`the host told more than ${LINES_MAX} things of one sort about its updates`);
    all.push(rest);
    byName.set(name, all);
  }
  return (name) => byName.get(name) ?? [];
}
