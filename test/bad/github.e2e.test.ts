import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fault, MERGE_BUSY, primaryRateLimit, secondaryRateLimit } from '../../lab/github/faults.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

const CHECKS = /\/check-runs/;
const COMMENTS = /\/issues\/\d+\/comments/;
const COMMENTS_ONE = /\/issues\/comments\/\d+$/;
const PULL = /\/pulls\/\d+$/;
const MERGE = /\/pulls\/\d+\/merge/;
const INVALID = { status: 422, body: { message: 'Validation Failed' } };
const broken = (status: number) => ({ status, body: { message: 'Server Error' } });

/** GitHub as it is on a bad day: a run still ends right, each effect once. */
describe("when GitHub's answers go wrong", { timeout: 4 * MINUTES }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const motd = async (): Promise<string> => (await world.hosts[0]?.exec('cat /etc/motd'))?.stdout ?? '';
  const files = (content: string) => ({
    'web.yaml': configuration('web', { files: { '/etc/motd': { content } } }),
  });

  async function applied(name: string, faults: readonly Fault[], late: readonly Fault[] = []) {
    for (const fault of faults) world.github.faults.add(fault);
    const { pull, sha } = await world.open(name, files(`${name}\n`));
    await world.check(sha, 'doaas/plan', { conclusion: 'success', seconds: 90 });
    await world.approve(pull);
    for (const fault of late) world.github.faults.add(fault);
    const comment = await world.say(pull, '/doaas apply');
    return { pull, sha, comment };
  }

  async function endsRight({ pull, sha }: { pull: number; sha: string }, name: string): Promise<void> {
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'success', seconds: 120 });
    expect(apply.title).toMatch(/^Applied 1 change on 1 server/);
    await until(async () => ((await world.merged(pull)) ? true : undefined), 'the merge', 90);
    await until(
      async () => ((await world.comment(pull)).includes('Applied 1 change') ? true : undefined),
      'the comment to say so',
      90,
    );
    world.github.faults.clear();
    expect(await motd()).toBe(`${name}\n`);
    const names = (await world.checks(sha)).map((check) => check.name).sort();
    expect(names).toEqual(['doaas/apply', 'doaas/plan', 'doaas/validate', 'doaas/verify']);
    const comments = (await world.github.listComments(world.repo, pull)).map(({ body }) => String(body));
    expect(comments.filter((body) => body.includes('<!-- doaas:pull-request -->'))).toHaveLength(1);
  }

  async function isRestored({ pull, sha }: { pull: number; sha: string }, before: string, why: RegExp) {
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure', seconds: 90 });
    expect(apply.title).toMatch(why);
    expect(apply.title).toMatch(/; 1 server restored as before$/);
    expect(apply.summary).toMatch(why);
    expect(await motd()).toBe(before);
    expect(await world.merged(pull)).toBe(false);
    world.github.faults.clear();
    await world.github.closePullRequest(world.repo, pull);
  }

  it('5xx and answers that never come: everything is tried again', async () => {
    const run = await applied(
      'server-errors',
      [
        { method: 'GET', path: PULL, times: 4, respond: broken(502) },
        { method: 'POST', path: CHECKS, times: 2, respond: broken(503) },
        { method: 'PATCH', path: CHECKS, times: 2, respond: 'drop' },
        { method: 'POST', path: COMMENTS, times: 1, respond: broken(500) },
      ],
      [
        { method: 'GET', path: COMMENTS, times: 2, respond: 'drop' },
        { method: 'GET', path: /\/reviews/, times: 3, respond: broken(504) },
        { method: 'PUT', path: MERGE, times: 2, respond: broken(502) },
      ],
    );
    await endsRight(run, 'server-errors');
  });

  it('answers that are lost after the effect: nothing is there twice', async () => {
    const lost = { times: 1, respond: broken(502), afterEffect: true } as const;
    const run = await applied(
      'lost-answers',
      [
        { method: 'POST', path: CHECKS, ...lost, times: 3 },
        { method: 'POST', path: COMMENTS, ...lost },
        { method: 'PATCH', path: CHECKS, ...lost },
      ],
      [
        { method: 'POST', path: CHECKS, ...lost, times: 2 },
        { method: 'PUT', path: MERGE, ...lost },
      ],
    );
    await endsRight(run, 'lost-answers');
    const commits = await world.github.getPull(world.repo, run.pull);
    expect(commits.merge_commit_sha).toBe(await world.github.branchSha(world.repo, 'main'));
  });

  it('rate limits: the engine waits as long as GitHub says, and merges afterwards', async () => {
    const soon = (): number => Math.ceil(Date.now() / 1000) + 3;
    const run = await applied(
      'limited',
      [
        { method: 'GET', path: PULL, times: 1, respond: primaryRateLimit(soon()) },
        { method: 'POST', path: CHECKS, times: 1, respond: secondaryRateLimit(1) },
        { method: 'POST', path: COMMENTS, times: 1, respond: secondaryRateLimit(3) },
      ],
      [
        { method: 'PUT', path: MERGE, times: 1, respond: secondaryRateLimit(3) },
        { method: 'PUT', path: MERGE, times: 1, respond: { status: 429, headers: { 'retry-after': '4' } } },
      ],
    );
    await endsRight(run, 'limited');
    const tried = world.github.requests().filter(({ method, path }) => method === 'PUT' && MERGE.test(path));
    const [first = 0, second = 0, third = 0] = tried.slice(-3).map(({ at }) => Date.parse(at));
    expect(second - first).toBeGreaterThanOrEqual(3_000);
    expect(third - second).toBeGreaterThanOrEqual(4_000);
  });

  it('404 for what was made just now: it is looked for again', async () => {
    const gone = { status: 404, body: { message: 'Not Found' } };
    const run = await applied(
      'not-yet',
      [
        { method: 'GET', path: PULL, times: 2, respond: gone },
        { method: 'POST', path: CHECKS, times: 1, respond: gone },
      ],
      [
        { method: 'GET', path: PULL, times: 1, respond: gone },
        { method: 'PUT', path: MERGE, times: 1, respond: gone },
      ],
    );
    await endsRight(run, 'not-yet');
  });

  it.each([
    [403, 'Resource not accessible by integration'],
    [405, 'At least 2 approving reviews are required'],
    [422, 'Validation Failed'],
    [451, 'Repository access blocked'],
  ])(
    'a merge that GitHub refuses with %s: the servers are put back and its words are shown',
    async (status, message) => {
      const before = await motd();
      const refused = { status, body: { message } };
      // a 403 is asked again with a newer token
      const fault = { method: 'PUT', path: MERGE, times: 2, respond: refused };
      const run = await applied(`refused-${status}`, [], [fault]);
      await isRestored(run, before, new RegExp(`GitHub refused the merge: .*${message}`));
    },
  );

  it('405 while another merge is under way: it is asked again, and nothing is put back', async () => {
    const busy = MERGE_BUSY.map((respond) => ({ method: 'PUT', path: MERGE, times: 2, respond }));
    const run = await applied('busy', [], busy);
    await endsRight(run, 'busy');
  });

  it('a merge that is not there for good: the servers are put back too', async () => {
    const before = await motd();
    const gone = { status: 404, body: { message: 'Not Found' } };
    const run = await applied('vanished', [], [{ method: 'PUT', path: MERGE, times: 99, respond: gone }]);
    await isRestored(run, before, /GitHub refused the merge: .*GitHub answers 404: it is not there/);
  });

  it('422 and 404 for what people can do without: the command is obeyed all the same', async () => {
    const run = await applied(
      'courtesy',
      [],
      [
        {
          method: 'POST',
          path: /\/reactions/,
          times: 9,
          respond: { status: 404, body: { message: 'Not Found' } },
        },
        { method: 'PATCH', path: COMMENTS_ONE, times: 1, respond: INVALID },
        { method: 'POST', path: CHECKS, times: 1, respond: INVALID },
      ],
    );
    await endsRight(run, 'courtesy');
  });

  it('422 for the check of a plan: nothing is applied, and whatever comes next plans anew', async () => {
    // the first is the check of the validation
    const passed = { method: 'POST', path: CHECKS, times: 1, respond: { delayMs: 0 } };
    world.github.faults.add(passed);
    world.github.faults.add({ ...passed, respond: INVALID });
    const { pull, sha } = await world.open('planless', files('planless\n'));
    await world.check(sha, 'doaas/validate', { conclusion: 'success' });
    // GitHub's times have whole seconds: asked for at the end of one, the plan that this makes is of a later one
    await until(async () => (Date.now() % 1000 > 800 ? true : undefined), 'the end of a second');
    const early = await world.say(pull, '/doaas apply');
    await world.answer(pull, early, /The plan changed after you asked/);
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.github.closePullRequest(world.repo, pull);
  });

  it('422 for a check: that head gets none, the next plan does', async () => {
    world.github.faults.add({ method: 'POST', path: CHECKS, times: 1, respond: INVALID });
    const { pull, sha } = await world.open('invalid', files('invalid\n'));
    await world.answer(pull, await world.say(pull, '/doaas plan'), /Planning again/);
    await world.check(sha, 'doaas/validate', { conclusion: 'success' });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.github.closePullRequest(world.repo, pull);
  });
});
