import { readFile } from 'node:fs/promises';

/** Of doaas, such as `0.1.0`. */
export async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
