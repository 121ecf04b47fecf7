import { code, fence, folded, oneLine, prose, table } from './escape.ts';
import type { DriftView, Rendered } from './views.ts';
import { count, names, short } from './words.ts';

/** Rows of the table; more are counted. */
const MAX_ROWS = 100;

/** The issue of one document whose servers are not as the default branch says. */
export function renderDrift({ document, commit, branch, items }: DriftView): Rendered {
  const hosts = [...new Set(items.map((item) => item.host))];
  const rows = items
    .slice(0, MAX_ROWS)
    .map((item) => [prose(item.host), prose(item.summary), time(item.firstSeenAt), by(item.traces)]);
  const more = items.length - rows.length;
  const blocks = [
    `${code(document)} at ${code(short(commit))} of ${code(branch)} says otherwise than ${count(hosts.length, 'server')}. No pull request asked for it.`,
    table(['server', 'difference', 'seen since', 'who, by the server’s logs'], rows),
    ...(more > 0 ? [`*${count(more, 'more difference')} not shown*`] : []),
    ...diffs(items),
    WAYS,
  ];
  return { title: oneLine(`Drift: ${document} on ${names(hosts)}`), body: blocks.join('\n\n') };
}

const WAYS = [
  '**What to do**',
  '',
  '- To put the servers back: the next pull request that touches this document applies these differences too, labelled *drift*.',
  '- To keep what is on the servers: change the YAML in a pull request so that it says the same.',
  '',
  'This issue follows the servers: it is edited while they differ, and closed once they do not.',
].join('\n');

function diffs(items: DriftView['items']): readonly string[] {
  const shown = items.slice(0, MAX_ROWS).filter((item) => item.diff !== '');
  if (shown.length === 0) return [];
  const texts = shown.map(
    (item) => `${prose(item.host)}: ${prose(item.summary)}\n\n${fence(item.diff, 'diff')}`,
  );
  return [folded('What applying the branch would change', texts.join('\n\n'))];
}

function by(traces: readonly string[]): string {
  return traces.length === 0 ? 'not told' : traces.map((trace) => prose(trace)).join('<br>');
}

/** UTC, to the minute. */
function time(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('T', ' ').slice(0, 16).concat(' UTC');
}
