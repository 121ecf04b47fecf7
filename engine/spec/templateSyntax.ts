import { MAX_TEMPLATE_BLANKS } from './limits.ts';

/** Where in a template its syntax is wrong, as offsets (UTF-16 units from 0), and why. */
export interface SyntaxMistake {
  readonly start: number;
  readonly end: number;
  /** The end of a sentence, without its full stop. */
  readonly reason: string;
}

const TOO_MANY_BLANKS = new RegExp(`\\s{${MAX_TEMPLATE_BLANKS + 1}}`);

/** What Mustache's parser would take too long for. */
export function blanksMistake(text: string): SyntaxMistake | undefined {
  const start = TOO_MANY_BLANKS.exec(text)?.index;
  if (start === undefined) return undefined;
  const reason = `it has more than ${MAX_TEMPLATE_BLANKS} spaces and line ends in a row; take some out`;
  return { start, end: start, reason };
}

/** What Mustache's parser threw. Of what is never closed it names the end of the file; people look for where it was opened. */
export function syntaxMistake(error: unknown, text: string): SyntaxMistake {
  const said = error instanceof Error ? error.message : String(error);
  const at = / at (\d+)$/.exec(said);
  const stopped = at === null ? 0 : Number(at[1]);
  const reason = said.slice(0, at?.index ?? said.length);
  const section = /^Unclosed section "(.*)"$/s.exec(reason)?.[1];
  const opened = section === undefined ? undefined : openSection(text.slice(0, stopped), section);
  const start = reason === 'Unclosed tag' ? openTag(text) : (opened ?? stopped);
  return { start, end: lineEnd(text, start), reason: reason.charAt(0).toLowerCase() + reason.slice(1) };
}

/** Tags that the template renames are not looked for. */
function openTag(text: string): number {
  return tagsOf(text).find(({ end }) => end === undefined)?.start ?? text.length;
}

/** The innermost section of that name that is open at the end of the text. */
function openSection(text: string, name: string): number | undefined {
  const open: number[] = [];
  for (const { start, end } of tagsOf(text)) {
    const tag = text.slice(start + 2, end).trim();
    if (tag.slice(1).trim() !== name) continue;
    if (tag.startsWith('#') || tag.startsWith('^')) open.push(start);
    else if (tag.startsWith('/')) open.pop();
  }
  return open.at(-1);
}

interface Tag {
  readonly start: number;
  /** Where its closing braces begin; undefined: there are none. */
  readonly end: number | undefined;
}

function tagsOf(text: string): readonly Tag[] {
  const tags: Tag[] = [];
  for (let start = text.indexOf('{{'); start >= 0; ) {
    const braces = text.startsWith('{{{', start) ? '}}}' : '}}';
    const end = text.indexOf(braces, start);
    tags.push({ start, end: end < 0 ? undefined : end });
    start = end < 0 ? -1 : text.indexOf('{{', end + braces.length);
  }
  return tags;
}

function lineEnd(text: string, from: number): number {
  const end = text.slice(from).search(/[\r\n]/);
  return end < 0 ? text.length : from + end;
}
