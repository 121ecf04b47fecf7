import { describe, expect, test } from 'vitest';
import { parseEvent } from '../hosts/batchRun.ts';
import { maskOf } from '../secrets/mask.ts';
import { followSteps, remainsOf, remarksOf } from './hostJournal.ts';

const HELD = { kind: 'batch-result', run: 'pr1-w0', mode: 'undo', end: 'held', output: '' } as const;

const event = (line: string) => {
  const parsed = parseEvent(line.replaceAll(' ', '\t'));
  if (parsed === undefined) throw new Error(`no journal line: ${line}`);
  return parsed;
};

describe('the journal of a host', () => {
  test('tells each change of a step, with the time since it was started', () => {
    const follow = followSteps(['file:/a']);
    const lines = ['10.5 file:/a started', '11.5 file:/a started', '12 file:/a done', '13 file:/a undone'];
    expect(lines.map((line) => follow(event(line)))).toEqual([
      { step: 'file:/a', state: 'captured', seconds: 0 },
      undefined,
      { step: 'file:/a', state: 'done', seconds: 0.5 },
      { step: 'file:/a', state: 'undone', seconds: 1.5 },
    ]);
  });

  test.each([
    '1 - end',
    '1 file:/b done',
    '1 file:/a constructor',
    '1 file:/a toString',
    '1 constructor done',
  ])('that says %s says nothing of a step of the plan', (line) => {
    expect(followSteps(['file:/a'])(event(line))).toBeUndefined();
  });

  test('that never ends gives no more to keep than a long one', () => {
    const follow = followSteps(['file:/a']);
    const changes = Array.from({ length: 10_000 }, (_, n) =>
      follow(event(`${n} file:/a ${n % 2 === 0 ? 'done' : 'undone'}`)),
    );
    expect(changes.filter((change) => change !== undefined)).toHaveLength(100);
  });

  test('full of what remains is told in part', () => {
    const events = Array.from({ length: 5_000 }, () => event(`1 file:/a stuck ${'x'.repeat(5_000)}`));
    const remains = remainsOf({ ...HELD, events }, (text) => text);
    expect(remains.at(-1)).toBe('and 4800 more');
    expect(Buffer.byteLength(remains.join('; '))).toBeLessThan(1_000_000);
  });

  test('gives away no secret, also where the host has cut it', () => {
    const mask = maskOf(new Map([['hunter2-hunter3', 'a']]));
    const events = [
      event('1 file:/a stuck er2-hunter3 is wrong'),
      event('2 file:/a note has hunter2-hunter3'),
    ];
    expect(remainsOf({ ...HELD, events }, mask)).toEqual([
      'file:/a could not be put back: ‹secret a› is wrong',
    ]);
    expect(remarksOf({ ...HELD, events }, mask)).toEqual(['has ‹secret a›']);
  });

  test.each(['1e9', `${'9'.repeat(400)}`, '-1', 'NaN', '1.2.3', ''])('with a time of %j is none', (at) => {
    expect(parseEvent(`${at}\tfile:/a\tdone`)).toBeUndefined();
  });
});
