import { BUTTONS, type CheckConclusion } from '../github/checks.ts';
import type { GitHubClient } from '../github/client.ts';
import { type OtherChecks, otherChecks } from '../github/otherChecks.ts';
import { committersOf } from '../github/people.ts';
import { getPull, type PullRequest } from '../github/pulls.ts';
import type { PlanView } from '../github/render/views.ts';
import { latestReviews } from '../github/reviews.ts';
import { recordName } from '../github/workflowIds.ts';
import type { Plan } from '../plan/step.ts';
import { asideOf, sayBranch } from '../policy/aside.ts';
import type { Change, Target } from '../policy/change.ts';
import { closed, judge, teamsToRead, type Verdict, wantsChecks } from '../policy/judge.ts';
import { sayUnshown, teamsOfPeople } from '../policy/people.ts';
import { sayStart } from '../policy/starting.ts';
import { blockedRemark } from '../policy/unmergeable.ts';
import { POLICY_FILE, type RepositoryPolicy } from '../spec/policy.ts';
import type { PolicySpec } from '../spec/types.generated.ts';
import { askersOf } from './adoptionBranch.ts';
import { strayedOnto } from './beforeMerge.ts';
import { type Engine, planNamed } from './engine.ts';
import { permanent } from './failure.ts';
import { firstSeen } from './firstSeen.ts';
import { guardedRemark } from './guarded.ts';
import { mergeObstacles } from './mergeRules.ts';
import { holdingPolicy, readTeams } from './policy.ts';
import { type Pushers, pushersOf } from './pushers.ts';
import { ifAllowed, planCheck, showCheck, showComment } from './show.ts';
import { movesAny, readTargets, withMoves } from './targets.ts';
import type { Gate, GateContext, PlanRef, PullRef } from './types.ts';

/**
 * Judges a plan by the policy of the default branch, shows it, and keeps the verdict for the command line. What an override takes
 * away is missing for everybody else; the check leaves it out only for a run that begins so, whose merge may need it green.
 */
export async function gatePull(
  engine: Engine,
  pull: PullRef,
  plan: PlanRef,
  context: GateContext = {},
): Promise<Gate> {
  const judged = await judgePull(engine, pull, plan, context);
  const { snapshot, verdict } = judged;
  if (context.override === undefined)
    await engine.store.verdicts.save({
      repository: nameOf(pull),
      number: pull.number,
      headSha: plan.headSha,
      digest: plan.digest,
      verdict: JSON.parse(JSON.stringify({ ...verdict, ...(snapshot.merged && { merged: true }) })),
    });
  const tells = context.override === undefined || verdict.ready;
  if (tells && snapshot.headSha === plan.headSha && snapshot.state === 'open')
    await showPlan(engine, pull, plan, judged, context);
  return gateOf(judged);
}

export interface Judged {
  readonly verdict: Verdict;
  readonly trigger: NonNullable<Gate['trigger']>;
  readonly snapshot: PullRequest;
  readonly paths: readonly string[];
  readonly plan: Plan;
  readonly targets: readonly Target[];
  /** Whose policy it was judged by; undefined where that one is broken. */
  readonly policyCommit: string | undefined;
  /** What begins the apply once nothing is missing. */
  readonly next: PlanView['next'];
  /** Teams of those who may do something that nobody can read. */
  readonly unshown: string | undefined;
}

/** Reads all that a policy looks at; changes nothing. `begun`: of a run that goes on, whether or not somebody merges it meanwhile. */
export async function judgePull(
  engine: Engine,
  pull: PullRef,
  plan: PlanRef,
  context: GateContext,
  begun = false,
): Promise<Judged> {
  const { repository, number } = pull;
  const client = await engine.github.installationClient(repository.installationId);
  const [snapshot, paths, stored] = await Promise.all([
    getPull(client, repository, number),
    engine.revisions.changedPaths(pull, plan),
    engine.store.plans.get(plan.digest),
  ]);
  if (stored === undefined)
    throw permanent(`the plan ${plan.digest.slice(0, 8)} is no longer stored; say /doaas plan`);
  const strayed = await strayedOnto(engine, client, repository, plan, snapshot);
  // a merged change is on the tip itself, and would be judged by a policy that it brings
  const before = snapshot.merged ? { ...snapshot, baseSha: strayed ?? plan.baseSha } : snapshot;
  const holding = await holdingPolicy(engine, client, repository, before);
  const trusted =
    holding.kind === 'broken'
      ? undefined
      : (await engine.revisions.resolveCommit(repository, holding.commit)).resolution;
  const targets = await readTargets(engine, pull, plan, stored, trusted);
  const common = { snapshot, paths, plan: stored, targets };
  if (holding.kind === 'broken') {
    const verdict = closed(holding.reason);
    const next = nextOf(undefined, verdict, snapshot);
    return { ...common, verdict, next, trigger: 'comment', policyCommit: undefined, unshown: undefined };
  }
  const { spec } = holding.policy;
  const trigger = spec?.trigger ?? 'comment';
  const change = await readChange(engine, client, pull, plan, context, {
    ...common,
    policy: holding.policy,
    strayed: strayed !== undefined,
    unmergeable: begun ? [] : await mergeObstacles(client, repository, snapshot, spec),
    mayBeMerged: begun || (context.merged === true && trigger === 'merge'),
  });
  const verdict = judge(spec, change);
  const next = nextOf(spec, verdict, snapshot, context.onlyAsked);
  const unshown = sayUnshown(teamsOfPeople(spec), change.teams);
  return { ...common, verdict, next, trigger, policyCommit: holding.commit, unshown };
}

interface Known {
  readonly snapshot: PullRequest;
  readonly paths: readonly string[];
  readonly targets: readonly Target[];
  readonly policy: RepositoryPolicy;
  readonly strayed: boolean;
  readonly unmergeable: readonly string[];
  readonly mayBeMerged: boolean;
}

/** No rule asks for any. */
const NO_CHECKS: OtherChecks = { checks: [], cut: false };

/** Nobody has approved, so nobody's approval is to be left out. */
const NO_PUSHERS: Pushers = { pushers: [], pushersUnknown: undefined };

async function readChange(
  engine: Engine,
  client: GitHubClient,
  pull: PullRef,
  plan: PlanRef,
  context: GateContext,
  { snapshot, paths, policy, targets, strayed, unmergeable, mayBeMerged }: Known,
): Promise<Change> {
  const { repository, number } = pull;
  const { reviews, cut } = await latestReviews(client, repository, number);
  const approved = reviews.some((review) => review.state === 'approved');
  const seen: Omit<Change, 'teams' | 'checks' | 'checksCut' | 'pushers' | 'pushersUnknown'> = {
    author: { login: snapshot.author, id: snapshot.authorId },
    headSha: plan.headSha,
    superseded: snapshot.headSha !== plan.headSha,
    draft: snapshot.draft,
    fork: snapshot.fork,
    vouched: context.vouched === plan.headSha,
    aside: asideOf(snapshot),
    strayed,
    unmergeable,
    open: snapshot.state === 'open' || (mayBeMerged && snapshot.merged),
    shownAt: plan.shownAt,
    replaced: plan.replaces === true,
    reviews,
    reviewsCut: cut,
    targets,
    paths,
    codeowners: policy.codeowners,
    now: engine.github.now().getTime(),
    lifted: context.override?.kind ?? 'nothing',
  };
  const [teams, others, committers, askers, pushed] = await Promise.all([
    readTeams(client, repository.owner, [
      ...(approved ? teamsToRead(policy.spec, seen, repository.owner) : []),
      ...teamsOfPeople(policy.spec),
    ]),
    wantsChecks(policy.spec, seen) ? otherChecks(client, repository, plan.headSha) : NO_CHECKS,
    approved ? committersOf(client, repository, number) : [],
    approved ? askersOf(engine, repository, snapshot.headRef) : [],
    approved ? pushersOf(engine, client, pull, plan, snapshot) : NO_PUSHERS,
  ]);
  const pushers = [...committers, ...askers, ...pushed.pushers, ...(context.pushers ?? [])];
  const { pushersUnknown } = pushed;
  return { ...seen, teams, checks: others.checks, checksCut: others.cut, pushers, pushersUnknown };
}

function gateOf({ verdict, trigger, snapshot }: Judged): Gate {
  const { ready, missing, approvedBy, starters, opensAt, waitsForChecks, lifted } = verdict;
  return {
    ready,
    missing,
    approvedBy,
    // nothing does, of what is not applied
    ...(asideOf(snapshot) === undefined ? { trigger } : {}),
    ...(trigger === 'approval' && starters !== undefined ? { starters } : {}),
    ...(opensAt === undefined ? {} : { opensAt }),
    ...(waitsForChecks ? { waitsForChecks } : {}),
    ...(lifted.length === 0 ? {} : { lifted }),
  };
}

/** The plan check and the comment, with what is missing. */
async function showPlan(
  engine: Engine,
  pull: PullRef,
  plan: PlanRef,
  judged: Judged,
  { keepsComment = false }: GateContext,
): Promise<void> {
  const client = await engine.github.installationClient(pull.repository.installationId);
  const { verdict, trigger } = judged;
  const name = planNamed(engine, plan);
  const view: PlanView = {
    kind: 'plan',
    plan: withMoves(judged.plan, judged.targets),
    name,
    waiting: verdict.missing,
    next: judged.next,
    firstSeen: await firstSeen(engine, plan),
    unreachable: [],
    asks: verdict.asks.filter(({ rule }) => rule !== undefined),
    remarks: [
      ...guardedRemark(judged.plan, engine.config.confirmSeconds),
      ...(trigger === 'merge' ? [] : blockedRemark(judged.snapshot)),
      ...(judged.paths.includes(POLICY_FILE) ? [POLICY_REMARK] : []),
      ...(judged.unshown === undefined ? [] : [`${judged.unshown} ${NOBODY_LET_IN}`]),
    ],
  };
  const apply = verdict.ready && trigger !== 'merge';
  await Promise.all([
    showCheck(client, pull, {
      ...planCheck(plan.headSha),
      state: { status: 'completed', conclusion: conclusionOf(judged) },
      view,
      actions: apply ? [BUTTONS.apply, BUTTONS.plan] : [BUTTONS.plan],
      digest: plan.digest,
      planUrl: name.url,
    }),
    // the check says the same, so a comment that GitHub will not have keeps nobody from applying
    keepsComment
      ? undefined
      : ifAllowed(engine.log, 'the comment with a plan', showComment(client, pull, view, [], name)),
  ]);
}

/** Said where `people` of the policy name a team that cannot be read. */
const NOBODY_LET_IN = 'Until then what the policy keeps to its members lets none of them in.';

/** Said where a pull request changes the policy itself. */
export const POLICY_REMARK = `This pull request changes ${POLICY_FILE}. It is judged by the policy of the default branch; its own holds once it is merged.`;

/**
 * Where the merge starts the apply, a required check is what keeps people from merging too early. So it is where a merge
 * alone, with nothing applied, would take rules of the policy away from servers.
 */
function conclusionOf({ verdict, trigger, targets }: Judged): CheckConclusion {
  return (trigger === 'merge' || movesAny(targets)) && !verdict.ready ? 'action_required' : 'success';
}

function nextOf(
  spec: PolicySpec | undefined,
  verdict: Verdict,
  snapshot: PullRequest,
  onlyAsked = false,
): PlanView['next'] {
  const command = { command: '/doaas apply' };
  const aside = asideOf(snapshot);
  if (aside !== undefined)
    return { words: `it is planned anew, once it goes into ${sayBranch(aside.defaultBranch)}` };
  switch (spec?.trigger ?? 'comment') {
    case 'comment':
      return command;
    case 'approval': {
      const words = onlyAsked ? undefined : sayStart(spec, verdict);
      return words === undefined ? command : { words };
    }
    case 'merge':
      return { words: 'merge it; it is applied after the merge' };
  }
}

function nameOf({ repository }: PullRef): string {
  return recordName(repository);
}
