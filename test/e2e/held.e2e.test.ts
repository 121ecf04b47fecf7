import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pullWorkflowId } from '../../engine/github/workflowIds.ts';
import { compareTrees, describeDifferences, snapshotTree } from '../../lab/compare.ts';
import type { Account } from '../../lab/github/accounts.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { endDeploymentOf } from '../endDeployment.ts';
import { heldStep, letGo, stepBegun, toldToStop } from '../heldStep.ts';
import { press as pressOn } from '../press.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** Of no machine. */
const OTHER_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
const PUBLIC_URL = 'https://doaas.example.org';

/** What keeps a run from its plain end: no way back, a person who interferes, a workflow that is ended from outside. */
describe('a run that does not go straight', { timeout: 3 * MINUTES }, () => {
  let world: World;
  let host: LabHost;
  beforeAll(async () => {
    world = await startWorld({
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
      environment: { DOAAS_PUBLIC_URL: PUBLIC_URL },
    });
    const [first] = world.hosts;
    if (first === undefined) throw new Error('there is no host');
    host = first;
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const on = async (script: string): Promise<string> => (await host.exec(script)).stdout.trim();
  const file = (name: string, spec: Readonly<Record<string, unknown>> = {}): Record<string, string> => ({
    [`${name}.yaml`]: configuration(name, {
      files: { [`/etc/doaas-${name}`]: { content: `${name}\n` } },
      ...spec,
    }),
  });
  const held = (name: string): Record<string, string> => file(name, { scripts: { [name]: heldStep(name) } });
  const planned = async (name: string, files: Readonly<Record<string, string>>) => {
    const opened = await world.open(name, files);
    await world.check(opened.sha, 'doaas/plan', { conclusion: 'success' });
    return opened;
  };
  const approved = async (name: string, files: Readonly<Record<string, string>>) => {
    const opened = await planned(name, files);
    await world.approve(opened.pull);
    await world.say(opened.pull, '/doaas apply');
    return opened;
  };
  const begun = (name: string) => stepBegun([host], name);
  const stopHeard = async (pull: number, name: string): Promise<void> => {
    await toldToStop(world.engine.temporal(), pull);
    await letGo([host], name);
  };
  const mergedSoon = (pull: number, sha?: string) => world.mergedSoon(pull, sha);
  const press = (...what: [string, string, string, Account]) => pressOn(world, ...what);
  const said = (pull: number, text: RegExp) =>
    until(
      async () => {
        const bodies = (await world.github.listComments(world.repo, pull)).map((c) => String(c.body));
        return bodies.find((body) => text.test(body));
      },
      `a comment like ${text}`,
      60,
      async () => JSON.stringify((await world.github.listComments(world.repo, pull)).map((c) => c.body)),
    );
  const withoutRuns = async (before: Awaited<ReturnType<typeof snapshotTree>>): Promise<string> =>
    describeDifferences(await compareTrees(before, await snapshotTree(host)));

  it('is begun, planned again and taken back with buttons, also once it is merged', async () => {
    const { author } = world.github.accounts;
    const { pull, sha } = await planned('press', held('press'));
    const before = await snapshotTree(host);
    await press(sha, 'doaas/plan', 'plan', author);
    await said(pull, /Planning again on fresh facts/);
    await world.approve(pull);
    await press(sha, 'doaas/plan', 'apply', author);
    await begun('press');
    await press(sha, 'doaas/apply', 'rollback', author);
    await stopHeard(pull, 'press');
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(apply.title).toBe(`${author.login} asked for a rollback; 1 server restored as before`);
    expect(apply.summary).toContain(`${author.login} asked for a rollback.`);
    expect(await withoutRuns(before)).toBe('');

    await press(sha, 'doaas/plan', 'apply', author);
    await mergedSoon(pull, sha);
    const merge = String((await world.github.getPull(world.repo, pull)).merge_commit_sha);
    const done = await world.check(sha, 'doaas/apply', { conclusion: 'success', title: /merged as/ });
    expect(done.title).toMatch(
      new RegExp(`^Applied 2 changes on 1 server in .*; merged as ${merge.slice(0, 8)}$`),
    );
    expect(done.summary).toContain(`Merged as ${merge}. The branch says what the servers are.`);
    await press(sha, 'doaas/apply', 'rollback', author);
    const answer = await said(pull, /The hosts are as they were before pr\d+-[0-9a-f]+/);
    expect(await withoutRuns(before)).toBe('');
    const revert = Number(/Pull request #(\d+) reverts it/.exec(answer)?.[1]);
    await world.github.mergeByHand(world.repo, revert);
  });

  it('is not said to be taken back late where its server does not know any more what was there before', async () => {
    const { pull, sha } = await approved('forgotten', file('forgotten'));
    await mergedSoon(pull, sha);
    await on(`rm -r /var/lib/doaas/runs/pr${pull}-*`);
    const comment = await world.say(pull, '/doaas rollback');
    const answer = await world.answer(pull, comment, /Not rolled back/);
    expect(answer).toMatch(/web-1: what was there before is gone: servers keep it for 30 days/);
    expect(await on('cat /etc/doaas-forgotten')).toBe('forgotten');
  });

  it('of a way in is not taken back late, but by its revert, which a fresh login confirms', async () => {
    const path = '/etc/profile.d/doaas-late.sh';
    const { pull, sha } = await approved('way-in', {
      'way-in.yaml': configuration('way-in', { files: { [path]: { content: 'LATE=1\n' } } }),
    });
    await mergedSoon(pull, sha);
    const comment = await world.say(pull, '/doaas rollback');
    const answer = await world.answer(pull, comment, /Not rolled back, and nothing was changed/);
    expect(answer).toMatch(/what people and the engine get in.*It is about .*doaas-late.* on web-1/);
    expect(await on(`cat ${path}`)).toBe('LATE=1');
    const revert = Number(/Pull request #(\d+) was opened as the revert/.exec(answer)?.[1]);
    const back = String(((await world.github.getPull(world.repo, revert)).head as { sha: string }).sha);
    const plan = await world.check(back, 'doaas/plan', { conclusion: 'success' });
    expect(plan.summary).toContain('Guarded on web-1');
    await world.approve(revert);
    await world.say(revert, '/doaas apply');
    await mergedSoon(revert, back);
    expect(await on(`ls ${path} 2>/dev/null`)).toBe('');
  });

  it('is taken back late where its server is reached otherwise by then, and not from another in its place', async () => {
    const { pull, sha } = await approved('moved', file('moved'));
    await mergedSoon(pull, sha);
    const was = serverYaml(world.hosts);
    const place = (yaml: string) => world.github.push(world.repo, 'main', { 'servers.yaml': yaml });
    const own = '/etc/ssh/sshd_config.d/moved.conf';
    let back = '';
    try {
      await place(was.replace(/hostKey: "[^"]+"/, `hostKey: "${OTHER_KEY}"`));
      const other = await world.answer(pull, await world.say(pull, '/doaas rollback'), /Not rolled back/);
      expect(other).toMatch(/web-1: its Server document has another host key by now/);
      await on(`echo 'Port 2222' > ${own}; systemctl restart ssh`);
      await place(was.replace('spec: {', 'spec: {port: 2222, '));
      const again = await world.say(pull, '/doaas rollback');
      back = await world.answer(pull, again, /The hosts are as they were before/);
      expect(await on('ls /etc/doaas-moved 2>/dev/null')).toBe('');
    } finally {
      await on(`rm -f ${own}; systemctl restart ssh`);
      await place(was);
    }
    const revert = Number(/Pull request #(\d+) reverts it/.exec(back)?.[1]);
    await world.github.mergeByHand(world.repo, revert);
  });

  it('is taken back when its pull request is closed', async () => {
    const before = await snapshotTree(host);
    const { pull, sha } = await approved('closed', held('closed'));
    await begun('closed');
    await world.github.closePullRequest(world.repo, pull);
    await stopHeard(pull, 'closed');
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(apply.title).toBe('The pull request was closed while it was applied; 1 server restored as before');
    expect(await world.merged(pull)).toBe(false);
    expect(await withoutRuns(before)).toBe('');
  });

  it('is taken back when a newer commit is pushed, which is planned on the restored server', async () => {
    const { pull, sha } = await approved('pushed', held('pushed'));
    await begun('pushed');
    const next = await world.github.push(world.repo, 'pushed', {
      'pushed.yaml': configuration('pushed', { files: { '/etc/doaas-pushed': { content: 'newer\n' } } }),
    });
    await stopHeard(pull, 'pushed');
    expect((await world.check(next, 'doaas/validate')).conclusion).toBe('success');
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(apply.title).toBe(
      'A newer commit was pushed while this one was applied; 1 server restored as before',
    );
    const plan = await world.check(next, 'doaas/plan', { conclusion: 'success' });
    expect(plan.title).toBe('1 change on 1 server; nothing is interrupted; fully reversible');
    expect(plan.summary).not.toMatch(/drift|was there before|left the YAML/);
    expect(await on('ls /etc/doaas-pushed /var/tmp/pushed.* 2>/dev/null')).toBe('');
    await world.approve(pull);
    await world.say(pull, `/doaas apply ${next}`);
    await mergedSoon(pull, next);
    expect(await on('cat /etc/doaas-pushed')).toBe('newer');
  });

  it('of a draft is validated and planned, and applied only once it is ready', async () => {
    const sha = await world.github.branchWithChanges(world.repo, 'draft', file('draft'));
    const pull = await world.github.openPullRequest(world.repo, { branch: 'draft', draft: true });
    expect((await world.check(sha, 'doaas/validate')).conclusion).toBe('success');
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    const early = await world.say(pull, '/doaas apply');
    await world.answer(pull, early, /Not applied. Missing: the pull request is a draft; mark it as ready/);
    expect(await on('ls /etc/doaas-draft 2>/dev/null')).toBe('');
    await world.github.setDraft(world.repo, pull, false);
    await world.say(pull, '/doaas apply');
    await mergedSoon(pull, sha);
    expect(await on('cat /etc/doaas-draft')).toBe('draft');
  });

  it('whose workflow was ended from outside is undone by the next one on its server', async () => {
    const dead = await approved('dead', held('dead'));
    await begun('dead');
    await endDeploymentOf(world.engine.temporal(), dead.pull);
    await letGo([host], 'dead');
    const next = await approved('next', file('next'));
    await mergedSoon(next.pull, next.sha);
    expect(await on('cat /etc/doaas-next; ls /etc/doaas-dead /var/tmp/dead.* 2>/dev/null')).toBe('next');
    const left = await world.check(dead.sha, 'doaas/apply', { conclusion: 'failure' });
    expect(left.title).toMatch(/^The run ended without cleaning up; pr\d+-[0-9a-f]+ undid what it had done/);

    await world.say(dead.pull, '/doaas apply');
    await mergedSoon(dead.pull, dead.sha);
    expect(await on('cat /etc/doaas-dead; ls /var/tmp/dead.done')).toBe('dead\n/var/tmp/dead.done');
  });

  it('whose workflow was ended from outside is noticed also by a pull request whose history was begun anew', {
    timeout: 6 * MINUTES,
  }, async () => {
    const dead = await approved('orphan', held('orphan'));
    await begun('orphan');
    const { workflow } = world.engine.temporal();
    const pull = {
      repository: { ...world.repo, installationId: world.github.installationId },
      number: dead.pull,
    };
    const handle = workflow.getHandle(pullWorkflowId(pull));
    const { runId } = await handle.describe();
    const isAnew = async () => ((await handle.describe()).runId === runId ? undefined : true);
    // one by one they would take minutes; a history is begun anew after 4,096 events, or far fewer where engines are many
    for (let sent = 0; sent < 4200 && (await isAnew()) === undefined; sent += 100)
      await Promise.all(Array.from({ length: 100 }, () => handle.signal('pullEvent', { kind: 'reviewed' })));
    await until(isAnew, 'the history to be begun anew', 150);
    expect(await handle.query('pullStatus')).toMatchObject({ deployment: expect.stringMatching(/^pr/) });
    await endDeploymentOf(world.engine.temporal(), dead.pull);
    await until(
      async () => {
        const { deployment } = await handle.query<{ deployment?: string }>('pullStatus');
        return deployment === undefined ? true : undefined;
      },
      'the end to be noticed',
      60,
    );
    await letGo([host], 'orphan');
    const next = await approved('after-orphan', file('after-orphan'));
    await mergedSoon(next.pull, next.sha);
    expect(await on('ls /etc/doaas-orphan /var/tmp/orphan.* 2>/dev/null; echo none')).toBe('none');
    await world.github.closePullRequest(world.repo, dead.pull);
  });

  it('shows its whole plan behind a signed link, where GitHub has no room for it', async () => {
    const lines = Array.from({ length: 1200 }, (_, i) => `line ${i} <b>&amp;</b> of a long file`);
    const { pull, sha } = await planned('long', {
      'long.yaml': configuration('long', {
        files: { '/etc/doaas-long': { content: `${lines.join('\n')}\n` } },
      }),
    });
    const plan = (await world.github.listChecks(world.repo, sha)).find((run) => run.name === 'doaas/plan');
    const url = String(plan?.details_url);
    expect(url).toMatch(
      /^https:\/\/doaas\.example\.org\/plans\/[0-9a-f]{64}\?expires=\d+&signature=[0-9a-f]{64}$/,
    );
    expect((await world.check(sha, 'doaas/plan')).summary).not.toContain('line 1199 ');
    const commented = await until(
      async () =>
        /\]\((https:\/\/doaas\.example\.org\/plans\/[^)\s]+)\)/.exec(await world.comment(pull))?.[1],
      'the link in the comment',
    );
    for (const link of [url, commented]) {
      const answer = await fetch(link.replace(PUBLIC_URL, world.engine.url()));
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      const text = await answer.text();
      expect(text).toContain(`${world.repo.owner}/${world.repo.name}#${pull}`);
      for (const line of lines) expect(text).toContain(`+${line}\n`);
    }
    const forged = url.replace(PUBLIC_URL, world.engine.url()).replace(/expires=\d/, 'expires=9');
    expect((await fetch(forged)).status).toBe(403);
    await world.github.closePullRequest(world.repo, pull);
  });

  // late, because what goes wrong here keeps the server from the others
  it('that cannot be undone is held, says what remains, and keeps its server until somebody unlocks it', async () => {
    const { pull, sha } = await approved(
      'stuck',
      file('stuck', {
        scripts: {
          stuck: {
            check: 'test -e /var/tmp/stuck',
            apply: 'touch /var/tmp/stuck',
            undo: 'echo no way back >&2; exit 1',
          },
        },
        probes: [{ tcp: 'localhost:81', within: '1s' }],
      }),
    );
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(apply.title).toBe('web-1 needs a person');
    const commented = await until(async () => {
      const text = await world.comment(pull);
      return text.includes('web-1 needs a person') ? text : undefined;
    }, 'the comment to follow');
    for (const text of [apply.summary, commented]) {
      expect(text).toContain('localhost:81 failed on web-1');
      expect(text).toContain('**not restored**');
      expect(text).toMatch(/What remains on `web-1`[\s\S]*no way back/);
      expect(text).toContain('The servers stay locked');
      expect(text).toContain('`/doaas unlock` frees the servers');
    }
    expect(await world.merged(pull)).toBe(false);
    expect(await on('ls /var/tmp/stuck; ls /etc/doaas-stuck 2>&1')).toMatch(
      /^\/var\/tmp\/stuck\n.*No such file/,
    );

    const second = await approved('behind', file('behind'));
    const waiting = await until(
      async () =>
        (await world.checks(second.sha)).find(
          (run) => run.name === 'doaas/apply' && run.title.startsWith('Waiting'),
        ),
      'the second to wait',
    );
    expect(waiting.title).toBe(`Waiting for ${world.repo.owner}/${world.repo.name}#${pull}`);

    const denied = await world.say(pull, '/doaas unlock', world.github.accounts.reader);
    await world.answer(pull, denied, /`unlock` needs write access to this repository, which you do not have/);
    expect(await world.merged(second.pull)).toBe(false);
    const other = await world.say(pull, '/doaas unlock web-9', world.github.accounts.reviewer);
    await world.answer(pull, other, /This pull request holds no server `web-9`/);
    expect(await world.merged(second.pull)).toBe(false);
    const unlock = await world.say(pull, '/doaas unlock web-1', world.github.accounts.reviewer);
    await world.answer(pull, unlock, /is free now. What the run left there stays as it is/);
    await mergedSoon(second.pull, second.sha);
    expect(await on('cat /etc/doaas-behind; rm -f /var/tmp/stuck')).toBe('behind');
    await world.github.closePullRequest(world.repo, pull);
  });

  it('sent GitHub nothing that its API description does not know, and left nothing running', async () => {
    expect(world.github.violations()).toEqual([]);
    expect(await on('systemctl list-units --no-legend "doaas-*"')).toBe('');
  });
});
