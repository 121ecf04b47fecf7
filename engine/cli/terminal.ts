/** Where a command writes; `process` has this shape. */
export interface Io {
  readonly stdout: { readonly write: (text: string) => unknown; readonly isTTY?: boolean };
  readonly stderr: { readonly write: (text: string) => unknown };
}

/** Exit status of every command. */
export const EXIT = {
  done: 0,
  failed: 1,
  /** Wrong arguments: nothing was tried. */
  usage: 2,
  /** `plan` only: there is something to change. */
  changes: 3,
} as const;

/** A failure that a sentence explains; shown without a stack trace. */
export class CliError extends Error {
  readonly type = 'cli';
  readonly exit: number;
  constructor(message: string, exit: number = EXIT.failed) {
    super(message);
    this.exit = exit;
  }
}

/** Names, values and what hosts answer are not ours: what moves the cursor, turns the direction or shows nothing must not reach the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu, '\u{fffd}');
}

/** The same for text of several lines, such as a diff. */
export function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replaceAll('\t', '    '))
    .map(printable)
    .join('\n');
}

export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** SGR parameters (ECMA-48, 8.3.117). */
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

export type Paint = (style: keyof typeof CODES, text: string) => string;

/** Colours on a terminal only, and not where NO_COLOR (no-color.org) is set. */
export function painter(io: Io, env: NodeJS.ProcessEnv = process.env): Paint {
  const coloured = io.stdout.isTTY === true && !env.NO_COLOR;
  return (style, text) => (coloured && text !== '' ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text);
}

/** Columns of equal width, two spaces apart; without trailing spaces. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
