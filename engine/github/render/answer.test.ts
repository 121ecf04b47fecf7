import { describe, expect, test } from 'vitest';
import type { Answer, LateRollback } from '../../activities/types.ts';
import { renderAnswer } from './answer.ts';

const late = (result: Partial<LateRollback>): Answer => ({
  kind: 'late-rollback',
  run: 'pr7-1e5fb580',
  result: { kind: 'rolled-back', revert: 8, reasons: [], remarks: [], ...result },
});

const goldens: Readonly<Record<string, Answer>> = {
  failed: { kind: 'failed', command: 'plan', reason: 'Reading the reviews of #7: GitHub answered 404' },
  'not-applied': { kind: 'not-applied', reason: 'the state of web-1 has changed since the plan' },
  'not-reverted': {
    kind: 'not-reverted',
    why: 'Merged, but not applied. Missing: one approving review.',
    reason: 'Opening the revert of #7: GitHub answered 422',
  },
  'rollback-waits': { kind: 'rollback-waits', revert: 8, position: 2, behind: 'o/r#3, o/r#4' },
  'late-rolled-back': late({ remarks: ['web-1: /srv/app was not empty; moved to /srv/app.doaas-1'] }),
  'late-refused': late({
    kind: 'refused',
    reasons: ['web-1: path:/etc/motd was changed by the later run pr9-0a'],
  }),
  'late-no-revert': late({ kind: 'refused', revert: undefined, reasons: ['the revert could not be opened'] }),
  adopted: { kind: 'adopted', pull: 18, changed: 2, cannot: 1, again: false },
  'adopted-beside': { kind: 'adopted', pull: 18, changed: 1, cannot: 0, again: false, busy: ['web-5'] },
  'adopted-again': { kind: 'adopted', pull: 18, changed: 1, cannot: 0, again: true },
  'not-adopted': {
    kind: 'not-adopted',
    reason: 'nothing of what differs can be said in the document',
    cannot: ['path:/etc/key on web-1: it holds what looks like a key'],
  },
  'late-held': late({ kind: 'held', reasons: ['web-1: script:x could not be put back: exit 1'] }),
};

describe.each(Object.entries(goldens))('the answer %s', (name, answer) => {
  test('reads as the golden file', async () => {
    await expect(`${renderAnswer(answer)}\n`).toMatchFileSnapshot(`golden/answer-${name}.md`);
  });
});

test('our own Markdown is taken as it is', () => {
  expect(renderAnswer('say `/doaas plan`')).toBe('say `/doaas plan`');
});

test('words of a host stay words', () => {
  const hostile = '@everyone <img src=x> [click](https://evil.example)\n\n# heading';
  for (const answer of [
    late({ kind: 'held', reasons: [hostile] }),
    late({ remarks: [hostile] }),
    { kind: 'failed', command: 'apply', reason: hostile } as const,
    { kind: 'not-applied', reason: hostile } as const,
    { kind: 'not-reverted', why: '', reason: hostile } as const,
    { kind: 'not-adopted', reason: hostile, cannot: [hostile] } as const,
  ])
    expect(renderAnswer(answer)).not.toMatch(/@\w|<img|[^\\]\]\(|:\/\/|^# /m);
});
