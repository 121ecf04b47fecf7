import type { Adopted, NotAdopted } from '../../adopt/draft.ts';
import { code, oneLine, prose, table } from './escape.ts';
import type { Rendered } from './views.ts';
import { count, names } from './words.ts';

/** Rows of a table; more are counted. */
const MAX_ROWS = 100;
const REASON_MAX = 1_000;

export interface AdoptView {
  readonly document: string;
  /** Number of the drift issue. */
  readonly issue: number;
  readonly asker: string;
  readonly adopted: readonly Adopted[];
  readonly cannot: readonly NotAdopted[];
  /** Hosts of the document that could not be read: what they are like is not known. */
  readonly unread: readonly string[];
  /** Hosts of the document that a run was to change. */
  readonly busy: readonly string[];
}

/** Title and description of the pull request that takes into the YAML what is on the servers. */
export function renderAdopt({ document, issue, asker, adopted, cannot, unread, busy }: AdoptView): Rendered {
  const hosts = [...new Set(adopted.flatMap((each) => each.hosts))];
  const others = [...new Set(adopted.flatMap((each) => each.others))];
  const blocks = [
    `${code(document)} is changed so that it says what is on ${prose(names(hosts))}, as #${issue} shows. ${prose(asker)} asked for it there.`,
    '**Read it as you would a stranger’s change:** what is on a server may have been put there by anybody who could.',
    ...(others.length === 0 ? [] : [warning(others)]),
    listed(['item', 'as it is on', 'changes also'], adopted.map(rowOf)),
    ...(cannot.length === 0
      ? []
      : [
          `**Cannot be adopted**\n\n${listed(
            ['item', 'on', 'because'],
            cannot.map(({ item, hosts: on, why }) => [code(item), prose(names(on)), prose(why, REASON_MAX)]),
          )}`,
        ]),
    ...(unread.length === 0
      ? []
      : [`Not read, so what they have is not known: ${prose(unread.join(', '), REASON_MAX)}.`]),
    ...(busy.length === 0
      ? []
      : [`Left out, as a run that had not ended was to change them: ${prose(busy.join(', '), REASON_MAX)}.`]),
    'The plan check shows what applying it changes: nothing on the servers that have it so already.',
  ];
  const title = oneLine(`Adopt what is on ${names(hosts)}: ${document}`, TITLE_MAX);
  return { title, body: blocks.join('\n\n') };
}

/** GitHub's bound of a title is 256 characters. */
const TITLE_MAX = 200;

function warning(others: readonly string[]): string {
  const them = others.length === 1 ? 'It has' : 'They have';
  return `**Applying this changes ${prose(names(others))} as well:** ${count(others.length, 'server')} of the same document. ${them} not drifted. To keep the difference, give the drifted servers a document of their own.`;
}

function rowOf({ item, hosts, others }: Adopted): readonly string[] {
  return [code(item), prose(names(hosts)), others.length === 0 ? '' : prose(names(others))];
}

function listed(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const more = rows.length - MAX_ROWS;
  return [
    table(head, rows.slice(0, MAX_ROWS)),
    ...(more > 0 ? [`*${count(more, 'more')} not shown*`] : []),
  ].join('\n\n');
}
