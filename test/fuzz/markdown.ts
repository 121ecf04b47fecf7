import { hold } from './target.ts';

/** HTML that the engine writes itself. */
const OWN_TAGS = /<\/?(?:details|summary|code|br)>|<!-- doaas:[^>]*-->/g;

/**
 * Of Markdown that holds texts of strangers: outside of code there is no HTML but our own, nobody is mentioned, and
 * nothing becomes a link. What cannot be seen is nowhere.
 */
export function expectTame(markdown: string): void {
  hold(!/[\u202a-\u202e\u2066-\u2069\u200b\ufeff]/.test(markdown), 'something invisible stays invisible');
  hold(!/\p{Cs}/u.test(markdown), 'half a character is left');
  // a character that is given by its number, such as the break within a mention, is that character and no markup
  const text = withoutCode(markdown)
    .replace(OWN_TAGS, '')
    .replace(/&#\d+;/g, '\u2060');
  expectNone(text, /<[a-z!/?]/i, 'HTML');
  expectNone(text, /@\w/, 'a mention');
  expectNone(text, /:\/\/|\bwww\.\w/i, 'a link');
  expectNone(text, /#\d|\bGH-\d/i, 'a reference');
  expectNone(text, /(?<!\\)\]\(/, 'a link with a text');
}

function expectNone(text: string, pattern: RegExp, what: string): void {
  const found = pattern.exec(text);
  const near = found === null ? '' : text.slice(Math.max(0, found.index - 20), found.index + 30);
  hold(found === null, `${what} of a stranger's making: ${JSON.stringify(near)}`);
}

/** Without fenced blocks and code spans, as GitHub's Markdown (CommonMark 0.31, 4.5 and 6.1) finds them. */
function withoutCode(markdown: string): string {
  const out: string[] = [];
  let fence: string | undefined;
  for (const line of markdown.split('\n')) {
    const ticks = /^ {0,3}(`{3,})/.exec(line)?.[1];
    if (fence !== undefined) {
      if (ticks !== undefined && ticks.length >= fence.length && line.trim() === ticks) fence = undefined;
    } else if (ticks !== undefined && !line.slice(line.indexOf(ticks) + ticks.length).includes('`'))
      fence = ticks;
    else out.push(withoutSpans(line));
  }
  hold(fence === undefined, 'a block of code stays open');
  return out.join('\n');
}

function withoutSpans(line: string): string {
  let out = '';
  for (let at = 0; at < line.length; ) {
    const char = line[at] ?? '';
    if (char === '\\') {
      out += line.slice(at, at + 2);
      at += 2;
      continue;
    }
    const run = /^`+/.exec(line.slice(at, at + 256))?.[0] ?? '';
    const close = run === '' ? -1 : closing(line, at + run.length, run.length);
    if (close !== -1) at = close;
    else {
      out += run === '' ? char : run;
      at += Math.max(1, run.length);
    }
  }
  return out;
}

/** Behind the run of ticks that ends a span; -1 where none does. */
function closing(line: string, from: number, ticks: number): number {
  const runs = /`+/g;
  runs.lastIndex = from;
  for (let found = runs.exec(line); found !== null; found = runs.exec(line))
    if (found[0].length === ticks) return runs.lastIndex;
  return -1;
}
