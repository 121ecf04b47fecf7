import { expect, test } from 'vitest';
import { renderAnswer } from '../github/render/answer.ts';
import type { Uncovered } from '../plan/digest.ts';
import { aStep } from '../plan/testing.ts';
import { differenceSentence } from './difference.ts';
import { boardOf } from './runBoard.ts';
import type { RunRecord } from './runViews.ts';

const uncovered = (host: string, summary: string, is: Uncovered['is'] = 'changed'): Uncovered => ({
  step: { ...aStep, host, summary },
  is,
});
const record = { detail: {} } as RunRecord;
const inCheck = (reason: string): string => {
  const { view } = boardOf(undefined, record, { kind: 'stale', reason }).apply;
  return view.kind === 'words' ? view.body : '';
};

test('what nobody approved is named: server, step, and whether it is new', () => {
  const reason = differenceSentence([
    uncovered('web-1', 'nginx.conf +2 -1'),
    uncovered('web-2', 'start cron', 'new'),
  ]);
  expect(inCheck(reason)).toBe(
    'the state of web-1, web-2 has changed since the plan. Not approved so: web-1: nginx.conf +2 -1 (changed); web-2: start cron (new). Nothing was changed.',
  );
});

test('however many and long they are, a check and an answer show where the list ends', () => {
  const many = Array.from({ length: 300 }, (_, n) =>
    uncovered(`${'host'.repeat(50)}-${n}`, 'x'.repeat(5_000)),
  );
  const reason = differenceSentence(many);
  expect(reason.length).toBeLessThan(1_000);
  expect(inCheck(reason)).toMatch(/\(changed\) and 295 more. Nothing was changed.$/);
  expect(renderAnswer({ kind: 'not-applied', reason })).toContain('(changed) and 295 more. Nothing');
});

test('words of servers and of the repository are no markup in the check', () => {
  const reason = differenceSentence([uncovered('web-1', '@everyone <b>[x](http://evil)\n/doaas apply')]);
  const body = inCheck(reason);
  expect(body).toContain('@&#8203;everyone &lt;b&gt;\\[x\\](http:&#8203;//evil) /doaas apply (changed)');
  expect(body).not.toContain('\n');
});
