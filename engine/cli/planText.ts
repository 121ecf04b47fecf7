import { placeOf } from '../github/render/plan.ts';
import { planTitle, REASONS, short } from '../github/render/words.ts';
import type { Finding, HostPlan, Plan, Step } from '../plan/step.ts';
import type { PlanUsed } from '../store/plans.ts';
import { counted, type Paint, printable, printableLines } from './terminal.ts';

/** A stored plan, whole: for what it was made, every step with its diff, and the sum of it. */
export function planPage(plan: Plan, uses: readonly PlanUsed[], paint: Paint): string {
  const made = uses.map(
    (use) =>
      `  ${use.repository}#${use.number}, head ${short(use.headSha)}, base ${short(use.baseSha)}, ${new Date(use.createdAt).toISOString()}\n`,
  );
  return `${paint('bold', `Plan ${plan.digest}`)}\n${made.join('')}\n${planText(plan.hosts, paint)}\n${summary(plan, paint)}\n`;
}

/** What a stored plan comes to: one that failed is kept too, for people to read. */
function summary(plan: Plan, paint: Paint): string {
  const errors = plan.hosts.flatMap((host) => host.findings).filter(isError).length;
  const quiet = plan.hosts.every((host) => host.steps.length === 0);
  if (errors > 0) return paint('red', `Cannot be applied: ${counted(errors, 'error')} above`);
  return paint('bold', quiet ? 'Nothing to change' : planTitle(plan));
}

function isError({ severity }: Finding): boolean {
  return severity === 'error';
}

/** Plans of hosts as text for a terminal: steps in the order of execution, each with its diff, then findings. */
export function planText(hosts: readonly HostPlan[], paint: Paint): string {
  return hosts.map((host) => hostText(host, paint)).join('\n');
}

function hostText(host: HostPlan, paint: Paint): string {
  const name = paint('bold', printable(host.host));
  const quiet = host.steps.length === 0 && !host.findings.some(isError);
  const steps = quiet ? `${name}: nothing to change\n` : `${name}\n`;
  const body = host.steps.map((step, i) => stepText(step, i + 1, paint)).join('');
  return `${steps}${body}${host.findings.map((finding) => findingText(finding, paint)).join('')}`;
}

function stepText(step: Step, number: number, paint: Paint): string {
  const notes = [
    ...(step.disruption === 'none' ? [] : [step.disruption]),
    ...(step.reversible === 'yes' ? [] : [UNDO[step.reversible]]),
  ];
  const note = notes.length === 0 ? '' : paint('yellow', `  (${notes.join(', ')})`);
  const reason = REASONS[step.reason];
  const why = reason === '' ? '' : `       ${paint('dim', reason)}\n`;
  return `  ${String(number).padStart(3)}. ${printable(step.summary)}${note}\n${why}${diffText(step.diff, paint)}`;
}

const UNDO = { 'best-effort': 'undone only as far as possible', no: 'cannot be undone' } as const;

function diffText(diff: string, paint: Paint): string {
  if (diff === '') return '';
  const lines = printableLines(diff.replace(/\n$/, '')).split('\n');
  return lines.map((line) => `       ${coloured(line, paint)}\n`).join('');
}

function coloured(line: string, paint: Paint): string {
  if (line.startsWith('+')) return paint('green', line);
  if (line.startsWith('-')) return paint('red', line);
  return line.startsWith('@@') ? paint('dim', line) : line;
}

const SEVERITY = { error: 'red', warning: 'yellow', info: 'dim' } as const;

function findingText({ severity, message, ...where }: Finding, paint: Paint): string {
  return `  ${paint(SEVERITY[severity], `${severity}:`)} ${printable(message)} (${printable(placeOf(where))})\n`;
}
