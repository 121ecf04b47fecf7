import { code, fence, folded, oneLine, prose, table } from './escape.ts';
import { findingsList, planLine } from './plan.ts';
import { DONE_HEADING, LEFT_HEADING, LEFT_IN_TITLE, remarksList } from './remarks.ts';
import { batchInWork, isShut, rolloutProgress } from './rollout.ts';
import type {
  ApplyView,
  HeldView,
  HostProgress,
  HostRollback,
  MergedAs,
  ProbeProgress,
  Rendered,
  RollbackView,
  StepFailure,
  StepState,
  VerifyView,
} from './views.ts';
import { count, joined, names, seconds, short } from './words.ts';

/** Lines of a failed step's output that are shown; the whole is in the store. */
const OUTPUT_LINES = 40;
/** Items named per server; the command line lists all. */
const REMAINING_SHOWN = 20;

const MARKS: Readonly<Record<StepState | 'passed', string>> = {
  waiting: '·',
  running: '▶',
  done: '✓',
  passed: '✓',
  failed: '✗',
  undone: '↶',
};

export function renderApply(view: ApplyView): Rendered {
  const rows = view.hosts.map((host) => [
    prose(host.host),
    hostState(host),
    current(host),
    seconds(hostSeconds(host)),
  ]);
  const steps = view.hosts.map((host) =>
    folded(`${host.host}: ${hostState(host)}`, host.steps.map(stepLine).join('\n')),
  );
  return {
    title: applyTitle(view),
    body: joined(
      failure(view.failure),
      mergedText(view.merged),
      leftOutText(view.leftOut),
      remarksList(LEFT_HEADING, view.left ?? []),
      remarksList(DONE_HEADING, view.remarks ?? []),
      rolloutProgress(view.rollout),
      table(['server', 'steps', 'now', 'time'], rows),
      ...steps,
      planLine(view.name),
    ),
  };
}

function applyTitle(view: ApplyView): string {
  const all = view.hosts.flatMap((host) => host.steps);
  const done = all.filter((step) => step.state === 'done').length;
  const changes = all.filter((step) => step.state === 'done' && step.follows !== true).length;
  const where = `on ${count(view.hosts.length, 'server')}`;
  switch (view.state) {
    case 'running':
      return `${isShut(view.rollout) ? 'Waiting for the change window' : 'Applying'}: ${batchInWork(view.rollout)}${done} of ${count(all.length, 'step')} done ${where}`;
    case 'applied':
      return `Applied ${count(changes, 'change')} ${where} in ${seconds(view.seconds)}${mergedTitle(view.merged)}${leftOutTitle(view.leftOut)}${leftTitle(view.left)}`;
    case 'failed':
      return failedTitle(view.failure, `Failed after ${done} of ${count(all.length, 'step')} ${where}`);
  }
}

function leftOutTitle(leftOut: ApplyView['leftOut']): string {
  return leftOut === undefined ? '' : `; without ${names(leftOut.map(({ host }) => host))}`;
}

function leftTitle(left: ApplyView['left'] = []): string {
  return left.length === 0 ? '' : LEFT_IN_TITLE;
}

function leftOutText(leftOut: ApplyView['leftOut']): string {
  if (leftOut === undefined) return '';
  const lines = leftOut.map(({ host, message }) => `- ${code(host)}: ${prose(message)}`);
  return `**These servers are not as the branch says.** What this run had changed there was put back:\n\n${lines.join('\n')}`;
}

function mergedTitle(merged: MergedAs | undefined): string {
  if (merged === undefined) return '';
  const but = merged.differs ? ', but the merged tree is not the planned one' : '';
  return `; merged as ${short(merged.sha)}${but}`;
}

function mergedText(merged: MergedAs | undefined): string {
  if (merged === undefined) return '';
  const text = `Merged as ${prose(merged.sha)}.`;
  if (!merged.differs) return `${text} The branch says what the servers are.`;
  return joined(
    text,
    '**The merged tree is not the planned one:** the base branch moved in the moment of the merge. The servers are as this plan says; what came with the other commits was not applied by this run. Look at that difference, and bring it to the servers by a pull request of its own.',
  );
}

function failedTitle(failed: StepFailure | undefined, otherwise: string): string {
  return failed === undefined ? otherwise : oneLine(`${failed.what} failed on ${failed.host}`);
}

function hostState(host: HostProgress): string {
  const done = host.steps.filter((step) => step.state === 'done').length;
  const undone = host.steps.filter((step) => step.state === 'undone').length;
  const failed = host.steps.some((step) => step.state === 'failed');
  if (undone > 0) return `${undone} undone`;
  return `${done} of ${host.steps.length}${failed ? ', failed' : ''}`;
}

function current(host: HostProgress): string {
  const step = host.steps.find((s) => s.state === 'failed') ?? host.steps.find((s) => s.state === 'running');
  if (step !== undefined) return `${MARKS[step.state]} ${prose(step.summary)}`;
  return host.steps.every((s) => s.state === 'done') ? `${MARKS.done} done` : 'waiting';
}

function hostSeconds(host: HostProgress): number | undefined {
  const times = host.steps.flatMap((step) => (step.seconds === undefined ? [] : [step.seconds]));
  return times.length === 0 ? undefined : times.reduce((sum, time) => sum + time, 0);
}

function stepLine(step: HostProgress['steps'][number]): string {
  const time = step.seconds === undefined ? '' : ` (${seconds(step.seconds)})`;
  return `- ${MARKS[step.state]} ${step.state}: ${prose(step.summary)}${time}`;
}

function failure(failed: StepFailure | undefined): string {
  if (failed === undefined) return '';
  const output = failed.output.trimEnd();
  const lines = output.split('\n');
  const more = lines.length > OUTPUT_LINES ? `(${lines.length - OUTPUT_LINES} lines before)\n` : '';
  return joined(
    `${code(failed.what)} failed on ${code(failed.host)}: ${prose(failed.message)}`,
    output === '' ? '' : fence(`${more}${lines.slice(-OUTPUT_LINES).join('\n')}`),
  );
}

export function renderVerify(view: VerifyView): Rendered {
  const rows = view.probes.map((p) => [prose(p.host), code(p.probe), probeState(p), seconds(p.seconds)]);
  return {
    title: verifyTitle(view),
    body: joined(
      rows.length === 0 ? 'No probes are declared.' : table(['server', 'probe', 'result', 'time'], rows),
      remaining(view),
      findingsList(view.readBack ?? [], 'Read back'),
    ),
  };
}

function verifyTitle(view: VerifyView): string {
  const passed = view.probes.filter((probe) => probe.state === 'passed').length;
  const of = `${passed} of ${count(view.probes.length, 'probe')} passed`;
  const bad = view.probes.find((probe) => probe.state === 'failed');
  if (view.state === 'running') return `Verifying: ${of}`;
  if (view.since === 'rolled-back') return 'Verified, and rolled back since';
  if (view.since === 'stopped') return 'Verified as far as the run came';
  if (view.state === 'verified')
    return view.probes.length === 0 ? 'Verified: nothing left to change' : `Verified: ${of}`;
  return oneLine(
    bad === undefined
      ? `Not verified: ${count(view.remaining.length, 'change')} left`
      : `Probe ${bad.probe} failed on ${bad.host}`,
  );
}

function probeState(probe: ProbeProgress): string {
  const detail = probe.detail === undefined || probe.detail === '' ? '' : `: ${prose(probe.detail)}`;
  return `${MARKS[probe.state]} ${probe.state}${detail}`;
}

function remaining(view: VerifyView): string {
  if (view.state === 'running') return '';
  if (view.since === 'rolled-back')
    return 'This was so before the servers were put back: `doaas/apply` says why.';
  if (view.since === 'stopped')
    return 'This was so of what the run had changed when it stopped: `doaas/apply` says what became of it.';
  if (view.remaining.length === 0) return 'Planning again finds nothing left to change.';
  const lines = view.remaining.slice(0, REMAINING_SHOWN).map((r) => `- ${code(r.host)}: ${prose(r.summary)}`);
  return `Planning again would still change:\n\n${lines.join('\n')}`;
}

export function renderRollback(view: RollbackView): Rendered {
  return {
    title: rollbackTitle(view),
    body: joined(causeText(view.cause), hostTable(view.hosts), remarks(view.hosts), rolledBackNext(view)),
  };
}

function rolledBackNext({ state, revertPull }: RollbackView): string {
  if (state === 'running') return '';
  if (typeof revertPull === 'object')
    return `It is merged, so the branch says what the servers are not, and its revert could not be opened: ${sentence(revertPull.refused)} **Next:** take it back by hand, or bring it in anew.`;
  if (revertPull !== undefined)
    return `It is merged, so the branch says what the servers are not. **Next:** merge pull request #${revertPull}, which reverts it.`;
  return 'Nothing was merged. **Next:** push what mends it, and it is planned anew; or `/doaas apply` to try the same once more.';
}

function sentence(reason: string): string {
  return /[.!?]$/.test(reason) ? prose(reason) : `${prose(reason)}.`;
}

function causeText(cause: RollbackView['cause']): string {
  return 'reason' in cause ? sentence(cause.reason) : failure(cause);
}

/** A reason in a title keeps this many characters, so that what became of the servers stays readable. */
const REASON_MAX = 120;

function causeTitle(cause: RollbackView['cause']): string {
  if ('reason' in cause) return `${oneLine(cause.reason, REASON_MAX)}; `;
  return `${cause.what} failed on ${cause.host}; `;
}

function rollbackTitle(view: RollbackView): string {
  const why = causeTitle(view.cause);
  const restored = view.hosts.filter((host) => host.state === 'restored').length;
  const touched = view.hosts.filter((host) => host.state !== 'untouched').length;
  switch (view.state) {
    case 'running':
      return oneLine(`${why}rolling back ${count(touched, 'server')}`);
    case 'rolled-back':
      return oneLine(`${why}${count(restored, 'server')} restored as before`);
  }
}

const ROLLBACK_WORDS: Readonly<Record<HostRollback['state'], string>> = {
  waiting: '· waiting',
  running: '▶ rolling back',
  restored: '✓ restored; every item this run touched was compared with its state before',
  untouched: '✓ untouched; nothing had been done there',
  'not-restored': '✗ **not restored**',
};

function hostTable(hosts: readonly HostRollback[]): string {
  return table(
    ['server', 'state'],
    hosts.map((host) => [prose(host.host), ROLLBACK_WORDS[host.state]]),
  );
}

function left(hosts: readonly HostRollback[]): string {
  const parts = hosts.flatMap((host) => {
    if (host.remaining.length === 0) return [];
    const shown = host.remaining.slice(0, REMAINING_SHOWN).map((item) => `- ${prose(item)}`);
    const more = host.remaining.length - shown.length;
    return [
      [`**What remains on ${code(host.host)}**`, '', ...shown, ...(more > 0 ? [`- ${more} more`] : [])].join(
        '\n',
      ),
    ];
  });
  return parts.join('\n\n');
}

function remarks(hosts: readonly HostRollback[]): string {
  const lines = hosts.flatMap((host) =>
    (host.remarks ?? []).map((remark) => `- ${code(host.host)}: ${prose(remark)}`),
  );
  const more = lines.length - REMAINING_SHOWN;
  const shown = lines.slice(0, REMAINING_SHOWN);
  if (lines.length === 0) return '';
  return ['**Good to know**', '', ...shown, ...(more > 0 ? [`- ${more} more`] : [])].join('\n');
}

export function renderHeld(view: HeldView): Rendered {
  const bad = view.hosts.filter((host) => host.state === 'not-restored').map((host) => host.host);
  const ways = view.ways.map((way) => `- ${code(way.command)} ${prose(way.effect)}`);
  const what =
    bad.length === 0
      ? 'The run is held and needs a person'
      : `${names(bad)} need${bad.length === 1 ? 's' : ''} a person`;
  return {
    title: oneLine(what),
    body: joined(
      `${prose(view.reason, 1000)}`,
      hostTable(view.hosts),
      left(view.hosts),
      remarks(view.hosts),
      'The servers stay locked, so that no other run touches them.',
      ways.length === 0 ? '' : `**How to go on**\n\n${ways.join('\n')}`,
    ),
  };
}
