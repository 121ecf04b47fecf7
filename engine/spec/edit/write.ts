import type { YamlValue } from '../../kinds/adoption.ts';

/** Ways to write a value as YAML, the most readable first. Whether one is right is for a parser to say. */
export function scalarForms(text: string): readonly string[] {
  return [...(PLAIN.test(text) ? [text] : []), quoted(text)];
}

/** What needs no quotes anywhere and could be nothing but text; `yes`, `null` and the like are for the parser to object to. */
const PLAIN = /^[A-Za-z/][A-Za-z0-9_./-]*$/;

/**
 * In double quotes: nothing of the text ends them, begins a line or means anything else. JSON's escapes are YAML's (1.2, 5.7); what
 * YAML takes for a line break, or nobody can see, is escaped too.
 */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff0-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** On one line, as it may stand anywhere. */
export function flow(value: YamlValue): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(flow).join(', ')}]`;
  const entries = Object.entries(value).map(([key, inner]) => `${scalarForms(key)[0] ?? ''}: ${flow(inner)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/** Line by line below its key, whose column is `indent`; undefined where the text does not lend itself to it. */
export function literal(text: string, indent: number, lineEnd: string): string | undefined {
  if (!LITERAL.test(text) || /^[ \t\n]/.test(text) || /\n\n$/.test(text)) return undefined;
  const strip = text.endsWith('\n') ? '' : '-';
  const lines = text.replace(/\n$/, '').split('\n');
  const blanks = ' '.repeat(indent + 2);
  return [`|${strip}`, ...lines.map((line) => (line === '' ? '' : `${blanks}${line}`))].join(lineEnd);
}

/** Printable text, tabs and line feeds: nothing that a reader would not see. */
const LITERAL =
  /^(?:[\t\n\x20-\x7e\u00a1-\u00ac\u00ae-\u0600\u0700-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\ud7ff\ue000-\ufdcf\ufe10-\ufefe\uff00-\uffef]|[\u{10000}-\u{1fffd}])*$/u;

function isList(value: object): value is readonly YamlValue[] {
  return Array.isArray(value);
}
