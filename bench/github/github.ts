import { setTimeout as pause } from 'node:timers/promises';
import { settings } from '../../engine/config/settings.ts';
import { bundle } from '../../scripts/bundle.ts';
import { LIMITS, type Load, loadOf } from '../../test/githubLoad.ts';
import { serverYaml, startWorld } from '../../test/world.ts';
import { configuration } from '../../test/yaml.ts';
import { rounded } from '../measure.ts';
import { progress, type Result } from '../report.ts';

const HOSTS = 100;
/** Seconds of one host's step: long enough for the run to be shown live, short enough to be waited for. */
const STEP_SECONDS = 5;
const PLAN_SECONDS_MAX = 300;
const RUN_SECONDS_MAX = 1_800;
/** GitHub's minutes begin anew: what one run sends must not be counted with the next. */
const APART_MS = 61_000;

/** Rollouts that a person would declare, and one whose batches are as small as they can be. */
const ROLLOUTS = { default: undefined, 'one by one': { batches: 1 } } as const;

/** One pull request over 100 hosts for each rollout: how much of GitHub's limits the whole of it uses. */
export async function github(argv: readonly string[]): Promise<Result> {
  const hosts = Number(argv[0] ?? HOSTS);
  await bundle();
  const world = await startWorld({
    hosts,
    engine: 'process',
    environment: { DOAAS_GITHUB_WRITES_PER_MINUTE: settings.githubWritesPerMinute.fallback },
    files: (all) => ({ 'servers.yaml': serverYaml(all) }),
    progress,
  });
  try {
    const loads: Record<string, Load & { readonly seconds: number }> = {};
    for (const [name, rollout] of Object.entries(ROLLOUTS)) {
      const before = world.github.requests().length;
      const started = performance.now();
      const id = name.replaceAll(' ', '-');
      const step = {
        check: `test -e /var/tmp/${id}`,
        apply: `sleep ${stepSeconds(name)}; touch /var/tmp/${id}`,
      };
      const spec = {
        scripts: { [id]: { ...step, undo: `rm -f /var/tmp/${id}` } },
        ...(rollout && { rollout }),
      };
      const { pull, sha } = await world.open(id, { [`${id}.yaml`]: configuration(id, spec) });
      await world.check(sha, 'doaas/plan', { conclusion: 'success', seconds: PLAN_SECONDS_MAX });
      await world.approve(pull);
      await world.say(pull, '/doaas apply');
      await world.check(sha, 'doaas/apply', { conclusion: 'success', seconds: RUN_SECONDS_MAX });
      await world.mergedSoon(pull, sha, RUN_SECONDS_MAX);
      const seconds = rounded((performance.now() - started) / 1000);
      loads[name] = { ...loadOf(world.github.requests().slice(before)), seconds };
      progress(`${name}: ${JSON.stringify(loads[name])}`);
      await pause(APART_MS);
    }
    return resultOf(hosts, loads);
  } finally {
    await world.close();
  }
}

function stepSeconds(name: string): number {
  return name === 'default' ? STEP_SECONDS : 0;
}

function resultOf(
  hosts: number,
  loads: Readonly<Record<string, Load & { readonly seconds: number }>>,
): Result {
  const kinds = Object.keys(LIMITS) as (keyof typeof LIMITS)[];
  const over = Object.entries(loads).flatMap(([name, load]) =>
    kinds.filter((kind) => load[kind] > LIMITS[kind]).map((kind) => `${name}: ${kind} ${load[kind]}`),
  );
  if (over.length > 0) throw new Error(`over GitHub's limits with ${hosts} hosts: ${over.join('; ')}`);
  const rows = Object.entries(loads).flatMap(([name, load]) => [
    { what: `${hosts} hosts, rollout ${name}`, value: load.seconds, unit: 's' },
    ...kinds.map((kind) => ({ what: `  ${kind}, the most`, value: load[kind], bar: `<= ${LIMITS[kind]}` })),
  ]);
  return { json: { hosts, loads }, rows };
}
