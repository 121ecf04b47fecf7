import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyReceipts } from '../../engine/store/auditReceipts.ts';
import { openStore } from '../../engine/store/store.ts';
import { compareTrees, describeDifferences, snapshotTree } from '../../lab/compare.ts';
import { compareInventories, inventoryOf } from '../../lab/inventory.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** The story of the demo, and what goes wrong around it, each on real hosts through HTTP. */
describe('a pull request', { timeout: 3 * MINUTES }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ hosts: 3, files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const onAll = (script: string): Promise<string[]> =>
    Promise.all(world.hosts.map(async (host) => (await host.exec(script)).stdout));
  const snapshots = () => Promise.all(world.hosts.map((host) => snapshotTree(host)));
  const inventories = () => Promise.all(world.hosts.map((host) => inventoryOf(host)));
  /** Counted by the hosts' own sshd. */
  const logins = async (): Promise<number[]> =>
    (await onAll("journalctl -q -u ssh | grep -c 'Accepted publickey' || true")).map(Number);
  const mergedSoon = (pull: number) => world.mergedSoon(pull, '', 30);

  it('is validated, planned, approved by somebody else, applied, verified and merged', async () => {
    const { pull, sha } = await world.open('good', {
      'web.yaml': configuration('web', { files: { '/etc/motd': { content: 'welcome\n' } } }),
    });
    expect((await world.check(sha, 'doaas/validate')).title).toBe('Valid: 4 documents for 3 servers');
    expect(await world.check(sha, 'doaas/plan')).toMatchObject({
      conclusion: 'success',
      title: '3 changes on 3 servers; nothing is interrupted; fully reversible',
    });
    await until(
      async () => ((await world.comment(pull)).includes('one approving review') ? true : undefined),
      'the comment',
      20,
    );

    const early = await world.say(pull, '/doaas apply');
    await answered(
      pull,
      early,
      /Not applied. Missing: one approving review by somebody with write access other than anna-author/,
    );
    expect(await onAll('cat /etc/motd')).not.toContain('welcome\n');

    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    expect((await world.check(sha, 'doaas/apply', { conclusion: 'success' })).title).toMatch(
      /^Applied 3 changes on 3 servers/,
    );
    expect((await world.check(sha, 'doaas/verify')).conclusion).toBe('success');
    await mergedSoon(pull);
    expect(await onAll('cat /etc/motd')).toEqual(['welcome\n', 'welcome\n', 'welcome\n']);
    expect(await world.github.fileAt(world.repo, 'main', 'web.yaml')).toContain('welcome');
    await expectAudited(pull, sha, early);
    // In each process, reading, planning again, applying and verifying share one connection; where a minute passes unused, it is a new one.
    for (const count of await logins()) {
      expect(count).toBeGreaterThanOrEqual(1);
      expect(count).toBeLessThanOrEqual(2 * world.engine.reaching);
    }
  });

  /** Who did what, by which comment, to which head and plan, with what came of it; the chain fits. */
  async function expectAudited(pull: number, headSha: string, early: number): Promise<void> {
    const store = await openStore(world.engine.store, { readOnly: true });
    try {
      const entries = await until(
        async () => {
          const all = await store.audit.list({ pull });
          return all.some((entry) => entry.what === 'applied') ? all : undefined;
        },
        'the end of the run in the audit log',
        20,
      );
      expect(entries.map((entry) => entry.what)).toEqual([
        'plan',
        'ask-apply',
        'ask-apply',
        'apply',
        'confirm',
        'applied',
      ]);
      const digest = entries[0]?.digest;
      expect(entries[1]).toMatchObject({ who: 'anna-author', detail: { comment: early } });
      const event = { kind: 'comment', id: expect.any(Number) };
      expect(entries[4]).toMatchObject({
        detail: { event, approvedBy: ['rob-reviewer'], rules: [], policyCommit: expect.any(String) },
      });
      expect(entries[5]).toMatchObject({
        headSha,
        digest,
        detail: {
          event,
          hosts: ['web-1', 'web-2', 'web-3'],
          receipts: { done: 3 },
          receiptsDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      });
      expect((await store.audit.verify()).brokenAt).toBeUndefined();
      const check = (await world.github.listChecks(world.repo, headSha)).find(
        (each) => each.name === 'doaas/apply',
      );
      const { text } = (check?.output ?? {}) as { readonly text?: string };
      const [, witness = ''] = /^Audit log up to here: `([0-9a-f]{64})`/.exec(String(text)) ?? [];
      expect(await store.audit.has(witness)).toBe(true);
      expect(await verifyReceipts(store)).toEqual({ runs: 1, edited: [] });
    } finally {
      await store.close();
    }
  }

  it('is rolled back byte for byte when a probe fails', async () => {
    const before = await snapshots();
    const inventory = await inventories();
    const { pull, sha } = await world.open('bad-probe', {
      'web.yaml': configuration('web', {
        files: { '/etc/motd': { content: 'bad\n' }, '/srv/new/deep/file': { content: 'x' } },
        probes: [{ tcp: 'localhost:81', within: '1s' }],
      }),
    });
    await world.check(sha, 'doaas/plan');
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(apply.title).toBe('Probe tcp localhost:81 failed on web-1; 1 server restored as before');
    expect(apply.summary).toContain('TCP localhost:81 refused the connection');
    expect(await world.merged(pull)).toBe(false);
    const after = await snapshots();
    for (const [i, snapshot] of after.entries()) {
      const first = before[i];
      if (first === undefined) throw new Error('a snapshot is missing');
      expect(describeDifferences(await compareTrees(first, snapshot))).toBe('');
    }
    const now = await inventories();
    for (const [i, inv] of now.entries()) expect(compareInventories(inventory[i] ?? {}, inv)).toEqual([]);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('is rolled back on all servers that it reached when a step fails on one of them', async () => {
    await world.hosts[1]?.exec('echo in the way > /srv/app');
    const { pull, sha } = await world.open('bad-step', {
      'web.yaml': configuration('web', {
        files: { '/etc/motd': { content: 'half\n' }, '/srv/app/conf': { content: 'x' } },
      }),
    });
    await world.check(sha, 'doaas/plan');
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(apply.title).toMatch(/conf.* failed on web-2; 2 servers restored as before/);
    expect(apply.summary).toMatch(
      /mkdir: cannot create directory|cannot overwrite|Not a directory|File exists/,
    );
    expect(await onAll('cat /etc/motd; ls /srv')).toEqual(['welcome\n', 'welcome\napp\n', 'welcome\n']);
    await world.hosts[1]?.exec('rm /srv/app');
    await world.github.closePullRequest(world.repo, pull);
  });

  it('needs a new approval after a push, and a newer plan than the approval', async () => {
    const { pull, sha } = await world.open('pushed', {
      'web.yaml': configuration('web', { files: { '/etc/motd': { content: 'one\n' } } }),
    });
    await world.check(sha, 'doaas/plan');
    await world.approve(pull);
    const next = await world.github.push(world.repo, 'pushed', {
      'web.yaml': configuration('web', { files: { '/etc/motd': { content: 'two\n' } } }),
    });
    await world.check(next, 'doaas/plan');
    const comment = await world.say(pull, `/doaas apply ${next}`);
    await answered(pull, comment, /the one by rob-reviewer does not count: it was for an older head/);
    await world.approve(pull);
    await world.say(pull, `/doaas apply ${next}`);
    await world.check(next, 'doaas/apply', { conclusion: 'success' });
    await mergedSoon(pull);
    expect(await onAll('cat /etc/motd')).toEqual(['two\n', 'two\n', 'two\n']);
  });

  it('answers commands that are wrong or not allowed, and reacts at once', async () => {
    const { pull, sha } = await world.open('talk', {
      'web.yaml': configuration('web', { files: { '/etc/motd': { content: 'talk\n' } } }),
    });
    await world.check(sha, 'doaas/plan');
    const { reader, author } = world.github.accounts;
    const wrong = await world.say(pull, '/doaas aply');
    await answered(pull, wrong, /apply/);
    const denied = await world.say(pull, '/doaas apply', reader);
    await answered(pull, denied, /needs write access to this repository, which you do not have/);
    const status = await world.say(pull, '/doaas status', reader);
    await answered(pull, status, /Nothing of this pull request has run yet/);
    // it comes beside the answer
    await until(
      async () =>
        (await world.github.listReactions(world.repo, status)).some(({ content }) => content === 'eyes')
          ? true
          : undefined,
      'the reaction',
    );
    const help = await world.say(pull, '/doaas help', author);
    await answered(pull, help, /`\/doaas rollback` takes the change back/);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('rolls a merged change back and opens the revert', async () => {
    const { pull, sha } = await world.open('to-revert', {
      'web.yaml': configuration('web', { files: { '/etc/motd': { content: 'regretted\n' } } }),
    });
    await world.check(sha, 'doaas/plan');
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    await mergedSoon(pull);
    expect(await onAll('cat /etc/motd')).toEqual(['regretted\n', 'regretted\n', 'regretted\n']);
    const comment = await world.say(pull, '/doaas rollback');
    const text = await answered(
      pull,
      comment,
      /The hosts are as they were before pr\d+-[0-9a-f]+\. Pull request #\d+ reverts it/,
    );
    expect(await onAll('cat /etc/motd')).toEqual(['two\n', 'two\n', 'two\n']);
    const revert = Number(/Pull request #(\d+)/.exec(text)?.[1]);
    const head = String(((await world.github.getPull(world.repo, revert)).head as { sha: string }).sha);
    // it may have been planned before the servers were back; then it is planned again
    await world.check(head, 'doaas/plan', { title: /^Nothing to do$/ });
    const beside = await world.open('beside', {
      'beside.yaml': configuration('beside', { files: { '/etc/doaas-beside': { content: 'beside\n' } } }),
    });
    const plan = await world.check(beside.sha, 'doaas/plan', { conclusion: 'success' });
    expect(plan.summary).toMatch(
      /had that rolled back on web-1\. This plan would bring it back: merge its revert/,
    );
    await world.github.closePullRequest(world.repo, beside.pull);
    await world.github.mergeByHand(world.repo, revert);
  });

  it('says what leaves the YAML, what was adopted and what has drifted', async () => {
    await world.hosts[0]?.exec('echo drifted > /etc/motd; echo mine > /etc/adopted');
    const { pull, sha } = await world.open('words', {
      'web.yaml': configuration('renamed', {
        files: { '/etc/motd': { content: 'two\n' }, '/etc/adopted': { content: 'ours\n' } },
      }),
    });
    const plan = await world.check(sha, 'doaas/plan');
    expect(plan.summary).toMatch(/drift/i);
    expect(plan.summary).toMatch(/adopt|was there before/i);
    await world.github.push(world.repo, 'words', {
      'web.yaml': configuration('renamed', { files: { '/etc/other': { content: 'x' } } }),
    });
    const head = await world.github.branchSha(world.repo, 'words');
    const removal = await world.check(head, 'doaas/plan');
    expect(removal.summary).toContain('left the YAML');
    await world.github.closePullRequest(world.repo, pull);
  });

  it('sent GitHub nothing that its API description does not know', () => {
    expect(world.github.violations()).toEqual([]);
  });

  function answered(pull: number, comment: number, text: RegExp): Promise<string> {
    return until(
      async () => {
        const own = (await world.github.listComments(world.repo, pull)).find((candidate) =>
          String(candidate.body).startsWith(`<!-- doaas:reply-${comment} -->`),
        );
        return own !== undefined && text.test(String(own.body)) ? String(own.body) : undefined;
      },
      `an answer to comment ${comment} like ${text}`,
      30,
      async () => JSON.stringify((await world.github.listComments(world.repo, pull)).map((c) => c.body)),
    );
  }
});
