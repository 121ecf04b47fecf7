import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';

/** What the standard's schema says against a SARIF log; empty where it is valid. */
export type SarifProblems = (log: unknown) => readonly string[];

/** Problems that are told of one log. */
const TOLD_MAX = 10;

let loading: Promise<SarifProblems> | undefined;

export function sarifProblems(): Promise<SarifProblems> {
  loading ??= load();
  return loading;
}

async function load(): Promise<SarifProblems> {
  const text = await readFile(new URL('./sarif-2.1.0-rtm.5.json', import.meta.url), 'utf8');
  // draft 4 names its own dialect and calls `$id` `id`; the rest of this schema means the same in draft 7
  const { $schema: _, id: __, ...schema } = JSON.parse(text) as Record<string, unknown>;
  const validate = new Ajv({
    strict: false,
    validateFormats: false,
    unicodeRegExp: false,
    allErrors: true,
  }).compile(schema);
  return (log) => {
    if (validate(log)) return [];
    return (validate.errors ?? [])
      .slice(0, TOLD_MAX)
      .map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
  };
}
