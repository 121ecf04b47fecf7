/** One line of a benchmark's table. */
export interface Row {
  readonly what: string;
  readonly value: number | string;
  readonly unit?: string;
  /** The bar to hold, in words, such as `<= 50`. */
  readonly bar?: string;
}

/** What a benchmark gives back: its table, and the object that becomes the last line. */
export interface Result {
  readonly rows: readonly Row[];
  readonly json: Readonly<Record<string, unknown>>;
  /** Bars that were not held, in words. */
  readonly missed?: readonly string[];
}

/** Progress goes to stderr, so that stdout holds the table and the JSON only. */
export function progress(line: string): void {
  const at = new Date().toISOString().slice(11, 19);
  process.stderr.write(`${at} ${line}\n`);
}

export function print({ rows, json }: Result): void {
  const lines = rows.map(({ what, value, unit, bar }) => [
    what,
    `${value}${unit === undefined ? '' : ` ${unit}`}`,
    bar ?? '',
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  for (const line of lines) {
    process.stdout.write(
      `${line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
  process.stdout.write(`${JSON.stringify(json)}\n`);
}
