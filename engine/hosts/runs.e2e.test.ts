import { describe, expect, it } from 'vitest';
import { useTestHost } from '../operations/testing/cycle.ts';
import type { ResolvedConfiguration } from '../spec/configuration.ts';
import { runBatch } from './batchRun.ts';
import type { Fence } from './fence.ts';

const OURS = '4711';
const THEIRS = '815';

describe('what a real host keeps of its runs', { timeout: 120_000 }, () => {
  const t = useTestHost();
  const lock = (number: number, store = OURS): Fence => ({ store, number });
  const file = (path: string, text = 'new\n'): Partial<ResolvedConfiguration> => ({
    files: {
      [path]: {
        state: 'file',
        content: t.harness().payload(text),
        mode: '0600',
        owner: 'root',
        group: 'root',
        notify: { reload: [], restart: [] },
      },
    },
  });
  const paths: string[] = [];
  /** All files so far: one that is left out would be given up. */
  const all = (): Partial<ResolvedConfiguration> => ({
    files: Object.assign({}, ...paths.map((path) => file(path).files)),
  });
  /** A run that makes a file of its own. */
  const applied = async (fence: Fence, run?: string): Promise<string> => {
    paths.push(`/srv/kept-${paths.length + 1}`);
    const result = await t.harness().applyPlan(await t.harness().plan(all()), fence, run);
    expect(result.end).toBe('applied');
    return result.run;
  };
  const age = (run: string, days: number) =>
    t.outside(`touch -d '${days} days ago' /var/lib/doaas/runs/${run}`);
  const kept = async (): Promise<readonly string[]> =>
    (await t.outside('ls /var/lib/doaas/runs')).trim().split('\n');

  it('is what undoing needs while it runs, and afterwards as well; once undone, nothing that was saved', async () => {
    await t.outside('echo former-content > /srv/secret; chmod 600 /srv/secret');
    const { run } = await t.applied(file('/srv/secret', 'content-of-a-run\n'));
    const holding = (text: string) => t.outside(`grep -rl ${text} /var/lib/doaas/runs/${run} || :`);
    expect(await holding('content-of-a-run')).toBe('');
    expect(await holding('former-content')).toMatch(/steps\/1\/1\/saved\/item/);
    expect(await t.outside(`find /var/lib/doaas ! -type l -perm /077`)).toBe('');
    await t.undone(run);
    expect(await t.outside('cat /srv/secret')).toBe('former-content\n');
    expect(await holding('former-content')).toBe('');

    await t.outside(`echo later > /srv/secret; sh /var/lib/doaas/runs/${run}/batch.sh undo`);
    expect(await t.outside('cat /srv/secret; rm /srv/secret')).toBe('later\n');
    const journal = await t.outside(`cut -f 2- /var/lib/doaas/runs/${run}/undo.journal | tail -n 1`);
    expect(journal).toBe('-\tend\trolled-back\n');
  });

  it('is nothing of a run that never came there, which is said', async () => {
    const { end, events } = await t.harness().undo('pr9-z-w0');
    expect([end, events.map(({ event }) => event)]).toEqual(['rolled-back', ['gone', 'end']]);
  });

  it('is one batch of a run, though two Server documents are of this machine', async () => {
    const { run } = await t.applied(file('/srv/twice'));
    const plan = await t.harness().plan(file('/srv/other'));
    const batch = { kind: 'batch' as const, run, repository: 'test/infra', steps: plan.steps };
    const payloads = t.harness().contentsOf(plan);
    const under = (name?: string) =>
      t.harness().session((session) => {
        const target = { ...session.target, ...(name === undefined ? {} : { name }) };
        return runBatch({ ...session, target }, batch, { payloads });
      });
    await expect(under('twin')).rejects.toThrow(
      /^the run \S+ could not be brought to twin: it has a batch of this run already, as \S+: two Server documents are of one machine; keep one of them/,
    );
    expect((await under()).end).toBe('applied');
    expect(await t.outside('cat /srv/twice; ls /srv')).toBe('new\ntwice\n');
    await t.undone(run);
  });

  it('is no core dump, which could hold secrets', async () => {
    const limits = { check: 'test -s /root/limits', apply: '{ ulimit -Sc; ulimit -Hc; } > /root/limits' };
    const { run } = await t.applied({ scripts: { limits: { ...limits, undo: 'true', timeoutSeconds: 60 } } });
    expect(await t.outside('cat /root/limits; rm /root/limits')).toBe('0\n0\n');
    await t.undone(run);
  });

  it('goes after 30 days, when the next run begins, however that ends', async () => {
    const old = await applied(lock(5));
    const fresh = await applied(lock(5));
    const undone = await applied(lock(5));
    expect((await t.harness().undo(undone, false, lock(5))).end).toBe('rolled-back');
    paths.pop();
    await age(old, 31);
    await age(undone, 31);
    const failing = { check: 'false', apply: 'exit 1', undo: 'true', timeoutSeconds: 60 };
    const next = await t.harness().plan({ ...all(), scripts: { failing } });
    expect((await t.harness().applyPlan(next, lock(6))).end).toBe('failed');
    expect(await kept()).not.toContain(old);
    expect(await kept()).not.toContain(undone);
    expect(await kept()).toContain(fresh);
  });

  it('stays as long as its lock, also where a run of another engine begins', async () => {
    const held = await applied(lock(7));
    const theirs = await applied(lock(3, THEIRS));
    await age(held, 300);
    await age(theirs, 31);
    await applied(lock(4, THEIRS));
    expect(await kept()).toContain(held);
    expect(await kept()).not.toContain(theirs);
    await age(held, 366);
    await applied(lock(5, THEIRS));
    expect(await kept()).not.toContain(held);
  });

  it('stays while other parts of its run are undone, by the next holder or late', async () => {
    const [first, second] = [await applied(lock(8), 'pr1-a-w0'), await applied(lock(8), 'pr1-a-w1')];
    const dead = await applied(lock(8), 'pr2-b-w0');
    for (const run of [first, second, dead]) await age(run, 31);
    expect((await t.harness().undo(second, false, lock(9))).end).toBe('rolled-back');
    expect(await kept()).toEqual(expect.arrayContaining([first, dead]));
    expect((await t.harness().undo(first, false, lock(9))).end).toBe('rolled-back');
    expect((await t.harness().undo(dead, false, lock(9))).end).toBe('rolled-back');
    paths.splice(-3);

    const late = [await applied(lock(10), 'pr3-c-w0'), await applied(lock(10), 'pr3-c-w1')] as const;
    const later = await applied(lock(11), 'pr4-d-w0');
    for (const run of late) await age(run, 31);
    expect((await t.harness().undo(late[1], true, lock(12))).end).toBe('rolled-back');
    expect((await t.harness().undo(late[0], true, lock(12))).end).toBe('rolled-back');
    await age(late[0], 31);
    expect((await t.harness().undo(later, false, lock(12))).end).toBe('rolled-back');
    expect(await kept()).not.toContain(late[0]);
  });
});
