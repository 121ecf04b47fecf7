/**
 * The one way to build shell text. A plain string in a template is always quoted as one word; only another
 * `Sh` is inserted as code. A raw string can therefore not become a command by accident.
 *
 * Target: POSIX sh (dash), so no arrays, no `[[`, no `local`.
 */
export interface Sh {
  readonly kind: 'sh';
  readonly text: string;
}

export type ShValue = string | number | Sh | readonly string[];

/** Quotes one word for POSIX sh. Throws on NUL, which no argument vector can carry. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new Error('a shell word cannot contain a NUL byte');
  return /^[A-Za-z0-9_\-./:=@%+,]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Template tag: strings and numbers become one quoted word, arrays become several, `Sh` is inserted as is. */
export function sh(parts: TemplateStringsArray, ...values: readonly ShValue[]): Sh {
  const text = parts.raw.reduce(
    (out, part, i) => out + part + (i < values.length ? render(values[i]) : ''),
    '',
  );
  return { kind: 'sh', text };
}

/** Joins snippets as lines of one script. */
export function lines(...snippets: readonly Sh[]): Sh {
  return { kind: 'sh', text: snippets.map((s) => s.text).join('\n') };
}

/** An argument vector as one command. */
export function command(argv: readonly string[]): Sh {
  return { kind: 'sh', text: argv.map(quote).join(' ') };
}

function render(value: ShValue | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number') return quote(String(value));
  return 'kind' in value ? value.text : value.map(quote).join(' ');
}
