import { renderMarkdown } from './markdown.ts';
import { padTo, type Style, wrap } from './style.ts';

/** Writes the story, line by line; effects end here. */
export interface Narrator {
  readonly style: Style;
  readonly chapter: (title: string) => void;
  /** A paragraph. */
  readonly say: (text: string) => void;
  /** One line of what is happening now, with the seconds since the chapter began. */
  readonly event: (text: string) => void;
  /** What somebody does. */
  readonly person: (name: string, deed: string) => void;
  /** A check that has ended. */
  readonly check: (name: string, good: boolean, title: string, seconds?: number) => void;
  readonly file: (path: string, text: string) => void;
  /** Markdown in a frame, as a card on GitHub. */
  readonly card: (heading: string, markdown: string) => void;
  readonly lines: (lines: readonly string[]) => void;
}

/** Columns of text; longer lines are hard to read. */
const WIDTH_MAX = 108;
const WIDTH_MIN = 60;
const CHECK_COLUMN = 15;

export interface Terminal {
  readonly write: (text: string) => unknown;
  readonly columns?: number | undefined;
}

export function createNarrator(terminal: Terminal, style: Style): Narrator {
  const width = Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, (terminal.columns ?? WIDTH_MAX) - 1));
  let chapterAt = Date.now();
  let blank = true;
  /** Two blank lines in a row are one. */
  const line = (text = ''): void => {
    if (!blank || text !== '') terminal.write(`${text}\n`);
    blank = text === '';
  };
  const seconds = (): string => style.dim(`${((Date.now() - chapterAt) / 1000).toFixed(1).padStart(6)} s`);
  return {
    style,
    chapter: (title) => {
      chapterAt = Date.now();
      line();
      line(style.bold(`── ${title} ${'─'.repeat(Math.max(2, width - title.length - 4))}`));
      line();
    },
    say: (text) => {
      for (const part of wrap(text, width)) line(part);
      line();
    },
    event: (text) => line(`${seconds()}  ${text}`),
    person: (name, deed) => line(`${seconds()}  ${style.cyan(name)} ${deed}`),
    check: (name, good, title, took) => {
      const mark = good ? style.green('✓') : style.red('✗');
      const time = took === undefined ? '' : style.dim(`  ${took.toFixed(1)} s`);
      line(`${seconds()}  ${mark} ${padTo(style.bold(name), CHECK_COLUMN)} ${title}${time}`);
    },
    file: (path, text) => {
      line(`    ${style.bold(path)}`);
      for (const part of text.trimEnd().split('\n')) line(`    ${style.dim('│')} ${part}`);
      line();
    },
    card: (heading, markdown) => {
      line();
      line(`    ${style.dim('╭──')} ${style.bold(heading)}`);
      for (const part of renderMarkdown(markdown, { style, width: width - 6, open: 1 }))
        line(`    ${style.dim('│')} ${part}`.trimEnd());
      line(`    ${style.dim('╰──')}`);
      line();
    },
    lines: (lines) => {
      for (const text of lines) line(text);
    },
  };
}
