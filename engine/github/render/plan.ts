import type { Finding, Step } from '../../plan/step.ts';
import { code, fence, folded, oneLine, prose, table } from './escape.ts';
import { planRollout } from './rollout.ts';
import { type ChangeRow, groupHosts, type HostGroup } from './rows.ts';
import type {
  HostFacts,
  NothingToDoView,
  PlanName,
  PlannedCommits,
  PlanView,
  Rendered,
  WaitingForLockView,
} from './views.ts';
import { count, joined, joinedBy, minute, names, planTitle, REASONS, short } from './words.ts';

/** Rows of the table; more are counted. */
const MAX_ROWS = 100;
/** Lines of one diff; a longer one is in the store. */
const MAX_DIFF_LINES = 400;
const MAX_FINDINGS = 50;

export function renderPlan(view: PlanView): Rendered {
  const groups = groupHosts(view.plan.hosts);
  const blocks = [
    unreachable(view),
    changes(groups, view.name),
    planRollout(view.plan),
    firstContact(view.firstSeen),
    findingsList(view.plan.hosts.flatMap((host) => host.findings)),
    ...diffs(groups),
    rules(view),
    ...(view.remarks ?? []).map((remark) => prose(remark)),
    footer(view),
  ];
  return { title: title(view), body: blocks.filter((block) => block !== '').join('\n\n') };
}

export function renderNothingToDo(view: NothingToDoView): Rendered {
  const why =
    view.reason === 'no-change'
      ? 'No server is the target of a changed document: merge this as any other pull request.'
      : 'The servers already are as the YAML says, and nothing was applied: merge this as any other pull request.';
  return {
    title: 'Nothing to do',
    body: joined(
      why,
      findingsList(view.findings),
      ...(view.remarks ?? []).map((remark) => prose(remark)),
      planLine(view.name),
    ),
  };
}

export function renderWaitingForLock(view: WaitingForLockView): Rendered {
  const rows = view.holders.map((h) =>
    h.hosts.length === 0
      ? ['*goes before this one*', code(h.holder), '']
      : [h.hosts.map((host) => code(host)).join(' '), code(h.holder), minute(h.since)],
  );
  const who = view.holders.length === 0 ? 'other runs' : names(view.holders.map(({ holder }) => holder));
  return {
    title: oneLine(`Waiting for ${who}`),
    body: joined(
      'Other runs hold servers that this one needs, or go before it. This one goes on by itself when they are free.',
      placeText(view.position),
      rows.length === 0 ? '' : table(['server', 'pull request', 'since'], rows),
    ),
  };
}

/** Who is far back would be told another place all the time, and GitHub limits how often anything is told. */
function placeText(position: number | undefined): string {
  if (position === undefined) return 'It is far back in the queue; its place is shown once it comes nearer.';
  return position === 1 ? 'It is next.' : `It is at place ${position} of the queue for them.`;
}

function title(view: PlanView): string {
  if (view.unreachable.length > 0)
    return oneLine(`${names(view.unreachable.map((h) => h.host))} cannot be read`);
  const errors = view.plan.hosts.flatMap((host) => host.findings.filter((f) => f.severity === 'error'));
  if (errors.length > 0) return forbidden(errors);
  return planTitle(view.plan);
}

function forbidden(errors: readonly Finding[]): string {
  const hosts = names([...new Set(errors.map((error) => error.host))]);
  return oneLine(`Not possible on ${hosts}: ${errors[0]?.message}`, 200);
}

function changes(groups: readonly HostGroup[], name: PlanName): string {
  const all = groups.flatMap((group) => group.rows.map((row) => ({ group, row })));
  const isFirst = ({ reason }: Step, at: number) =>
    all.findIndex(({ row }) => row.step.reason === reason) === at;
  const rows = all.map(({ group, row }, at) => changeRow(group, row, isFirst(row.step, at)));
  if (rows.length === 0) return '';
  const more = rows.length - MAX_ROWS;
  const rest =
    more > 0 ? `\n\n*${count(more, 'more change')}: ${code(`doaas plan show ${short(name.digest)}`)}*` : '';
  return `${table(['server', 'change', 'disruption', 'undo'], rows.slice(0, MAX_ROWS))}${rest}`;
}

/** Why, in full where it is the first row of that reason: dozens of the same sentence hide what is to be read. */
function changeRow(group: HostGroup, { step, disruption }: ChangeRow, isFirst: boolean): readonly string[] {
  const reason = isFirst || REASONS[step.reason] === '' ? REASONS[step.reason] : step.reason;
  const change = reason === '' ? prose(step.summary) : `${prose(step.summary)} <br> *${reason}*`;
  return [hostCell(group.hosts), change, disruption, step.reversible];
}

function hostCell(hosts: readonly string[]): string {
  const shown = hosts
    .slice(0, 3)
    .map((host) => prose(host))
    .join(', ');
  return hosts.length > 3 ? `${shown} and ${hosts.length - 3} more` : shown;
}

function diffs(groups: readonly HostGroup[]): readonly string[] {
  return groups.flatMap((group) => {
    const shown = group.rows.map((row) => row.step).filter((step) => step.diff !== '');
    if (shown.length === 0) return [];
    const body = shown
      .map((step) => `${prose(step.summary)}\n\n${fence(clip(step.diff), 'diff')}`)
      .join('\n\n');
    return [folded(`${count(shown.length, 'diff')} on ${names(group.hosts)}`, body)];
  });
}

function clip(diff: string): string {
  const lines = diff.split('\n');
  if (lines.length <= MAX_DIFF_LINES) return diff;
  return [...lines.slice(0, MAX_DIFF_LINES), `(${lines.length - MAX_DIFF_LINES} more lines)`].join('\n');
}

function unreachable(view: PlanView): string {
  if (view.unreachable.length === 0) return '';
  const rows = view.unreachable.map((problem) => [prose(problem.host), prose(problem.message, SENTENCE_MAX)]);
  return `These servers could not be read, so nothing can be applied:\n\n${table(['server', 'problem'], rows)}`;
}

function firstContact(facts: readonly HostFacts[]): string {
  if (facts.length === 0) return '';
  const gib = (mib: number) => `${(mib / 1024).toFixed(1)} GiB`;
  const rows = facts.map((f) => [
    prose(f.host),
    prose(f.os),
    prose(f.init),
    String(f.cpus),
    gib(f.memoryMib),
    gib(f.diskMib),
  ]);
  return `**First contact**\n\n${table(['server', 'system', 'init', 'CPUs', 'memory', 'disk'], rows)}`;
}

/** Of a problem or finding: what is to be done about it stands at its end, perhaps with a host key to copy. Characters. */
const SENTENCE_MAX = 1_000;

const SEVERITY_ORDER = ['error', 'warning', 'info'] as const;

export function findingsList(findings: readonly Finding[], heading = 'Findings'): string {
  if (findings.length === 0) return '';
  const sorted = SEVERITY_ORDER.flatMap((severity) =>
    findings.filter((finding) => finding.severity === severity),
  );
  const lines = sorted
    .slice(0, MAX_FINDINGS)
    .map(
      (f) => `- ${f.severity} on ${code(f.host)}: ${prose(f.message, SENTENCE_MAX)} (${prose(placeOf(f))})`,
    );
  const more = sorted.length - lines.length;
  return [`**${heading}**`, '', ...lines, ...(more > 0 ? [`- ${count(more, 'more finding')}`] : [])].join(
    '\n',
  );
}

/** `Firewall/web, web.yaml line 12` */
export function placeOf({ document, position }: Pick<Finding, 'document' | 'position'>): string {
  return position === undefined ? document : `${document}, ${position.file} line ${position.line}`;
}

function rules({ asks = [] }: PlanView): string {
  if (asks.length === 0) return '';
  const rows = asks.map(({ rule, asks: what, missing }) => [
    prose(rule ?? ''),
    prose(what),
    missing === undefined ? 'given' : '**missing**',
  ]);
  return `**Policy**\n\n${table(['rule', 'asks for', 'state'], rows)}`;
}

function footer(view: PlanView): string {
  const waiting = view.waiting.length === 0 ? 'nothing' : view.waiting.map((what) => prose(what)).join('; ');
  return `**Waiting for:** ${waiting}.   **Then:** ${nextStep(view.next)}.   ${planLine(view.name)}`;
}

function nextStep(next: PlanView['next']): string {
  const words = next.words === undefined ? '' : prose(next.words);
  return next.command === undefined ? words : joinedBy(' ', code(next.command), words);
}

export function planLine(name: PlanName | PlannedCommits): string {
  const commits = `head ${short(name.headSha)}, base ${short(name.baseSha)}.`;
  if (!('digest' in name)) return `For ${commits}`;
  const plan = name.url === undefined ? short(name.digest) : `[${short(name.digest)}](${name.url})`;
  return `Plan ${plan}, ${commits}`;
}
