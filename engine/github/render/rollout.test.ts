import { describe, expect, test } from 'vitest';
import type { PlanRollout } from '../../plan/rollout.ts';
import { render, renderComment } from './render.ts';
import { planRollout, renderStopped, rolloutProgress } from './rollout.ts';
import { hostPlan, NAME, step } from './testing.ts';
import type { ApplyView } from './views.ts';

const rollout: PlanRollout = {
  rules: {
    canary: 1,
    batches: [2],
    pauseSeconds: 300,
    probes: 'done',
    failureBudget: 1,
    onExceeded: 'rollback',
    unreachable: 'skip',
  },
  stages: [
    { wave: 0, hosts: ['web-1'], canary: true, verify: true, pauseSeconds: 300 },
    { wave: 0, hosts: ['web-2', 'web-3'], canary: false, verify: false, pauseSeconds: 0 },
  ],
  documents: ['Configuration/web'],
};
const hosts = ['web-1', 'web-2', 'web-3'].map((host) => hostPlan(host, [step()]));

const IN_WAVES: ApplyView = {
  kind: 'apply',
  state: 'running',
  name: NAME,
  seconds: 40,
  hosts: [{ host: 'db-1', steps: [{ summary: 'nginx.conf +2 -1', state: 'done', seconds: 0.3 }] }],
  rollout: {
    batches: [
      { wave: 0, hosts: ['db-1'], canary: true, state: 'done' },
      { wave: 0, hosts: ['db-2', 'db-3'], canary: false, state: 'proving' },
      { wave: 1, hosts: ['web-1'], canary: true, state: 'waiting' },
    ],
    failureBudget: 1,
    failed: [],
    skipped: [],
  },
};

test('a run in waves reads as the golden file', async () => {
  const { title } = render(IN_WAVES);
  await expect(`${title}\n---\n${renderComment(IN_WAVES)}\n`).toMatchFileSnapshot('golden/apply-in-waves.md');
});

describe('a rollout', () => {
  test('says in the plan who is changed when, and why', () => {
    const text = planRollout({ kind: 'plan', hosts, rollout, digest: NAME.digest });
    expect(text).toBe(
      [
        '**Rollout:** 2 batches over 3 servers; each must pass its probes, and be as planned, before the next begins.',
        '| batch | servers | then |\n|---|---|---|\n| 1, canary | web-1 | verify, wait 5 min |\n| 2 | web-2 and web-3 | verify |',
        'Servers go by site, then by name; web-1 is the canary because it is the first of them. 1 server may fail over the whole fleet, but no canary; the next failure stops the rollout and rolls back all that it touched. A server that cannot be reached is skipped. The strictest of what Configuration/web and the defaults of the others say.',
      ].join('\n\n'),
    );
  });

  test('is not mentioned where all are changed at once', () => {
    const at = { ...rollout, stages: rollout.stages.slice(0, 1) };
    expect(planRollout({ kind: 'plan', hosts, rollout: at, digest: NAME.digest })).toBe('');
    expect(planRollout({ kind: 'plan', hosts, digest: NAME.digest })).toBe('');
  });

  test('shows what is done, running and waiting, and the budget; text of hosts does nothing', () => {
    const text = rolloutProgress({
      batches: [
        { wave: 0, hosts: ['web-1'], canary: true, state: 'pausing', until: '2026-01-02T03:04:05.000Z' },
        { wave: 0, hosts: ['web-2'], canary: false, state: 'awaiting', awaited: ['web-2'] },
        { wave: 0, hosts: ['web-3'], canary: false, state: 'waiting' },
        { wave: 0, hosts: ['web-6'], canary: false, state: 'awaiting', awaited: ['web-1'], most: 1 },
        { wave: 0, hosts: ['web-7'], canary: false, state: 'shut', until: '2026-01-02T09:00:00.000Z' },
      ],
      failureBudget: 2,
      failed: [{ host: 'web-4', message: '@ops | <b>' }],
      skipped: ['web-5'],
    });
    expect(text).toContain('| 1, canary | web-1 | ✓ done; the next begins at 03:04:05 UTC |');
    expect(text).toContain('| 2 | web-2 | waiting until web-2 can be reached |');
    expect(text).toContain('waiting until web-1 can be reached: at most 1 server may be unavailable |');
    expect(text).toContain(
      '| waiting for the change window, which opens 2026-01-02 09:00 UTC; `/doaas cancel`',
    );
    expect(text).toContain('Failure budget: 1 of 2 used.');
    expect(text).toContain('- `web-5` was skipped');
    expect(text).not.toMatch(/@ops|<b>/);
  });
});

describe('a rollout of many batches', () => {
  const batches = (done: number, waves: number) =>
    Array.from({ length: 120 }, (_, i) => ({
      wave: i % waves,
      hosts: [`web-${i + 1}`],
      canary: i === 0,
      state: i < done ? ('done' as const) : i === done ? ('changing' as const) : ('waiting' as const),
    }));
  const shown = (done: number, waves = 1) =>
    rolloutProgress({ batches: batches(done, waves), failureBudget: 0, failed: [], skipped: [] });

  test.each([
    [0, 1, 50],
    [3, 1, 50],
    [60, 56, 105],
    [119, 71, 120],
    [120, 1, 50],
  ])('with %i done shows those from %i to %i', (done, first, last) => {
    const numbers = [...shown(done).matchAll(/^\| (\d+)/gm)].map(([, number]) => Number(number));
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, i) => first + i));
    expect(numbers.at(-1)).toBe(last);
  });

  test('counts the others, and shows the wave where there are several', () => {
    const text = shown(60, 2);
    expect(text).toContain('*55 earlier batches, done*\n\n| batch | wave | servers | state |');
    expect(text).toContain('| 61 | 0 | web-61 | ▶ running |');
    expect(text).toContain('*15 more batches*\n\nFailure budget');
    expect(shown(0)).toContain('| 1, canary | web-1 | ▶ running |');
    expect(shown(0)).not.toContain('earlier');
  });
});

test('a stopped run says what is done, until when it waits, and how to go on', () => {
  const { title, body } = renderStopped({
    kind: 'stopped',
    state: 'asking',
    reason: 'anna cancelled the run',
    until: '2026-01-02T03:04:05.000Z',
    hosts: [
      { host: 'web-1', state: 'done' },
      { host: 'web-2', state: 'part' },
      { host: 'web-3', state: 'untouched' },
    ],
    ways: [{ command: '/doaas rollback', effect: 'puts it back' }],
  });
  expect(title).toBe('Stopped: 1 of 3 servers changed');
  expect(body).toContain('Without an answer until 2026-01-02 03:04:05 UTC it is rolled back.');
  expect(body).toContain('| web-2 | ◐ changed in part |');
  expect(body).toContain('- `/doaas rollback` puts it back');
});

test('a run that died says that its servers are free, and who undoes what it did', () => {
  const { title, body } = renderStopped({
    kind: 'stopped',
    state: 'dead',
    reason: 'The workflow of this run was ended',
    hosts: [
      { host: 'web-1', state: 'done' },
      { host: 'web-2', state: 'untouched' },
    ],
    ways: [{ command: '/doaas apply', effect: 'undoes it first' }],
  });
  expect(title).toBe('Ended without cleaning up: 1 of 2 servers changed');
  expect(body).toContain(
    'The servers are free, and not as the branch says: the next run on each of them first',
  );
  expect(body).not.toContain('locked');
});
