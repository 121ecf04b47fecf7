import { BUTTONS, type CheckAction, type CheckConclusion } from '../github/checks.ts';
import type { GitHubClient } from '../github/client.ts';
import type { NothingToDoView, PlanName, PlanView } from '../github/render/views.ts';
import { cut, MESSAGE_MAX } from '../plan/bounds.ts';
import { POLICY_FILE } from '../spec/policy.ts';
import type { Assembled } from './assemble.ts';
import type { Engine } from './engine.ts';
import { POLICY_REMARK } from './gate.ts';
import { recordPlan } from './recordPlan.ts';
import { planCheck, showCheck, showNewest } from './show.ts';
import type { PlanOutcome, PullRef, Revision } from './types.ts';

/** Planning that ends without a plan to apply: what was made is recorded, and shown with why. */

export async function endFailed(
  engine: Engine,
  client: GitHubClient,
  pull: PullRef,
  revision: Revision,
  made: Assembled,
): Promise<PlanOutcome> {
  const name = await recordPlan(engine, pull, revision, made);
  const view = failedView(made, name, '/doaas plan');
  await showEnd(client, pull, revision, { conclusion: 'failure', view, actions: [BUTTONS.plan], name });
  const reason = [...made.problems.map((p) => p.message), ...made.errors].join('; ');
  return { kind: 'failed', reason: cut(reason, MESSAGE_MAX), ...(onlyAway(made) ? { away: true } : {}) };
}

export async function endIdle(
  engine: Engine,
  client: GitHubClient,
  pull: PullRef,
  revision: Revision,
  made: Assembled,
  reason: NothingToDoView['reason'],
): Promise<PlanOutcome> {
  const { hosts } = made.plan;
  const paths = await engine.revisions.changedPaths(pull, revision);
  const name = hosts.length === 0 ? undefined : await recordPlan(engine, pull, revision, made);
  const view: NothingToDoView = {
    kind: 'nothing-to-do',
    name: name ?? revision,
    reason,
    findings: hosts.flatMap((host) => host.findings),
    remarks: paths.includes(POLICY_FILE) ? [POLICY_REMARK] : [],
  };
  await showEnd(client, pull, revision, { conclusion: 'success', view, actions: [], name });
  return { kind: 'nothing-to-do' };
}

interface End {
  readonly conclusion: CheckConclusion;
  readonly view: PlanView | NothingToDoView;
  readonly actions: readonly CheckAction[];
  /** Where something was recorded. */
  readonly name: PlanName | undefined;
}

async function showEnd(
  client: GitHubClient,
  pull: PullRef,
  { headSha }: Revision,
  { conclusion, view, actions, name }: End,
): Promise<void> {
  const state = { status: 'completed', conclusion } as const;
  const whole = name === undefined ? {} : { digest: name.digest, planUrl: name.url };
  await showCheck(client, pull, { ...planCheck(headSha), state, view, actions, ...whole });
  await showNewest(client, pull, headSha, view, name);
}

/** Time alone may mend it: the pull request's workflow makes the plan again by itself. */
function onlyAway({ problems, errors }: Assembled): boolean {
  return errors.length === 0 && problems.every(({ away }) => away);
}

function failedView(made: Assembled, name: PlanName, command: string): PlanView {
  return {
    kind: 'plan',
    plan: made.plan,
    name,
    waiting: waitedFor(made),
    next: { command },
    firstSeen: [],
    unreachable: made.problems,
  };
}

/** What must happen before there can be a plan. */
function waitedFor(made: Assembled): readonly string[] {
  const { problems, errors } = made;
  const again = onlyAway(made) ? ' (tried again by itself for a day)' : '';
  const hosts = problems.map((problem) => problem.host);
  return [
    ...(hosts.length === 0 ? [] : [`${hosts.join(', ')} to be readable${again}`]),
    ...(errors.length === 0 ? [] : ['what forbids the plan to be mended']),
  ];
}
