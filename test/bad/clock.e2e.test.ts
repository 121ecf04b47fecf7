import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setOwnClock } from '../otherTime.ts';
import { nextSecond, policyVerbs } from '../policies.ts';
import { press } from '../press.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';

const HOURS = 60 * 60_000;

/** The machine of the engine and its Temporal is hours off; GitHub, whose times stand on comments and reviews, is not. */
describe.each([
  ['ahead of', 2 * HOURS],
  ['behind', -2 * HOURS],
])('a clock two hours %s GitHub', { timeout: 8 * MINUTES }, (_, off) => {
  let world: World;
  let setBack = (): void => undefined;
  const { setPolicy, change, applyHalves, waitingFor, mergedSoon, onHost } = policyVerbs(() => world);
  beforeAll(async () => {
    setBack = setOwnClock(-off);
    world = await startWorld({
      hosts: 1,
      engine: 'process',
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
    });
    // else Node's, which is the engine's
    world.github.setDate(new Date(Date.now() + 1));
    // and from now on the engine has heard of it
    await setPolicy('rules:\n  all: {approvals: [{count: 1}]}\n');
  }, 4 * MINUTES);
  afterAll(async () => {
    await world?.close();
    setBack();
  });

  it('keeps nobody from applying what was pushed just now', async () => {
    const { pull, sha } = await change('pushed');
    await world.check(sha, 'doaas/plan');
    const head = await world.github.push(world.repo, 'pushed', { 'NEWS.md': 'x\n' });
    await world.check(head, 'doaas/plan');
    await nextSecond();
    await world.approve(pull);
    await waitingFor(head, /Waiting for:\*\* nothing/);
    await world.answer(pull, await world.say(pull, '/doaas status'), /Nothing of this pull request has run/);
    await world.say(pull, '/doaas apply');
    await world.check(head, 'doaas/apply', { conclusion: 'success' });
    await mergedSoon(pull);
  });

  it('leaves the buttons what they are', async () => {
    const { pull, sha } = await change('pressed');
    await world.check(sha, 'doaas/plan');
    await world.approve(pull);
    await waitingFor(sha, /Waiting for:\*\* nothing/);
    await nextSecond();
    await press(world, sha, 'doaas/plan', 'apply', world.github.accounts.author);
    await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    await mergedSoon(pull);
  });

  it('neither makes anybody wait longer for a window, nor lets the engine ask again and again', async () => {
    const { pull, sha } = await change('window');
    await world.check(sha, 'doaas/plan');
    await world.approve(pull);
    const shuts = new Date(Math.ceil((Date.now() + 90_000) / 60_000) * 60_000);
    const opens = new Date(shuts.getTime() + 120_000);
    const clock = (at: Date) => at.toISOString().slice(11, 16);
    // through midnight: all of the day but two minutes
    const hours = `{from: "${clock(opens)}", to: "${clock(shuts)}"}`;
    await setPolicy(`rules:\n  all: {window: {timeZone: UTC, hours: ${hours}}}\n`);
    const pause = `${Math.ceil((shuts.getTime() - Date.now()) / 1000)}s`;
    const long = await applyHalves('long', ['sooner', 'later'], { rollout: { pause } });
    await until(
      async () =>
        (await world.checks(long.sha)).find(({ title }) => title.startsWith('Waiting for the change window')),
      'the run to wait in the middle',
      240,
      async () => JSON.stringify(await world.checks(long.sha)),
    );
    const asked = await world.say(pull, '/doaas apply');
    const opening = `${opens.toISOString().slice(0, 10)} ${clock(opens)} UTC`;
    expect(await world.answer(pull, asked, /The change window is shut/)).toContain(opening);
    // what told of the window is written before that
    await waitingFor(sha, /Waiting for:\*\* the change window/);
    await Promise.all([pull, long.pull].map(commentTells));
    const waits = Date.now();
    for (const each of [long, { pull, sha }]) {
      await world.check(each.sha, 'doaas/apply', { conclusion: 'success', seconds: 240 });
      await mergedSoon(each.pull);
    }
    // each time it were asked again, a check and a comment would be written; a few reads of the answer may still be under way
    const meanwhile = world.github.requests().filter(({ method, at }) => {
      return method !== 'GET' && Date.parse(at) > waits && Date.parse(at) < opens.getTime();
    });
    expect(meanwhile.length).toBeLessThan(10);
    const { stdout = '' } =
      (await world.hosts[0]?.exec('stat -c %Y /etc/doaas-later /etc/doaas-window')) ?? {};
    // by the machine's clock; one after the other, as they are of one host
    const done = stdout.split('\n', 2).map((seconds) => Number(seconds) * 1000 - off);
    let before = opens.getTime();
    for (const at of done) {
      expect(at).toBeGreaterThanOrEqual(before);
      expect(at).toBeLessThan(opens.getTime() + 60_000);
      before = at;
    }
    expect(await onHost('window')).toBe('window\n');
  });

  const commentTells = (pull: number) =>
    until(
      async () => ((await world.comment(pull)).includes('change window') ? true : undefined),
      'the comment to tell of the window',
      30,
      () => world.comment(pull),
    );
});
