import { describe, expect, it } from 'vitest';
import type { ResolvedScript } from '../spec/configuration.ts';
import { useTestHost } from './testing/cycle.ts';

/** Operation: script.run */
describe('scripts on a real host', () => {
  const t = useTestHost();
  const script = (
    rest: Partial<ResolvedScript>,
  ): { readonly scripts: { readonly mark: ResolvedScript } } => ({
    scripts: {
      mark: {
        check: 'test -e /srv/mark',
        apply: 'echo "it' + "'" + 's $HOME" > /srv/mark',
        timeoutSeconds: 60,
        ...rest,
      },
    },
  });
  const undo = 'rm /srv/mark; echo undone >> /root/undo.log';
  const undos = () => t.outside('cat /root/undo.log 2>/dev/null | wc -l; rm -f /root/undo.log');

  it('runs apply when the check fails, not again, and undo once', async () => {
    await t.outside('rm -f /root/undo.log');
    const spec = script({ undo });
    const result = await t.applied(spec);
    expect(await t.outside('cat /srv/mark')).toBe("it's /root\n");
    expect((await t.harness().plan(spec)).steps).toEqual([]);
    await t.undone(result.run);
    expect(await t.outside('ls /srv/mark 2>/dev/null || echo gone')).toBe('gone\n');
    await t.harness().undo(result.run);
    expect(await undos()).toBe('1\n');
  });

  it('undoes again what could not be undone, once that is possible', async () => {
    const { run } = await t.applied(script({ undo: '[ -e /root/possible ]; rm /srv/mark' }));
    expect((await t.harness().undo(run)).end).toBe('held');
    await t.outside(`touch /root/possible; sh /var/lib/doaas/runs/${run}/batch.sh undo; rm /root/possible`);
    expect(await t.outside('ls /srv/mark 2>/dev/null || echo gone')).toBe('gone\n');
    expect((await t.harness().undo(run)).end).toBe('rolled-back');
  });

  it('does not run apply or undo where the check passes already', async () => {
    await t.outside('echo before > /srv/mark');
    await t.cycle(script({ undo }), async () => {
      expect(await t.outside('cat /srv/mark')).toBe('before\n');
    });
    expect(await undos()).toBe('0\n');
    await t.outside('rm /srv/mark');
  });

  it('never runs the text of a plan that was not applied', async () => {
    const plan = await t
      .harness()
      .plan(script({ check: 'touch /srv/planned; false', apply: 'touch /srv/planned' }));
    expect(plan.steps).toHaveLength(1);
    expect(await t.outside('ls /srv/planned 2>/dev/null || echo never')).toBe('never\n');
  });

  it('sees that the check fails later and calls it drift', async () => {
    const spec = script({ undo });
    await t.applied(spec);
    await t.outside('rm /srv/mark');
    const plan = await t.harness().plan(spec);
    expect(plan.steps).toMatchObject([
      { id: 'script:mark', summary: 'script mark runs: its check ended with 1' },
    ]);
    await t.applied(spec);
    const changed = script({ undo, check: 'grep -q v2 /srv/mark', apply: 'echo v2 > /srv/mark' });
    await t.applied(changed);
    expect((await t.harness().plan(changed)).steps).toEqual([]);
    await t.applied({});
    expect(await t.outside('ls /srv/mark 2>/dev/null || echo gone')).toBe('gone\n');
    await undos();
  });

  it('holds a run whose script has no undo, and says what to do', async () => {
    const result = await t.applied(script({}));
    const undone = await t.harness().undo(result.run);
    expect(undone.end).toBe('held');
    expect(undone.events.find((event) => event.event === 'stuck')?.detail ?? '').toContain(
      'the script mark ran and has no undo; put back by hand what it changed',
    );
    await t.outside('rm /srv/mark');
  });

  it('fails where apply fails, where the check still fails after it, and where it takes too long', async () => {
    for (const apply of ['echo broken >&2; exit 7', 'true', 'undefined_variable=$nope', 'sleep 60']) {
      const timeoutSeconds = apply === 'sleep 60' ? 3 : 60;
      const spec = script({ apply, undo: 'true', timeoutSeconds });
      const result = await t.harness().apply(spec);
      expect(result.end, apply).toBe('failed');
      await t.undone(result.run);
    }
  });
});
