import { Context } from '@temporalio/activity';
import { readAdoption } from './adopt.ts';
import { assemble } from './assemble.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { fencesFor } from './fences.ts';
import { mergedAfter } from './mergedLater.ts';
import { planPatiently } from './patientPlanning.ts';
import { NO_PULL } from './planRef.ts';
import { fullName, planRevision } from './pull.ts';
import { isServed } from './sites.ts';
import type { SiteActivities, SitePart, SiteReading } from './types.ts';

export function siteActivities(engine: Engine): SiteActivities {
  return {
    readSite: (reading) => readSite(engine, reading),
    readAdoption: (reading, site) => readAdoption(engine, reading, site),
    // Temporal tells when workers asked by its own clock; this machine's may be set meanwhile
    isServed: (site) =>
      isServed(engine.temporal, site, Context.current().info.currentAttemptScheduledTimestampMs),
  };
}

/** Reads and plans the site's hosts; the plan goes to the store, where the engine puts it beside its own. */
async function readSite(engine: Engine, wanted: SiteReading): Promise<SitePart> {
  const { pull, revision, site, run, patient = false, leftOut = [] } = wanted;
  const resolved = await engine.revisions.resolve(pull, revision);
  if (resolved.kind === 'conflict') throw permanent('a revision that conflicts cannot be planned');
  const changed = resolved.changed.filter(
    ({ name, server }) => server.site === site && !leftOut.includes(name),
  );
  const options =
    run === undefined
      ? { mergedLater: mergedAfter(engine, pull.repository, revision.baseSha) }
      : { fenceOf: await fencesFor(engine, run) };
  const planning = patient ? planPatiently : planRevision;
  const plannings = await planning(engine, pull, { ...resolved, changed }, revision.headSha, options);
  const made = assemble(plannings);
  await engine.store.plans.save(made.plan, { repository: fullName(pull), number: NO_PULL, ...revision });
  const problems = made.problems.map(({ host, message, away }) => ({ host, message, away }));
  return { site, digest: made.plan.digest, problems };
}
