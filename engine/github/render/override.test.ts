import { expect, test } from 'vitest';
import { overrideInMessage, overrideNote } from './override.ts';

const hostile = {
  kind: 'override',
  by: 'olivia',
  reason: 'fixes #7\n\nCo-authored-by: @rob | <b>**x**</b> GH-8 https://github.com/acme/infra/issues/9',
} as const;

test('a reason forges nothing in checks and comments', () => {
  expect(overrideNote(hostile)).toBe(
    '**The policy was overridden by olivia:** fixes #&#8203;7 Co-authored-by: @&#8203;rob \\| &lt;b&gt;\\*\\*x\\*\\*&lt;/b&gt; GH-&#8203;8 https:&#8203;//github.com/acme/infra/issues/9',
  );
});

test('nor in the message of a merge: no line of its own, no mention, no issue that is closed', () => {
  const message = overrideInMessage({ ...hostile, kind: 'break-glass' });
  expect(message).toMatch(/^The glass was broken by olivia: fixes /);
  expect(message).not.toContain('\n');
  expect(message).not.toMatch(/#\d|@\w|GH-\d|:\/\//);
});

test('is bounded', () => {
  expect(overrideNote({ ...hostile, reason: 'x'.repeat(8_000) }).length).toBeLessThan(1_200);
  expect(overrideInMessage({ ...hostile, reason: 'x'.repeat(8_000) }).length).toBeLessThan(1_200);
});
