import { expect, test } from 'vitest';
import { render } from '../github/render/render.ts';
import { aStep } from '../plan/testing.ts';
import { boardOf } from './runBoard.ts';
import type { RunRecord } from './runViews.ts';
import type { RunPhase } from './types.ts';

/** Its first server was found good before the second one failed. */
const record = {
  plan: { hosts: [{ host: 'web-1', steps: [{ ...aStep, host: 'web-1' }], findings: [] }] },
  receipts: [],
  detail: { verify: { state: 'verified', probes: [], remaining: [] } },
  startedAt: 0,
} as unknown as RunRecord;

const saidIn = (phase: RunPhase) => {
  const { verify } = boardOf(undefined, record, phase);
  if (verify === undefined || verify.view.kind === 'words') throw new Error('no verification is shown');
  return [verify.state, render(verify.view).title];
};

test('what was verified before it was put back is not said to be good', () => {
  const neutral = { status: 'completed', conclusion: 'neutral' };
  const since = [neutral, 'Verified, and rolled back since'];
  expect(saidIn({ kind: 'rolling-back', reason: 'web-2 failed' })).toEqual(since);
  expect(saidIn({ kind: 'rolled-back', reason: 'web-2 failed' })).toEqual(since);
  const stopped = [neutral, 'Verified as far as the run came'];
  expect(saidIn({ kind: 'asking', reason: 'cancelled', until: '2026-01-01T00:00:00Z' })).toEqual(stopped);
  expect(saidIn({ kind: 'held', reason: 'web-2 is not as before', remains: [] })).toEqual(stopped);
});

const saysOnApply = (phase: RunPhase) => {
  const { view } = boardOf(undefined, record, phase).apply;
  return view.kind === 'words' ? view : render(view);
};

test('a dead run whose change is merged is not said to be applied anew, but where it is taken back', () => {
  const dead = { kind: 'needs-recovery', reason: 'its workflow was ended' } as const;
  expect(saysOnApply(dead).body).toContain('- `/doaas apply` undoes what is there first, and then applies');
  const { body } = saysOnApply({ ...dead, merged: true, revert: 8 });
  expect(body).toContain('The change is merged, yet the next run');
  expect(body).toContain('**Next:** merge pull request #8, which reverts it.');
  expect(body).toContain('- `/doaas apply` on any other pull request that changes these servers undoes');
  expect(body).not.toContain('applies the plan anew');
  expect(saysOnApply({ ...dead, merged: true }).body).not.toContain('#');
});

test('a run that changed nothing says why in its title, and whether it is merged all the same', () => {
  const titleOf = (phase: RunPhase) => saysOnApply(phase).title;
  expect(titleOf({ kind: 'stale', reason: 'anna cancelled the run' })).toBe(
    'Not applied: anna cancelled the run',
  );
  const full = { kind: 'stale', reason: '10000 runs wait for servers already', final: true } as const;
  expect(titleOf(full)).toBe('Not applied: 10000 runs wait for servers already');
  const merged = { kind: 'stale', reason: 'its workflow was ended', revert: 8 } as const;
  expect(titleOf(merged)).toBe('Not applied, though merged: its workflow was ended');
  expect(saysOnApply(merged)).toMatchObject({ body: expect.stringContaining('pull request #8') });
  expect(titleOf({ kind: 'stale', reason: `web-1 ${'x'.repeat(500)}` }).length).toBeLessThan(150);
});

test('what the effects on a server did is told of the run, also once that is put back', () => {
  const told = (stepId: string, remarks: readonly string[]) =>
    ({ host: 'web-1', stepId, state: 'already', at: 1, detail: { remarks, remaining: [] } }) as const;
  const finding = { host: 'web-1', severity: 'warning', message: 'a reboot waits, for dbus' };
  const back = [told('patch:restart', []), { ...told('@undo:0', []), state: 'undone' }] as const;
  const after = {
    ...record,
    name: { digest: 'a', headSha: 'b', baseSha: 'c' },
    receipts: [told('@told:0', ['restarted nginx.service']), told('@told:1', ['rebooted, for dbus'])],
    detail: {
      verify: {
        state: 'verified',
        probes: [],
        remaining: [],
        readBack: [finding, { ...finding, severity: 'info', message: 'packets counted' }],
      },
    },
  } as unknown as RunRecord;
  const commentOf = (phase: RunPhase, receipts: readonly unknown[] = []) => {
    const now = { ...after, receipts: [...after.receipts, ...receipts] } as RunRecord;
    const { comment } = boardOf(undefined, now, phase);
    return comment === undefined ? '' : render(comment).body;
  };
  const applied = commentOf({ kind: 'applied', mergeSha: 'd', differs: false });
  expect(applied).toContain('- `web-1`: restarted nginx.service\n- `web-1`: rebooted, for dbus');
  expect(applied).toContain('**What is left**\n\n- `web-1`: a reboot waits, for dbus\n');
  expect(applied).not.toContain('packets counted');
  expect(commentOf({ kind: 'rolled-back', reason: 'a probe failed' }, back)).toContain(
    '- `web-1`: before it was put back: rebooted, for dbus',
  );
});
