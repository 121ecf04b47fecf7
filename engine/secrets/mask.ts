import type { Mask } from '../spec/secrets.ts';
import { FORM_MAX, FORM_MIN, type Form, formsOf, hashForms, type Reading } from './forms.ts';
import { type View, viewOf } from './view.ts';

type Names = ReadonlyMap<string, string>;

interface Known extends Form {
  /** The value or hash that it is a form of. */
  readonly of: string;
  /** What stands in its place. */
  readonly shown: string;
}

/** Finds a form without a look at all the others. */
interface Index {
  readonly byText: ReadonlyMap<string, Known>;
  /** Lengths of those that begin with these `FORM_MIN` characters. */
  readonly lengths: ReadonlyMap<string, ReadonlySet<number>>;
  readonly sorted: readonly Known[];
  /** By their last `FORM_MIN` characters. */
  readonly byEnd: ReadonlyMap<string, readonly Known[]>;
}

/** Part of a text, from its first character to before its last. */
interface Range {
  readonly from: number;
  readonly to: number;
  readonly of: string;
  readonly shown: string;
}

type Indexes = readonly (readonly [Reading, Index])[];

/**
 * Replaces values, their lines, their usual encodings, however these are broken into lines, their hashes, and what is left
 * of all that where the text was cut (at its start, at its end, before "..."). `known`: value to the name that is shown
 * instead; `contents`: the same for sha256 (hex) of what values stand in. The work grows with the text, not with what is known.
 */
export function maskOf(known: Names, contents: Names = new Map()): Mask {
  const indexes = indexesOf(known, contents);
  return (text) => replaced(text, rangesIn(text, indexes));
}

/** The same, of those alone of which something stands in `said`. */
export function maskOfThoseIn(said: string, known: Names, contents: Names = new Map()): Mask {
  const standing = new Set(rangesIn(said, indexesOf(known, contents)).map((range) => range.of));
  const those = (names: Names): Names => new Map([...names].filter(([of]) => standing.has(of)));
  return maskOf(those(known), those(contents));
}

function indexesOf(known: Names, contents: Names): Indexes {
  const all = [
    ...[...known].flatMap(([value, name]) => named(formsOf(value), value, name)),
    ...[...contents].flatMap(([sha256, name]) => named(hashForms(sha256), sha256, name)),
  ];
  return [...grouped(all, ({ reading }) => reading)].map(([reading, forms]) => [reading, indexOf(forms)]);
}

function rangesIn(text: string, indexes: Indexes): readonly Range[] {
  return indexes.flatMap(([reading, index]) => found(text, reading, index));
}

function named(forms: readonly Form[], of: string, name: string): readonly Known[] {
  return forms.map((form) => ({ ...form, of, shown: `‹secret ${name}›` }));
}

function indexOf(forms: readonly Known[]): Index {
  const byText = new Map(forms.toReversed().map((form) => [form.text, form]));
  const once = [...byText.values()];
  const byStart = grouped(once, ({ text }) => text.slice(0, FORM_MIN));
  const lengths = [...byStart].map(
    ([start, group]) => [start, new Set(group.map(({ text }) => text.length))] as const,
  );
  return {
    byText,
    lengths: new Map(lengths),
    sorted: once.toSorted((a, b) => (a.text < b.text ? -1 : 1)),
    byEnd: grouped(once, ({ text }) => text.slice(-FORM_MIN)),
  };
}

function grouped<K>(forms: readonly Known[], keyOf: (form: Known) => K): ReadonlyMap<K, readonly Known[]> {
  const groups = new Map<K, Known[]>();
  for (const form of forms) {
    const group = groups.get(keyOf(form));
    if (group === undefined) groups.set(keyOf(form), [form]);
    else group.push(form);
  }
  return groups;
}

/** One that begins so. */
function beginning({ sorted }: Index, start: string): Known | undefined {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.text ?? '') < start) low = middle + 1;
    else high = middle;
  }
  const form = sorted[low];
  return form?.text.startsWith(start) ? form : undefined;
}

function found(text: string, reading: Reading, index: Index): readonly Range[] {
  const view = viewOf(text, reading);
  return [...inside(view, index), ...atStart(view, index)].map(({ from, to, of, shown }) => {
    const end = (view.at[to - 1] ?? 0) + 1;
    return { from: view.at[from] ?? 0, to: reading === 'dump' ? endOfDump(text, end) : end, of, shown };
  });
}

/** What a dump shows beside the bytes is said again there, in characters. */
function endOfDump(text: string, from: number): number {
  const rest = /^.{0,80}$/m.exec(text.slice(from, from + 81))?.[0] ?? '';
  return /^[0-9A-Fa-f \t]*[ \t]{2}\S.{0,17}$/.test(rest) ? from + rest.length : from;
}

/** Whole ones, and the beginnings of those that were cut. */
function inside({ chars, cuts }: View, index: Index): readonly Range[] {
  const ranges: Range[] = [];
  let next = 0;
  for (let from = 0; from + FORM_MIN <= chars.length; from += 1) {
    while ((cuts[next] ?? chars.length) < from + FORM_MIN) next += 1;
    const lengths = index.lengths.get(chars.slice(from, from + FORM_MIN));
    if (lengths === undefined) continue;
    for (const length of lengths) {
      const form = index.byText.get(chars.slice(from, from + length));
      if (form?.text.length === length) ranges.push(rangeOf(chars, from, from + length, form));
    }
    const cut = cuts[next] ?? chars.length;
    const form = cut - from < FORM_MAX ? beginning(index, chars.slice(from, cut)) : undefined;
    if (form !== undefined) ranges.push(rangeOf(chars, from, cut, { ...form, after: 0 }));
  }
  return ranges;
}

/** The ends of those that were cut, where the cut may have left half a character. */
function atStart({ chars }: View, { byEnd }: Index): readonly Range[] {
  const first = /^\uFFFD*/.exec(chars)?.[0].length ?? 0;
  const ranges: Range[] = [];
  for (let to = first + FORM_MIN; to <= Math.min(chars.length, first + FORM_MAX); to += 1)
    for (const form of byEnd.get(chars.slice(to - FORM_MIN, to)) ?? [])
      if (form.text.endsWith(chars.slice(first, to)))
        ranges.push({ ...rangeOf(chars, first, to, { ...form, before: 0 }), from: 0 });
  return ranges;
}

/** With the characters of base64 beside it that hold some bits of it, and what fills these up. */
function rangeOf(chars: string, from: number, to: number, { before, after, of, shown }: Known): Range {
  const begin = before === 1 && /[A-Za-z0-9+/]/.test(chars[from - 1] ?? '') ? from - 1 : from;
  const rest = after === 1 ? (/^[A-Za-z0-9+/]={0,2}/.exec(chars.slice(to, to + 3))?.[0].length ?? 0) : 0;
  return { from: begin, to: to + rest, of, shown };
}

/** Those that overlap are one, with the name of the longest. */
function replaced(text: string, ranges: readonly Range[]): string {
  const parts: string[] = [];
  let done = 0;
  let current: Range | undefined;
  let longest = 0;
  const close = (): void => {
    if (current === undefined) return;
    parts.push(text.slice(done, current.from), current.shown);
    done = current.to;
  };
  for (const range of ranges.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
    const length = range.to - range.from;
    if (current === undefined || range.from >= current.to) {
      close();
      current = range;
      longest = length;
      continue;
    }
    const shown: string = length > longest ? range.shown : current.shown;
    current = { from: current.from, to: Math.max(current.to, range.to), of: current.of, shown };
    longest = Math.max(longest, length);
  }
  close();
  return `${parts.join('')}${text.slice(done)}`;
}
