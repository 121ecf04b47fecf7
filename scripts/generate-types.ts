/**
 * Writes engine/spec/types.generated.ts from schemas/. With `--check` it writes nothing and exits 1 when the file
 * is not what the schemas give.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { compileFromFile } from 'json-schema-to-typescript';

const root = new URL('../', import.meta.url);
const output = new URL('engine/spec/types.generated.ts', root);

const text = await compileFromFile(new URL('schemas/doaas.json', root).pathname, {
  cwd: new URL('schemas/', root).pathname,
  bannerComment: '/* Generated from schemas/ by `npm run schemas`: change the schemas, not this file. */',
  additionalProperties: false,
  enableConstEnums: false,
  ignoreMinAndMaxItems: true,
  style: { singleQuote: true, printWidth: 110 },
});

if (process.argv.includes('--check')) {
  const present = await readFile(output, 'utf8').catch(() => '');
  if (present !== text) {
    console.error('schemas changed: run npm run schemas, and commit engine/spec/types.generated.ts');
    process.exitCode = 1;
  }
} else {
  await writeFile(output, text);
}
