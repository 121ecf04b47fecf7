import type { Answer, LateRollback, RollbackWaits } from '../../activities/types.ts';
import { code, prose } from './escape.ts';
import { count } from './words.ts';

/** What is said to somebody who asked, as Markdown. Words of hosts and of GitHub are no markup in it. */
export function renderAnswer(answer: Answer): string {
  if (typeof answer === 'string') return answer;
  switch (answer.kind) {
    case 'failed':
      return `\`${answer.command}\` could not be done: ${sentence(answer.reason)} Once that is mended, ask again.`;
    case 'not-applied':
      return `Not applied: ${sentence(answer.reason)} Nothing was changed. Look at the newest plan; once it is approved, say \`/doaas apply\` again.`;
    case 'not-reverted':
      return `${answer.why} Nothing was changed, and its revert could not be opened: ${sentence(answer.reason)} Take it back by hand, or bring it in anew.`;
    case 'late-rollback':
      return lateRollback(answer.run, answer.result);
    case 'rollback-waits':
      return rollbackWaits(answer);
    case 'adopted':
      return adopted(answer);
    case 'not-adopted':
      return notAdopted(answer);
  }
}

function adopted({ pull, changed, cannot, again, busy = [] }: Extract<Answer, { kind: 'adopted' }>): string {
  const what = `${count(changed, 'difference')} into the YAML`;
  const rest =
    cannot === 0 ? '' : ` ${count(cannot, 'difference')} cannot be adopted; its description says why.`;
  const opened = again
    ? `Pull request #${pull} has been there and is up to date: it takes`
    : `Pull request #${pull} takes`;
  const left =
    busy.length === 0
      ? ''
      : ` Left out, as a run that has not ended is to change them: ${prose(busy.join(', '), 1000)}. Ask again once it has.`;
  return `${opened} ${what}.${rest}${left} Nothing changes on the servers or the branch until it is approved and applied.`;
}

function notAdopted({ reason, cannot }: Extract<Answer, { kind: 'not-adopted' }>): string {
  const why = cannot.length === 0 ? '' : `\n\nIt cannot be adopted because:\n\n${list(cannot)}`;
  return `Not adopted: ${sentence(reason)} Nothing was done.${why}`;
}

function lateRollback(run: string, { kind, revert, reasons, remarks }: LateRollback): string {
  const merge =
    revert === undefined
      ? ''
      : ` Pull request #${revert} reverts it in the repository; merge it so that the branch equals the hosts again.`;
  const known = remarks.length === 0 ? '' : `\n\nGood to know:\n\n${list(remarks)}`;
  switch (kind) {
    case 'rolled-back':
      return `The hosts are as they were before ${prose(run)}.${merge}${known}`;
    case 'refused':
      return `Not rolled back, and nothing was changed on the hosts:\n\n${list(reasons)}${offered(revert)}`;
    case 'held':
      return `Rolled back in part; what remains needs a person:\n\n${list(reasons)}\n\nThe hosts stay locked until somebody has looked and says \`/doaas unlock\`.${merge}${known}`;
  }
}

function rollbackWaits({ revert, position, behind }: RollbackWaits): string {
  const whom =
    behind === ''
      ? 'others that take changes back'
      : behind
          .split(', ')
          .map((name) => code(name))
          .join(', ');
  const place = position === 1 ? 'next' : `at place ${position}`;
  return `Taking the merged change back: pull request #${revert} reverts it in the repository. The hosts are still held: this waits for ${whom}, and is ${place}.`;
}

function offered(revert: number | undefined): string {
  if (revert === undefined) return '';
  return `\n\nPull request #${revert} was opened as the revert: close it, or apply it, for its plan leads back from the present state.`;
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${prose(line, 1000)}`).join('\n');
}

function sentence(reason: string): string {
  const text = prose(reason, 1000);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
