import { cutText } from './cut.ts';

/**
 * Text from users and hosts, made safe for GitHub's markdown. Nothing of it can become a table cell, link, mention,
 * HTML, reference or fence, and nothing invisible stays invisible.
 */

/**
 * Controls, zero-width and bidirectional characters could show a reader something else than what is there
 * ("Trojan Source", Boucher and Anderson 2021). Tab and newline are kept.
 */
const INVISIBLE = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu;

export function visible(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(INVISIBLE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** On one line, with a bound. `limit` in characters. */
export function oneLine(text: string, limit = 300): string {
  const line = visible(text).replace(/\s+/g, ' ').trim();
  return cutText(line, limit);
}

/** A zero-width space parts what GitHub would link: mentions, references, URLs. */
const BREAK = '&#8203;';

/** As running text, also within a table cell. Reads as it was written. */
export function prose(text: string, limit?: number): string {
  return oneLine(text, limit)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/#(?=\d)/g, `#${BREAK}`)
    .replace(/[\\`*_[\]|~!{}]/g, '\\$&')
    .replace(/^([-+#=]|\d+[.)])/, (start) => `${start.slice(0, -1)}\\${start.slice(-1)}`)
    .replace(/@(?=\w)/g, `@${BREAK}`)
    .replace(/\b(GH)-(?=\d)/gi, `$1-${BREAK}`)
    .replace(/:\/\//g, `:${BREAK}//`)
    .replace(/\bwww\./gi, (www) => `${www.slice(0, -1)}${BREAK}.`);
}

/** A mention that is meant: `login` or `organisation/team` out of a policy, whose schema allows no other characters. */
export function mention(name: string): string {
  return /^[\w-]+(\/[\w-]+)?$/.test(name) ? `@${name}` : prose(name);
}

/** As a code span, for names: GitHub interprets nothing inside. Also within a table cell. */
export function code(text: string, limit = 120): string {
  const line = oneLine(text, limit);
  if (line === '') return '` `';
  // a backslash before a pipe would end the cell, whatever the ticks
  if (line.includes('|')) return `<code>${html(line)}</code>`;
  const ticks = '`'.repeat(longestRun(line, '`') + 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${ticks}${pad}${line}${pad}${ticks}`;
}

/** As a fenced block; the fence is longer than any run of backticks within. */
export function fence(text: string, language: 'diff' | 'text' = 'text'): string {
  const body = withoutEnd(visible(text));
  const ticks = '`'.repeat(Math.max(3, longestRun(body, '`') + 1));
  return `${ticks}${language}\n${body}\n${ticks}`;
}

/** Without its last newlines. A pattern would try each newline of a long run of them, wherever that is. */
function withoutEnd(text: string): string {
  let end = text.length;
  while (text[end - 1] === '\n') end -= 1;
  return text.slice(0, end);
}

/** A folded block; `summary` is markdown-free text. */
export function folded(summary: string, body: string): string {
  return `<details><summary>${html(summary)}</summary>\n\n${body}\n\n</details>`;
}

/** Within HTML tags, where markdown is not read but mentions are. */
function html(text: string): string {
  return oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/#(?=\d)/g, `#${BREAK}`)
    .replace(/[`*_[\]|~\\!]/g, (char) => `&#${char.charCodeAt(0)};`)
    .replace(/@(?=\w)/g, `@${BREAK}`)
    .replace(/\b(GH)-(?=\d)/gi, `$1-${BREAK}`)
    .replace(/:\/\//g, `:${BREAK}//`)
    .replace(/\bwww\./gi, (www) => `${www.slice(0, -1)}${BREAK}.`);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function longestRun(text: string, char: string): number {
  let longest = 0;
  let run = 0;
  for (const c of text) {
    run = c === char ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}
