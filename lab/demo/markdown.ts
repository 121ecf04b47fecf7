/** The markdown of GitHub that the engine writes, for the terminal: aligned tables, coloured diffs, folds opened. */
import { padTo, type Style, widthOf, wrap } from './style.ts';

const INDENT = '  ';
const COLUMN_GAP = '  ';
/** A column is not wrapped to less than this, characters. */
const COLUMN_MIN = 12;

export interface MarkdownOptions {
  readonly style: Style;
  /** Characters of a line, where words and code allow it. */
  readonly width: number;
  /** How many folds are shown unfolded, from the first. Default: all. */
  readonly open?: number;
}

/** Lines without their ends. */
export function renderMarkdown(markdown: string, options: MarkdownOptions): string[] {
  const blocks = blocksOf(markdown.replaceAll(/<!--.*?-->\n?/g, '').split('\n'));
  const open = blocks.filter((block) => block.kind === 'fold').slice(0, options.open);
  return withoutDoubleBlanks(blocks.flatMap((block) => renderBlock(block, options, open.includes(block))));
}

interface Block {
  readonly kind: 'code' | 'table' | 'fold' | 'heading' | 'item' | 'text';
  readonly lines: readonly string[];
}

function blocksOf(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; ) {
    const block = blockAt(lines, at);
    blocks.push(block);
    at += block.lines.length;
  }
  return blocks;
}

function blockAt(lines: readonly string[], start: number): Block {
  const first = lines[start] ?? '';
  const upTo = (isLast: (line: string) => boolean): readonly string[] => {
    const last = lines.findIndex((line, i) => i > start && isLast(line));
    return lines.slice(start, last < 0 ? undefined : last + 1);
  };
  const fence = /^`{3,}/.exec(first)?.[0];
  if (fence !== undefined) return { kind: 'code', lines: upTo((line) => line === fence) };
  if (first.startsWith('<details>')) return { kind: 'fold', lines: upTo((line) => line === '</details>') };
  if (!first.startsWith('|')) return { kind: kindOf(first), lines: [first] };
  const end = lines.findIndex((line, i) => i > start && !line.startsWith('|'));
  return { kind: 'table', lines: lines.slice(start, end < 0 ? undefined : end) };
}

function kindOf(line: string): Block['kind'] {
  if (/^#+ /.test(line)) return 'heading';
  return line.startsWith('- ') ? 'item' : 'text';
}

function renderBlock(block: Block, options: MarkdownOptions, unfolded: boolean): string[] {
  const { style, width } = options;
  const [line = ''] = block.lines;
  switch (block.kind) {
    case 'code':
      return codeLines(block.lines, style);
    case 'table':
      return tableLines(block.lines, style, width);
    case 'fold':
      return foldLines(block.lines, options, unfolded);
    case 'heading':
      return wrap(eachWord(inline(line.replace(/^#+ /, ''), style), style.bold), width);
    case 'item':
      return wrap(inline(line.slice(2), style), width - 2).map((text, i) =>
        i === 0 ? `- ${text}` : `  ${text}`,
      );
    case 'text':
      return wrap(inline(line, style), width);
  }
}

function foldLines(lines: readonly string[], options: MarkdownOptions, unfolded: boolean): string[] {
  const [first = '', ...body] = lines;
  const title = inline(first.replace(/<\/?(details|summary)>/g, ''), options.style);
  if (!unfolded) return [options.style.bold(`▸ ${title}`)];
  const inner = renderMarkdown(body.slice(0, -1).join('\n'), {
    ...options,
    width: options.width - INDENT.length,
  });
  return [options.style.bold(`▾ ${title}`), '', ...inner.map((text) => (text === '' ? '' : INDENT + text))];
}

function codeLines(lines: readonly string[], style: Style): string[] {
  const isDiff = /^`+diff/.test(lines[0] ?? '');
  const body = lines.slice(1, -1);
  return body.map((line) => INDENT + (isDiff ? diffLine(line, style) : line));
}

export function diffLine(line: string, style: Style): string {
  if (line.startsWith('+')) return style.green(line);
  if (line.startsWith('-')) return style.red(line);
  return line.startsWith('@@') ? style.cyan(line) : line;
}

function tableLines(lines: readonly string[], style: Style, width: number): string[] {
  const [head = [], , ...rows] = lines.map((line) => cellsOf(line).map((cell) => inline(cell, style)));
  const widths = columnWidths([head, ...rows], width);
  const rule = widths.map((size) => '─'.repeat(size)).join(COLUMN_GAP);
  const titles = rowLines(
    head.map((title) => eachWord(title, style.bold)),
    widths,
  );
  return [...titles, style.dim(rule), ...rows.flatMap((row) => rowLines(row, widths))];
}

/** A pipe after a backslash belongs to its cell. */
function cellsOf(line: string): string[] {
  return line
    .replace(/^\|/, '')
    .replace(/\|\s*$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

function columnWidths(rows: readonly (readonly string[])[], width: number): number[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.flatMap((row) => (row[column] ?? '').split('\n').map(widthOf)), 1),
  );
  const gaps = COLUMN_GAP.length * (columns - 1);
  const over = widths.reduce((sum, size) => sum + size, gaps) - width;
  const widest = widths.indexOf(Math.max(...widths));
  return over <= 0 ? widths : widths.with(widest, Math.max(COLUMN_MIN, (widths[widest] ?? 0) - over));
}

function rowLines(cells: readonly string[], widths: readonly number[]): string[] {
  const parts = widths.map((width, i) => (cells[i] ?? '').split('\n').flatMap((line) => wrap(line, width)));
  const height = Math.max(...parts.map((part) => part.length));
  return Array.from({ length: height }, (_, line) =>
    parts
      .map((part, i) => padTo(part[line] ?? '', widths[i] ?? 0))
      .join(COLUMN_GAP)
      .trimEnd(),
  );
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };
const INLINE =
  /\\([\\`*_[\]|~!{}#+.)=-])|(`+) ?(.+?) ?\2(?!`)|\*\*((?:\\.|[^*])+)\*\*|\*((?:\\.|[^*])+)\*|\s*<br>\s*|<\/?code>|&(?:#(\d+)|(amp|lt|gt|quot));/g;

/** Text within a line; `<br>` becomes a line break, the zero-width spaces against links go. */
export function inline(text: string, style: Style): string {
  return text.replace(INLINE, (found, escaped, _ticks, code, bold, italic, number, entity) => {
    if (escaped !== undefined) return escaped;
    if (code !== undefined) return eachWord(code, style.cyan);
    if (bold !== undefined) return eachWord(inline(bold, style), style.bold);
    if (italic !== undefined) return eachWord(inline(italic, style), style.dim);
    if (number !== undefined)
      return Number(number) === ZERO_WIDTH_SPACE ? '' : String.fromCodePoint(Number(number));
    if (entity !== undefined) return ENTITIES[entity] ?? found;
    return found.includes('<br>') ? '\n' : '';
  });
}

const ZERO_WIDTH_SPACE = 8203;

/** So that a line can be broken between any two words. */
function eachWord(text: string, style: (word: string) => string): string {
  return text.split(' ').map(style).join(' ');
}

function withoutDoubleBlanks(lines: readonly string[]): string[] {
  return lines
    .filter((line, i) => line.trim() !== '' || (i > 0 && (lines[i - 1] ?? '').trim() !== ''))
    .map((line) => line.trimEnd());
}
