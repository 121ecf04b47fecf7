import { expect, test } from 'vitest';
import type { ConfirmOutcome } from '../engine/activities/types.ts';
import { allConfirmed } from './confirmed.ts';

const window = (timeZone: string) => ({ timeZone });
const same: ConfirmOutcome = { kind: 'unchanged', windows: [window('UTC')] };
const other: ConfirmOutcome = { kind: 'changed', reason: 'web-2 has changed once more since it was read' };
const idle: ConfirmOutcome = { kind: 'changed', reason: 'nothing is left to put back', idle: true };

test.each<[string, readonly ConfirmOutcome[], ConfirmOutcome]>([
  [
    'all windows hold',
    [same, { kind: 'unchanged', windows: [window('Europe/Berlin')] }],
    { kind: 'unchanged', windows: [window('UTC'), window('Europe/Berlin')] },
  ],
  ['without windows', [{ kind: 'unchanged' }, { kind: 'unchanged' }], { kind: 'unchanged' }],
  ['one part has nothing left to do', [idle, same], same],
  ['no part has', [idle, idle], idle],
  ['something stands against one', [same, idle, other], other],
])('parts of a correction: %s', (_, parts, all) => {
  expect(allConfirmed(parts)).toEqual(all);
});
