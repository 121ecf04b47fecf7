/**
 * Cuts markdown to at most `maxBytes` of UTF-8 at the end of a line, closes what is open (fence, details) and says
 * where the whole is. GitHub counts characters in some places and bytes in others; bytes hold both.
 */
export function cutMarkdown(text: string, maxBytes: number, note: string): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  let open: Open = { fence: undefined, details: 0 };
  let out = '';
  let bytes = 0;
  for (const line of text.split('\n')) {
    const next = after(open, line);
    const size = Buffer.byteLength(line) + 1;
    if (bytes + size + Buffer.byteLength(ending(next, note)) > maxBytes) break;
    out += `${line}\n`;
    bytes += size;
    open = next;
  }
  return `${out}${ending(open, note)}`;
}

/** Cuts plain text to `maxChars` characters, with an ellipsis. */
export function cutText(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

interface Open {
  readonly fence: string | undefined;
  readonly details: number;
}

/** Only `folded` begins a line so; within one, such as in a code span, it is text. */
function after(open: Open, line: string): Open {
  const ticks = /^ {0,3}(`{3,})/.exec(line)?.[1];
  if (open.fence !== undefined) {
    const closes = ticks !== undefined && ticks.length >= open.fence.length && line.trim() === ticks;
    return closes ? { ...open, fence: undefined } : open;
  }
  if (ticks !== undefined) return { ...open, fence: ticks };
  if (line.startsWith('<details>')) return { ...open, details: open.details + 1 };
  if (line === '</details>') return { ...open, details: Math.max(0, open.details - 1) };
  return open;
}

function ending(open: Open, note: string): string {
  const fence = open.fence === undefined ? '' : `${open.fence}\n`;
  return `${fence}${'\n</details>\n'.repeat(open.details)}\n*${note}*\n`;
}
