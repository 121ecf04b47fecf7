import type { Reading } from './forms.ts';

/** A text without what stands between the characters of an encoding. */
export interface View {
  readonly chars: string;
  /** Where each of them stands in the text. */
  readonly at: readonly number[];
  /** Characters in front of every place where the text may have been cut; ascending, the last is its end. */
  readonly cuts: readonly number[];
}

/** Ends of lines as they are, and as JSON and shells write them. */
const BETWEEN = String.raw`\s+|\\[nrt]`;

/** xxd, hexdump and od put an address in front of the bytes and the characters behind them. */
const ADDRESS = String.raw`^[ \t]{0,8}[0-9a-fA-F]{6,16}:?[ \t]+`;
const CHARACTERS = String.raw`[ \t]{2,40}\S.{0,17}$`;

const SKIPPED: Readonly<Record<Reading, RegExp | undefined>> = {
  plain: undefined,
  base64: new RegExp(BETWEEN, 'g'),
  hex: new RegExp(`${BETWEEN}|:|\\\\x`, 'g'),
  dump: new RegExp(`${ADDRESS}|${CHARACTERS}|${BETWEEN}`, 'gm'),
};

export function viewOf(text: string, reading: Reading): View {
  const { chars, at } = without(text, SKIPPED[reading]);
  return { chars: inOneAlphabet(chars, reading), at, cuts: cutsOf(text, at) };
}

function without(text: string, skipped: RegExp | undefined): Pick<View, 'chars' | 'at'> {
  const kept: string[] = [];
  const at: number[] = [];
  let from = 0;
  const keepUntil = (to: number): void => {
    kept.push(text.slice(from, to));
    for (let n = from; n < to; n += 1) at.push(n);
  };
  for (const gap of skipped === undefined ? [] : text.matchAll(skipped)) {
    keepUntil(gap.index);
    from = gap.index + gap[0].length;
  }
  keepUntil(text.length);
  return { chars: kept.join(''), at };
}

/** Of the same length. */
function inOneAlphabet(chars: string, reading: Reading): string {
  switch (reading) {
    case 'plain':
      return chars;
    case 'base64':
      return chars.replaceAll('-', '+').replaceAll('_', '/');
    case 'hex':
    case 'dump':
      return chars.replace(/[A-F]+/g, (digits) => digits.toLowerCase());
  }
}

function cutsOf(text: string, at: readonly number[]): readonly number[] {
  const cuts: number[] = [];
  let count = 0;
  for (const { index } of text.matchAll(/\.\.\./g)) {
    while (count < at.length && (at[count] ?? 0) < index) count += 1;
    cuts.push(count);
  }
  return [...cuts, at.length];
}
