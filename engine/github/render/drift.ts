import { time } from './correction.ts';
import { code, fence, folded, oneLine, prose, table } from './escape.ts';
import type { CorrectionPlanView, DriftView, Rendered } from './views.ts';
import { count, names, short } from './words.ts';

/** Rows of the table; more are counted. */
const MAX_ROWS = 100;
/** Characters of a reason. */
const SENTENCE_MAX = 1_000;

/** The issue of one document whose servers are not as the default branch says. */
export function renderDrift({
  document,
  commit,
  branch,
  items,
  correction,
  ongoing,
  unopened = 0,
}: DriftView): Rendered {
  const hosts = [...new Set(items.map((item) => item.host))];
  const rows = items
    .slice(0, MAX_ROWS)
    .map((item) => [prose(item.host), prose(item.summary), time(item.firstSeenAt), by(item.traces)]);
  const more = items.length - rows.length;
  const blocks = [
    `${code(document)} at ${code(short(commit))} of ${code(branch)} says otherwise than ${count(hosts.length, 'server')}. ${ongoing === true ? 'What it wants has come up since.' : 'No pull request asked for it.'}`,
    ongoing === true
      ? table(
          ['server', 'outstanding', 'seen since'],
          rows.map((row) => row.slice(0, 3)),
        )
      : table(['server', 'difference', 'seen since', 'who, by the server’s logs'], rows),
    ...(more > 0 ? [`*${count(more, 'more difference')} not shown*`] : []),
    ...diffs(items),
    ...(correction === undefined ? [] : correctionBlocks(correction, ongoing === true)),
    ...(unopened === 0
      ? []
      : [`*Without an issue yet: ${count(unopened, 'more document')}. The next readings open them.*`]),
    ongoing === true ? ongoingWays(correction !== undefined) : WAYS,
  ];
  const what = ongoing === true ? 'Outstanding' : 'Drift';
  return { title: oneLine(`${what}: ${document} on ${names(hosts)}`), body: blocks.join('\n\n') };
}

const WAYS = [
  '**What to do**',
  '',
  '- To put the servers back: the next pull request that changes what they are to be applies these differences too, labelled *drift*. A comment in the YAML, or another name, is no such change. Or say `drift: { action: correct }` in the document: once that is merged, the next reading puts back what it may.',
  '- To keep what is on the servers: `/doaas adopt` opens a pull request that changes the YAML so that it says the same.',
  '',
  'This issue follows the servers: it is edited while they differ, and closed once they do not.',
].join('\n');

function ongoingWays(hasWindow: boolean): string {
  return [
    '**What to do**',
    '',
    '- To have it done now: the next pull request that changes what this document asks for does it; a comment in the YAML, or another window, is no such change.',
    ...(hasWindow ? [] : ['- To have it done by itself: declare a `window` in the document.']),
    '- To have it left: exclude or hold it in the document.',
    '',
    'This issue follows the servers: it is edited while something is outstanding, and closed once nothing is.',
  ].join('\n');
}

function correctionBlocks(
  { hosts, hindrance, left }: CorrectionPlanView,
  ongoing: boolean,
): readonly string[] {
  const done = ongoing ? 'done' : 'put back';
  const going =
    hosts.length === 0
      ? []
      : [
          `**Being ${done} by itself** on ${prose(names(hosts))}, as the document says. A comment below tells how it goes; \`/doaas cancel\` stops it.`,
        ];
  const not =
    hindrance === undefined ? [] : [`**Not ${done} by itself now:** ${prose(hindrance, SENTENCE_MAX)}.`];
  const rows = left
    .slice(0, MAX_ROWS)
    .map(({ host, summary, because }) => [prose(host), prose(summary), prose(because, SENTENCE_MAX)]);
  const alone =
    left.length === 0
      ? []
      : [
          `Left for a person:\n\n${table(['server', 'difference', `why it is not ${done} by itself`], rows)}`,
          ...(left.length > rows.length ? [`*${count(left.length - rows.length, 'more')} not shown*`] : []),
        ];
  return [...going, ...not, ...alone];
}

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
