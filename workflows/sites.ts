import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type {
  ConfirmOutcome,
  HostOutcome,
  PlanOutcome,
  PlanRef,
  PullRef,
  RecoverableRun,
  Revision,
  RunRef,
  RunStart,
  SitePart,
  SiteReading,
  UndoOutcome,
  VerifyOutcome,
  VerifyScope,
  WindowShut,
} from '../engine/activities/types.ts';
import {
  onHost,
  onHostAt,
  reading,
  readingAt,
  short,
  stopOnHost,
  undoOnHost,
  undoOnHostAt,
  verifying,
} from './activities.ts';
import { allConfirmed } from './confirmed.ts';
import { rolloutOf } from './fleet.ts';

/** Work on hosts goes to the workers of their site where the engine does not reach them, and else where it always went. */

export function withSites(run: RunRef, start: RunStart | undefined): RunRef {
  return start?.elsewhere === undefined ? run : { ...run, elsewhere: start.elsewhere };
}

/** The site whose workers reach the host; undefined where the engine does. */
function siteOf({ plan, elsewhere = [] }: RunRef, host: string): string | undefined {
  const mate = plan.rollout?.matesElsewhere?.find(({ name }) => name === host);
  if (mate !== undefined) return mate.site;
  const site = plan.hosts.find(({ name }) => name === host)?.site;
  return site !== undefined && elsewhere.includes(site) ? site : undefined;
}

export async function planPull(
  pull: PullRef,
  revision: Revision,
  shown: PlanRef | undefined,
  elsewhere: readonly string[] | undefined,
): Promise<PlanOutcome> {
  if (elsewhere === undefined) return reading.planPull(pull, revision, shown);
  return reading.planPull(pull, revision, shown, await readElsewhere(pull, revision, elsewhere));
}

export async function confirmPlan(run: RunRef): Promise<ConfirmOutcome> {
  const { pull, plan, mergeSha, elsewhere = [] } = run;
  if (elsewhere.length === 0) return reading.confirmPlan(run);
  const revision = { headSha: mergeSha ?? plan.headSha, baseSha: plan.baseSha };
  const how = { run: run.run, ...patience(run) };
  return reading.confirmPlan(run, await readElsewhere(pull, revision, elsewhere, how));
}

/** Each host of a correction is looked at again where it is reached. */
export async function confirmCorrection(run: RunRef): Promise<ConfirmOutcome> {
  const { plan, elsewhere = [] } = run;
  if (elsewhere.length === 0) return reading.confirmPlan(run);
  const names = plan.hosts.map(({ name }) => name);
  const outcomes: ConfirmOutcome[] = [];
  for (const site of new Set(names.map((name) => siteOf(run, name)))) {
    const here = names.filter((name) => siteOf(run, name) === site);
    outcomes.push(
      await (site === undefined ? reading.confirmPlan(run, [], here) : confirmAt(site, run, here)),
    );
  }
  return allConfirmed(outcomes);
}

async function confirmAt(site: string, run: RunRef, here: readonly string[]): Promise<ConfirmOutcome> {
  const outcome = await whileServed(site, () => readingAt(site).confirmPlan(run, [], here));
  return outcome ?? { kind: 'changed', reason: `no worker serves the site ${site} now` };
}

export async function confirmRest(
  run: RunRef,
  leftOut: readonly string[],
): Promise<ConfirmOutcome | WindowShut> {
  const { pull, plan, mergeSha, elsewhere = [] } = run;
  if (elsewhere.length === 0) return reading.confirmRest(run, leftOut);
  const revision = { headSha: mergeSha ?? plan.headSha, baseSha: plan.baseSha };
  const how = { leftOut, ...patience(run) };
  return reading.confirmRest(run, leftOut, await readElsewhere(pull, revision, elsewhere, how));
}

/** Where the rollout has a rule for hosts that do not answer, they are a result. */
function patience(run: RunRef): Pick<SiteReading, 'patient'> {
  return rolloutOf(run).unreachable === 'fail' ? { patient: true } : {};
}

function readElsewhere(
  pull: PullRef,
  revision: Revision,
  sites: readonly string[],
  how: Pick<SiteReading, 'run' | 'patient' | 'leftOut'> = {},
): Promise<readonly SitePart[]> {
  return Promise.all(sites.map((site) => readSite({ pull, revision, site, ...how })));
}

async function readSite(wanted: SiteReading): Promise<SitePart> {
  const part = await whileServed(wanted.site, () => readingAt(wanted.site).readSite(wanted));
  return part ?? { site: wanted.site, problems: [] };
}

/** Undefined: no worker serves the site. One that is only busy is waited for. */
export async function whileServed<T>(site: string, work: () => Promise<T>): Promise<T | undefined> {
  while (await short.isServed(site)) {
    try {
      return await work();
    } catch (error) {
      if (!wasNotTaken(error)) throw error;
    }
  }
  return undefined;
}

export async function applyHost(run: RunRef, host: string, wave: number): Promise<HostOutcome> {
  const site = siteOf(run, host);
  if (site === undefined) return onHost.applyHost(run, host, wave);
  return taken(site, () => onHostAt(site).applyHost(run, host, wave));
}

export async function cancelHost(run: RunRef, host: string, wave: number): Promise<void> {
  const site = siteOf(run, host);
  if (site === undefined) await stopOnHost.cancelHost(run, host, wave);
  else await undoOnHostAt(site).cancelHost(run, host, wave);
}

/** `late`: of a merged change, for the run that has locked the host. */
export async function undoHost(
  run: RunRef,
  host: string,
  waves: readonly number[],
  late?: { readonly as: string },
): Promise<UndoOutcome> {
  const site = siteOf(run, host);
  const how: Parameters<typeof undoOnHost.undoHost> =
    late === undefined ? [run, host, waves, false] : [run, host, waves, true, late.as];
  if (site === undefined) return undoOnHost.undoHost(...how);
  return taken(site, () => undoOnHostAt(site).undoHost(...how));
}

export async function recoverRun(run: RunRef, dead: RecoverableRun): Promise<UndoOutcome> {
  const { site } = dead;
  if (site === undefined) return undoOnHost.recoverRun(run, dead);
  return taken(site, () => undoOnHostAt(site).recoverRun(run, dead));
}

/** One after the other: each adds what it found to what is shown. */
export async function verifyHosts(
  run: RunRef,
  leftOut: readonly string[],
  scope?: VerifyScope,
): Promise<VerifyOutcome> {
  const outcomes = [await verifying.verifyHosts(run, leftOut, scope)];
  const sites = (run.elsewhere ?? []).filter(
    (site) => scope === undefined || scope.hosts.some(({ host }) => siteOf(run, host) === site),
  );
  for (const site of sites)
    outcomes.push(await taken(site, () => onHostAt(site).verifyHosts(run, leftOut, scope, site)));
  const failed = outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome] : []));
  const [first] = failed;
  if (first === undefined) return { kind: 'verified' };
  return { ...first, hosts: failed.flatMap(({ hosts }) => hosts ?? []) };
}

/** Which of these hosts do not answer now; where nobody serves their site, none of them does. */
export async function silentHosts(run: RunRef, hosts: readonly string[]): Promise<readonly string[]> {
  const sites = [...new Set(hosts.map((host) => siteOf(run, host)))];
  const silent = await Promise.all(
    sites.map((site) => {
      const own = hosts.filter((host) => siteOf(run, host) === site);
      return site === undefined ? short.silentHosts(run, own) : silentAt(site, run, own);
    }),
  );
  return hosts.filter((host) => silent.flat().includes(host));
}

async function silentAt(site: string, run: RunRef, own: readonly string[]): Promise<readonly string[]> {
  return (await whileServed(site, () => readingAt(site).silentHosts(run, own))) ?? own;
}

/** Says in words that nobody took the work. */
async function taken<T>(site: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!wasNotTaken(error)) throw error;
    throw ApplicationFailure.nonRetryable(`no worker of the site ${site} took the work for 20 minutes`);
  }
}

function wasNotTaken(error: unknown): boolean {
  return (
    error instanceof ActivityFailure &&
    error.cause instanceof TimeoutFailure &&
    error.cause.timeoutType === 'SCHEDULE_TO_START'
  );
}
