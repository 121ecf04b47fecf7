import { readFile } from 'node:fs/promises';
import { inRepository } from './passOn.ts';

/** How `npm start` runs the engine. */
export interface NpmStart {
  /** Set beside the settings. */
  readonly environment: Readonly<Record<string, string>>;
  /** Arguments of node before the program. */
  readonly flags: readonly string[];
  /** Absolute path. */
  readonly program: string;
}

/** As package.json says it, which alone does: `NAME=VALUE ... node --flag ... PROGRAM`. */
export async function npmStart(): Promise<NpmStart> {
  const { scripts } = JSON.parse(await readFile(inRepository('package.json'), 'utf8')) as {
    readonly scripts: { readonly start: string };
  };
  const words = scripts.start.split(' ');
  const node = words.indexOf('node');
  const settings = words.slice(0, node).map((word) => word.split('=') as [string, string]);
  return {
    environment: Object.fromEntries(settings),
    flags: words.slice(node + 1, -1),
    program: inRepository(words.at(-1) ?? ''),
  };
}
