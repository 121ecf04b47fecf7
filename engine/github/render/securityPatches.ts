import type { ReportedHost, ReportedUpdate } from '../../security/report.ts';
import { code, prose, table } from './escape.ts';
import { restartsText } from './restarts.ts';
import { asOf, MAX_ROWS, more, SENTENCE_MAX } from './securityRows.ts';
import { UPDATE_COLUMNS, updateRow } from './updateRow.ts';
import { count, seconds } from './words.ts';

export function patchBlock({ patches, unsure, cves, asOf: read }: ReportedHost): string {
  const {
    policy,
    problem,
    dpkgProblem,
    security,
    others,
    restarts,
    reboot,
    listsAgeSeconds,
    unknown,
    asOf: at,
  } = patches;
  const known = cves.open + cves.fixed + cves.fixable.length + cves.waiting.length;
  const are = read === undefined ? 'are' : 'were';
  const age =
    listsAgeSeconds === undefined
      ? 'It has no package lists: it has never read them, or they were removed.'
      : `Its package lists ${are} ${listsAge(listsAgeSeconds)} old.`;
  const outstanding = unknown
    ? 'what is outstanding is not known'
    : `${at === undefined ? '' : `${asOf(at)}, `}${count(updatesOf(patches), 'security update')} outstanding, ${others} others`;
  const stillRun = restartsText(restarts);
  const isToldBelow = problem !== undefined || unknown === true;
  return [
    `${policy === undefined ? 'No PatchPolicy document has it among its targets' : code(policy)}: ${outstanding}. ${age}`,
    ...(problem === undefined ? [] : [`**Cannot be patched:** ${prose(problem, SENTENCE_MAX)}`]),
    ...(isToldBelow || unsure.length === 0
      ? []
      : [`**Not all updates are known:** ${prose(unsure.join(' '), SENTENCE_MAX)}`]),
    ...(dpkgProblem === undefined
      ? []
      : [`A run waits for dpkg, and repairs it first: ${prose(dpkgProblem, SENTENCE_MAX)}`]),
    ...(security.length === 0 ? [] : [updateTable(security, patches.moreSecurity)]),
    ...(reboot.required ? [`**Waits for a reboot** for ${prose(reboot.why.join(', '), SENTENCE_MAX)}.`] : []),
    ...(stillRun === undefined ? [] : [prose(stillRun, SENTENCE_MAX)]),
    ...(known === 0
      ? []
      : [
          `Vulnerabilities: ${cves.fixable.length} fixable, ${cves.waiting.length} waiting for a reboot, ${cves.open} open without a fix, ${cves.fixed} fixed.`,
        ]),
  ].join('\n\n');
}

/** In whole days where hours say little. */
function listsAge(age: number): string {
  return age >= 2 * DAY_SECONDS ? `${Math.floor(age / DAY_SECONDS)} days` : seconds(age);
}

const DAY_SECONDS = 86_400;

function updateTable(updates: readonly ReportedUpdate[], left = 0): string {
  const rows = updates
    .slice(0, MAX_ROWS)
    .map((update) => updateRow(update).map((text) => prose(text, SENTENCE_MAX)));
  return [table(UPDATE_COLUMNS, rows), ...more(updates, 'update', left)].join('\n');
}

/** How many are outstanding, told one by one or not. */
export function updatesOf({ security, moreSecurity = 0 }: ReportedHost['patches']): number {
  return security.length + moreSecurity;
}
