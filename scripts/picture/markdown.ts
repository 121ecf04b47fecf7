/** The markdown that the engine writes, as HTML. What it holds of others' words the engine has escaped. */

/** `open`: whether folds are shown unfolded. */
export function toHtml(markdown: string, open = false): string {
  const lines = markdown.replaceAll(/<!--.*?-->\n?/g, '').split('\n');
  return blocksOf(lines)
    .map((block) => blockHtml(block, open))
    .join('\n');
}

interface Block {
  readonly kind: 'code' | 'table' | 'fold' | 'list' | 'heading' | 'text';
  readonly lines: readonly string[];
}

function blocksOf(lines: readonly string[]): readonly Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; ) {
    const block = blockAt(lines, at);
    if (block.lines.join('') !== '') blocks.push(block);
    at += block.lines.length;
  }
  return blocks;
}

function blockAt(lines: readonly string[], start: number): Block {
  const first = lines[start] ?? '';
  const whole = (isLast: (line: string) => boolean): readonly string[] => {
    const last = lines.findIndex((line, i) => i > start && isLast(line));
    return lines.slice(start, last < 0 ? undefined : last + 1);
  };
  const run = (isPart: (line: string) => boolean): readonly string[] => {
    const end = lines.findIndex((line, i) => i > start && !isPart(line));
    return lines.slice(start, end < 0 ? undefined : end);
  };
  const ticks = /^`{3,}/.exec(first)?.[0];
  if (ticks !== undefined) return { kind: 'code', lines: whole((line) => line === ticks) };
  if (first.startsWith('<details>')) return { kind: 'fold', lines: whole((line) => line === '</details>') };
  if (first.startsWith('|')) return { kind: 'table', lines: run((line) => line.startsWith('|')) };
  if (first.startsWith('- ')) return { kind: 'list', lines: run((line) => line.startsWith('- ')) };
  return { kind: first.startsWith('#') ? 'heading' : 'text', lines: [first] };
}

function blockHtml({ kind, lines }: Block, open: boolean): string {
  const [first = ''] = lines;
  switch (kind) {
    case 'code':
      return `<pre>${lines.slice(1, -1).map(codeLine).join('\n')}</pre>`;
    case 'table':
      return tableHtml(lines);
    case 'fold': {
      const summary = first.replace(/^<details>/, '');
      return `<details${open ? ' open' : ''}>${summary}${toHtml(lines.slice(1, -1).join('\n'), open)}</details>`;
    }
    case 'list':
      return `<ul>${lines.map((line) => `<li>${inline(line.slice(2))}</li>`).join('')}</ul>`;
    case 'heading':
      return `<h3>${inline(first.replace(/^#+ /, ''))}</h3>`;
    case 'text':
      return `<p>${inline(first)}</p>`;
  }
}

function codeLine(line: string): string {
  const kind = line.startsWith('@@') ? 'hunk' : ({ '+': 'new', '-': 'old' }[line.charAt(0)] ?? 'same');
  return `<span class="${kind}">${escaped(line)}</span>`;
}

function tableHtml(lines: readonly string[]): string {
  const [head = '', , ...rows] = lines;
  const row = (line: string, cell: string) =>
    `<tr>${cellsOf(line)
      .map((text) => `<${cell}>${inline(text)}</${cell}>`)
      .join('')}</tr>`;
  return `<table>${row(head, 'th')}${rows.map((line) => row(line, 'td')).join('')}</table>`;
}

/** A pipe after a backslash belongs to its cell. */
function cellsOf(line: string): readonly string[] {
  return line
    .slice(1, line.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

function inline(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) => (part.startsWith('`') ? `<code>${escaped(part.slice(1, -1))}</code>` : words(part)))
    .join('');
}

function words(text: string): string {
  return text
    .replace(/\\([\\`*_[\]|~!{}#+=.)-])/g, (_, char: string) => `&#${char.charCodeAt(0)};`)
    .replace(/\[([^\]]+)\]\(([^)]+)\)/g, '<a>$1</a>')
    .replace(/\*\*(.+?)\*\*/g, '<strong>$1</strong>')
    .replace(/\*(.+?)\*/g, '<em>$1</em>');
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
