import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * What takes ten seconds and more, end-to-end tests up to six minutes with their neighbours, as of a whole run: begun late, the last of
 * them would run alone. Those that mostly wait (policy, engine, held, budget, cuts) are not begun together: the processors would idle.
 */
const LONGEST = [
  'workflows/replay',
  'test/compose',
  'test/fuzz/fuzz',
  'engine/facts/script',
  'lab/demo/demo.e2e',
  'test/e2e/kill.e2e',
  'test/e2e/policy.e2e',
  'test/e2e/rollout.e2e',
  'test/bad/clock.e2e',
  'test/e2e/patches.e2e',
  'test/bad/repositories.e2e',
  'engine/operations/hardening.e2e',
  'test/bad/engine.e2e',
  'test/e2e/locks.e2e',
  'test/e2e/held.e2e',
  'test/bad/github.e2e',
  'test/e2e/budget.e2e',
  'engine/operations/packages.e2e',
  'test/bad/cuts.e2e',
  'test/bad/app.e2e',
  'test/bad/login.e2e',
  'engine/hosts/refused.e2e',
  'test/bad/outage.e2e',
  'engine/operations/patches.e2e',
  'test/e2e/drift.e2e',
  'test/e2e/gate.e2e',
  'test/e2e/story.e2e',
  'engine/operations/packagesAlong.e2e',
  'engine/hosts/aptCustody.e2e',
  'test/e2e/correct.e2e',
  'test/bad/steps.e2e',
  'test/e2e/cluster.e2e',
  'test/e2e/many.e2e',
  'test/secrets/masks.e2e',
  'engine/activities/manyHosts.e2e',
  'engine/hosts/netPackages.e2e',
  'test/e2e/room.e2e',
  'test/e2e/queue.e2e',
  'test/secrets/secrets.e2e',
  'test/e2e/lifetimes.e2e',
  'test/e2e/deadRuns.e2e',
  'test/e2e/people.e2e',
  'test/e2e/ownership.e2e',
  'test/e2e/heads.e2e',
  'test/e2e/talk.e2e',
  'test/e2e/identity.e2e',
  'lab/compare.e2e',
  'test/e2e/reverts.e2e',
  'test/e2e/upgrade.e2e',
  'test/bad/webhooks.e2e',
  'test/e2e/firewall.e2e',
  'test/e2e/readyPolicies.e2e',
  'test/e2e/readsOnly.e2e',
  'engine/operations/units.e2e',
  'engine/hosts/transport.e2e',
  'engine/operations/accounts.e2e',
  'engine/hosts/reach.e2e',
  'engine/activities/readExposure.e2e',
  'engine/github/github.e2e',
  'engine/operations/firewall.e2e',
  'lab/cli.e2e',
  'engine/operations/aptRepository.e2e',
  'test/e2e/lockout.e2e',
  'engine/hosts/net.e2e',
  'lab/hosts.e2e',
  'scripts/test.e2e',
  'engine/operations/path.e2e',
  'engine/store/postgres.e2e',
  'engine/temporal/server.e2e',
  'engine/github/redeliver.e2e',
  'engine/operations/system.e2e',
  'test/bad/yaml.e2e',
  'engine/hosts/probe.e2e',
  'engine/hosts/flood.e2e',
  'engine/hosts/runs.e2e',
  'engine/worker.e2e',
  'engine/operations/userScript.e2e',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
  return place === -1 ? LONGEST.length : place;
}
