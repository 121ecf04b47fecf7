/** Shorter values would be found in any text. Characters. */
const VALUE_MIN = 4;
/** The same for one line of a longer value, and for its encodings. */
const LINE_MIN = 8;
/** How much of a value is looked for where a text was cut. Characters. */
const CUT_MAX = 512;

/**
 * Replaces values, their lines, their usual encodings, and what is left of them where the text was cut (at its start, at
 * its end, before "..."). `known`: value to the name that is shown instead.
 */
export function maskOf(known: ReadonlyMap<string, string>): (text: string) => string {
  const forms = [...known]
    .flatMap(([value, name]) => formsOf(value).map((form) => ({ form, shown: `‹secret ${name}›` })))
    .sort((a, b) => b.form.length - a.form.length);
  return (text) => {
    const whole = forms.reduce((out, { form, shown }) => out.replaceAll(form, () => shown), text);
    return forms.reduce((out, { form, shown }) => withoutCuts(out, form, shown), whole);
  };
}

/** A host's journal is one line an event, so there a value's own line ends and tabs are blanks. */
function formsOf(value: string): readonly string[] {
  const lines = value.split('\n').filter((line) => line.length >= LINE_MIN);
  const whole = value.length >= VALUE_MIN ? [value] : [];
  const forms = [...whole, ...(lines.length > 1 ? lines : [])].flatMap((text) => [
    text,
    JSON.stringify(text).slice(1, -1),
    text.replace(/[\n\t]/g, ' '),
    encodeURIComponent(text),
    ...(text.length >= LINE_MIN ? encoded(text) : []),
  ]);
  return [...new Set(forms)];
}

/** Hex, and base64 at each of the three offsets within a longer text, without the characters that depend on that. */
function encoded(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].map((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
    const whole = padded.subarray(0, padded.length - (padded.length % 3));
    return whole.toString('base64').slice(offset === 0 ? 0 : 4);
  });
  return [bytes.toString('hex'), ...base64];
}

function withoutCuts(text: string, form: string, shown: string): string {
  const pieces = text.split('...').map((piece, n, all) => {
    const end = n < all.length - 1 || all.length === 1 ? cutAtEnd(piece, form) : 0;
    return end === 0 ? piece : `${piece.slice(0, -end)}${shown}`;
  });
  const joined = pieces.join('...');
  const start = cutAtStart(joined, form);
  return start === 0 ? joined : `${shown}${joined.slice(start)}`;
}

/** Characters at the end of the text that are the beginning of the form; 0 for too few to tell. */
function cutAtEnd(text: string, form: string): number {
  for (let length = Math.min(CUT_MAX, form.length - 1, text.length); length >= VALUE_MIN; length -= 1)
    if (text.endsWith(form.slice(0, length))) return length;
  return 0;
}

/** The same at the start, where the cut may have left half a character. */
function cutAtStart(text: string, form: string): number {
  const from = /^\uFFFD*/.exec(text)?.[0].length ?? 0;
  for (let length = Math.min(CUT_MAX, form.length - 1, text.length); length >= VALUE_MIN; length -= 1)
    if (text.startsWith(form.slice(-length), from)) return from + length;
  return 0;
}
