import { expect, test } from 'vitest';
import { waitingForNobody } from './correction.ts';
import type { RolloutRef } from './types.ts';

const PLAN = { digest: 'd', headSha: 'h', baseSha: 'b', hosts: [], waves: [], shownAt: '' };
const ROLLOUT: RolloutRef = {
  stages: [],
  probes: 'batch',
  failureBudget: 1,
  onExceeded: 'hold',
  unreachable: 'wait',
  maxUnavailable: 1,
};

test('a correction waits for no server that does not answer, and is else as its document says', () => {
  const waiting = { ...PLAN, rollout: ROLLOUT };
  expect(waitingForNobody(waiting)).toEqual({ ...PLAN, rollout: { ...ROLLOUT, unreachable: 'fail' } });
  const skipping = { ...PLAN, rollout: { ...ROLLOUT, unreachable: 'skip' as const } };
  expect(waitingForNobody(skipping)).toBe(skipping);
  expect(waitingForNobody(PLAN)).toBe(PLAN);
});
