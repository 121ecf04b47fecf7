import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from '../../engine/config/settings.ts';
import { GITHUB_LIMITS } from '../../lab/github/rate-limits.ts';
import type { RecordedRequest } from '../../lab/github/recorder.ts';
import { LIMITS, loadOf } from '../githubLoad.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** What was sent before the engine had the answer that stops it may arrive so much later. Milliseconds. */
const UNDER_WAY_MS = 500;
const RETRY_AFTER_SECONDS = 14;

/** The budget that users get, and a GitHub that answers 403 to whoever is over its own. */
describe('four runs at once', { timeout: 8 * MINUTES }, () => {
  let world: World;
  let runs: readonly { readonly pull: number; readonly sha: string }[] = [];
  beforeAll(async () => {
    world = await startWorld({
      hosts: NAMES.length,
      environment: { DOAAS_GITHUB_WRITES_PER_MINUTE: settings.githubWritesPerMinute.fallback },
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
    });
    world.github.enforceLimits(GITHUB_LIMITS);
  }, 5 * MINUTES);
  afterAll(() => world?.close());

  const NAMES = ['one', 'two', 'three', 'four'] as const;

  /** Six steps of some seconds, each of which is news to whoever watches. */
  function slowly(name: string, host: number): Record<string, string> {
    const step = (n: number) => ({
      check: `test -e /var/tmp/${name}-${n}`,
      apply: `sleep 4; echo done >> /var/tmp/${name}-${n}`,
      undo: `rm -f /var/tmp/${name}-${n}`,
    });
    const scripts = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`${name}-${n}`, step(n)]));
    return { [`${name}.yaml`]: configuration(name, { targets: { hosts: [`web-${host}`] }, scripts }) };
  }

  const limited = (): readonly RecordedRequest[] =>
    world.github.requests().filter(({ status }) => status === 403 || status === 429);

  it('stay below what GitHub allows, and every check ends true', async () => {
    const opened = [];
    for (const [n, name] of NAMES.entries()) opened.push(await world.open(name, slowly(name, n + 1)));
    runs = opened;
    for (const { sha } of runs) await world.check(sha, 'doaas/plan', { conclusion: 'success', seconds: 120 });
    for (const { pull } of runs) await world.approve(pull);
    for (const { pull } of runs) await world.say(pull, '/doaas apply');
    for (const { pull, sha } of runs) {
      await world.mergedSoon(pull, sha, 300);
      const apply = await world.check(sha, 'doaas/apply', {
        title: /^Applied 6 changes on 1 server/,
        seconds: 180,
      });
      // of two that merge in one moment, the later merges on a base that it was not planned on, and says so
      const alone = apply.title.includes('the merged tree is not the planned one') ? 'neutral' : 'success';
      expect(apply.conclusion).toBe(alone);
      await world.check(sha, 'doaas/verify', { conclusion: 'success', seconds: 120 });
      const says = async () => ((await world.comment(pull)).includes('Applied 6 changes') ? true : undefined);
      await until(says, 'the comment to say so', 180);
      const checks = await world.checks(sha);
      expect(checks.map(({ name, status }) => `${name} ${status}`).sort()).toEqual(
        ['apply', 'plan', 'validate', 'verify'].map((name) => `doaas/${name} completed`),
      );
    }
    const load = loadOf(world.github.requests());
    expect(load.writesAMinute).toBeLessThanOrEqual(LIMITS.writesAMinute);
    expect(load.writesAnHour).toBeLessThanOrEqual(LIMITS.writesAnHour);
    expect(load.requestsAnHour).toBeLessThanOrEqual(LIMITS.requestsAnHour);
    // else nothing was held back, and this has shown nothing
    expect(load.writesAMinute).toBeGreaterThan(LIMITS.writesAMinute / 2);
    expect(limited()).toEqual([]);
  });

  it('send nothing at all between an answer that limits and the time that it names', async () => {
    const opened = await world.open('limited', slowly('limited', 1));
    await world.check(opened.sha, 'doaas/plan', { conclusion: 'success', seconds: 120 });
    await world.approve(opened.pull);
    const respond = { status: 429, headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } };
    world.github.faults.add({ path: /check-runs/, times: 1, respond });
    await world.say(opened.pull, '/doaas apply');
    await until(async () => (limited().length > 0 ? true : undefined), 'a request to be limited', 60);
    // webhooks go on to come meanwhile
    for (const { pull } of runs) await world.say(pull, '/doaas status');
    await world.mergedSoon(opened.pull, opened.sha, 240);
    await world.check(opened.sha, 'doaas/apply', { conclusion: 'success', seconds: 180 });
    const [first] = limited();
    const from = Date.parse(first?.at ?? '');
    const meanwhile = world.github.requests().filter(({ at }) => {
      const after = Date.parse(at) - from;
      return after > UNDER_WAY_MS && after < RETRY_AFTER_SECONDS * 1000;
    });
    expect(meanwhile).toEqual([]);
    expect(limited()).toHaveLength(1);
  });
});
