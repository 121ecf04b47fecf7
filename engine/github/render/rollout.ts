import type { PlanRollout } from '../../plan/rollout.ts';
import type { Plan } from '../../plan/step.ts';
import { code, oneLine, prose, table } from './escape.ts';
import type { BatchView, Rendered, RolloutView, StoppedState, StoppedView } from './views.ts';
import { count, joined, names, seconds } from './words.ts';

/** Rows of a table of batches; more are counted. */
const BATCHES_SHOWN = 50;
/** Of these, rows above the batch in work. */
const BEFORE_WORK = 5;

/** Who is changed when, and why; nothing where all are changed at once. */
export function planRollout({ rollout, hosts }: Plan): string {
  if (rollout === undefined || rollout.stages.length < 2) return '';
  const servers = hosts.filter(({ steps }) => steps.length > 0).length;
  const { stages } = rollout;
  const proof = stages.some(({ verify }) => verify)
    ? '; each must pass its probes, and be as planned, before the next begins'
    : '; the second begins when the first is done';
  const rows = stages.map(({ hosts: batch, canary, wave, verify, pauseSeconds }, i) => [
    `${i + 1}${canary ? ', canary' : ''}`,
    ...(hasWaves(stages) ? [String(wave)] : []),
    hostCell(batch),
    [
      ...(verify || i === stages.length - 1 ? ['verify'] : []),
      ...(pauseSeconds > 0 ? [`wait ${seconds(pauseSeconds)}`] : []),
    ].join(', '),
  ]);
  return joined(
    `**Rollout:** ${count(stages.length, 'batch', 'batches')} over ${count(servers, 'server')}${proof}.`,
    tableOf(['batch', ...(hasWaves(stages) ? ['wave'] : []), 'servers', 'then'], rows),
    why(rollout),
  );
}

function hasWaves(batches: readonly { readonly wave: number }[]): boolean {
  return new Set(batches.map(({ wave }) => wave)).size > 1;
}

const UNREACHABLE = {
  fail: 'A server that cannot be reached fails.',
  skip: 'A server that cannot be reached is skipped.',
  wait: 'A server that cannot be reached is waited for.',
} as const;

function why({ rules, stages, documents }: PlanRollout): string {
  const first = stages.find(({ canary }) => canary);
  const canary = first === undefined ? '' : canaryText(first.hosts);
  const allowed =
    rules.failureBudget === 0
      ? 'No server may fail; the first failure'
      : `${count(rules.failureBudget, 'server')} may fail over the whole fleet, but no canary; the next failure`;
  const end =
    rules.onExceeded === 'rollback'
      ? 'stops the rollout and rolls back all that it touched.'
      : 'stops the rollout and holds it until somebody decides.';
  const from =
    documents.length === 0
      ? 'No document declares a rollout, so these are the defaults.'
      : `The strictest of what ${names(documents.map((ref) => prose(ref)))} and the defaults of the others say.`;
  return `Servers go by site, then by name${canary}. ${allowed} ${end} ${UNREACHABLE[rules.unreachable]} ${from}`;
}

function canaryText(hosts: readonly string[]): string {
  return hosts.length === 1
    ? `; ${prose(hosts[0] ?? '')} is the canary because it is the first of them`
    : `; ${names(hosts.map((host) => prose(host)))} are the canary because they are the first of them`;
}

function hostCell(hosts: readonly string[]): string {
  return names(hosts.map((host) => prose(host)));
}

/** `from`: the first row that is shown. Those above and below are counted. */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[], from = 0): string {
  const more = rows.length - BATCHES_SHOWN - from;
  return joined(
    from > 0 ? `*${count(from, 'earlier batch', 'earlier batches')}, done*` : '',
    table(head, rows.slice(from, from + BATCHES_SHOWN)),
    more > 0 ? `*${count(more, 'more batch', 'more batches')}*` : '',
  );
}

/** The batches as they are now, and the budget. */
export function rolloutProgress(view: RolloutView | undefined): string {
  if (view === undefined) return '';
  const waves = hasWaves(view.batches);
  const rows = view.batches.map((batch, i) => [
    `${i + 1}${batch.canary ? ', canary' : ''}`,
    ...(waves ? [String(batch.wave)] : []),
    hostCell(batch.hosts),
    batchState(batch),
  ]);
  const failed = view.failed.map(({ host, message }) => `- ${code(host)} failed: ${prose(message)}`);
  const skipped = view.skipped.map((host) => `- ${code(host)} was skipped: it could not be reached`);
  return joined(
    tableOf(['batch', ...(waves ? ['wave'] : []), 'servers', 'state'], rows, firstShown(view.batches)),
    `Failure budget: ${view.failed.length} of ${view.failureBudget} used.`,
    [...failed, ...skipped].join('\n'),
  );
}

/** So that the batch in work is among those that are shown; once all are done, the first. */
function firstShown(batches: readonly BatchView[]): number {
  const at = batches.findIndex(({ state }) => state !== 'done');
  return Math.max(0, Math.min(at - BEFORE_WORK, batches.length - BATCHES_SHOWN));
}

function batchState({ state, until, awaited = [], most }: BatchView): string {
  switch (state) {
    case 'waiting':
      return '· waiting';
    case 'changing':
      return '▶ running';
    case 'proving':
      return '▶ verifying';
    case 'pausing':
      return `✓ done; the next begins at ${clock(until)}`;
    case 'awaiting':
      return `waiting until ${names(awaited.map((host) => prose(host)))} can be reached${because(most)}`;
    case 'shut':
      return `waiting for the change window, which opens ${minute(until)}; ${code('/doaas cancel')} stops the run`;
    case 'done':
      return '✓ done';
  }
}

/** `2026-11-26 12:30 UTC` */
function minute(iso: string | undefined): string {
  return iso === undefined ? 'in more than a year' : `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

function because(most: number | undefined): string {
  return most === undefined ? '' : `: at most ${count(most, 'server')} may be unavailable`;
}

/** `12:30:05 UTC` */
function clock(iso: string | undefined): string {
  return iso === undefined ? 'once it is time' : `${iso.slice(11, 19)} UTC`;
}

/** The batch in work, for a title. */
export function batchInWork(view: RolloutView | undefined): string {
  const at = view?.batches.findIndex(({ state }) => state !== 'done') ?? -1;
  return view === undefined || at < 0 ? '' : `batch ${at + 1} of ${view.batches.length}, `;
}

/** Nothing happens until the change window opens. */
export function isShut(view: RolloutView | undefined): boolean {
  return view?.batches.some(({ state }) => state === 'shut') === true;
}

const STOPPED_WORDS: Readonly<Record<StoppedState, string>> = {
  done: '✓ changed as planned',
  part: '◐ changed in part',
  begun: '◐ begun; how far it came is not known',
  undone: '↶ put back',
  untouched: '· not changed',
};

const STOPPED_TITLES = {
  asking: 'Stopped',
  kept: 'Kept as it is',
  dead: 'Ended without cleaning up',
} as const satisfies Record<StoppedView['state'], string>;

const LEFT = {
  kept: 'What was done stays, and nothing was merged: these servers are not as the branch says.',
  dead: 'The servers are free, and not as the branch says: the next run on each of them first undoes what this one did there.',
} as const satisfies Record<Exclude<StoppedView['state'], 'asking'>, string>;

/** Of a dead run whose change the branch has all the same. */
function leftMerged({ revertPull }: NonNullable<StoppedView['merged']>): string {
  const left =
    'The servers are free. The change is merged, yet the next run on each of them first undoes what this one did there, and then they are not as the branch says.';
  return revertPull === undefined
    ? left
    : `${left} **Next:** merge pull request #${revertPull}, which reverts it.`;
}

function leftText(view: StoppedView, asks: string): string {
  if (view.state === 'asking') return asks;
  return view.merged === undefined ? LEFT[view.state] : leftMerged(view.merged);
}

export function renderStopped(view: StoppedView): Rendered {
  const done = view.hosts.filter(({ state }) => state === 'done').length;
  const of = `${done} of ${count(view.hosts.length, 'server')} changed`;
  const asks =
    view.until === undefined
      ? 'Nothing more is done until somebody decides.'
      : `Without an answer until ${view.until.slice(0, 10)} ${clock(view.until)} it is rolled back.`;
  return {
    title: oneLine(`${STOPPED_TITLES[view.state]}: ${of}`),
    body: joined(
      prose(view.reason, 1000),
      table(
        ['server', 'state'],
        view.hosts.map(({ host, state }) => [prose(host), STOPPED_WORDS[state]]),
      ),
      leftText(view, asks),
      view.state === 'dead' ? '' : 'The servers stay locked, so that no other run touches them.',
      `**How to go on**\n\n${view.ways.map((way) => `- ${code(way.command)} ${prose(way.effect)}`).join('\n')}`,
    ),
  };
}
