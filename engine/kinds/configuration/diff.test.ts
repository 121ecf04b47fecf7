import { describe, expect, test } from 'vitest';
import { soon } from '../../../test/cpuMs.ts';
import { unifiedDiff } from './diff.ts';

const lines = (name: string, from: number, to: number): string =>
  Array.from({ length: to - from }, (_, n) => `${name} ${from + n}\n`).join('');

describe('a diff', () => {
  test('shows lines one by one with three around them', () => {
    const before = lines('same', 0, 10);
    const { text, added, removed } = unifiedDiff('/a', before, before.replace('same 5\n', 'other\n'));
    expect([added, removed]).toEqual([1, 1]);
    expect(text).toBe(
      '--- /a\n+++ /a\n@@ -3,7 +3,7 @@\n same 2\n same 3\n same 4\n-same 5\n+other\n same 6\n same 7\n same 8',
    );
  });

  test('of a new file is the same however long it is', () => {
    const short = unifiedDiff('/a', '', lines('new', 0, 900));
    const long = unifiedDiff('/a', '', lines('new', 0, 1_100));
    expect(short.text.split('\n').slice(0, 4)).toEqual(['--- /a', '+++ /a', '@@ -0,0 +1,900 @@', '+new 0']);
    expect(long.text.split('\n').slice(0, 4)).toEqual(['--- /a', '+++ /a', '@@ -0,0 +1,1100 @@', '+new 0']);
    expect([long.added, long.removed]).toEqual([1_100, 0]);
  });

  test('of texts that have next to nothing in common is one block between what they share, and soon there', () => {
    const [head, tail] = [lines('head', 0, 50), lines('tail', 0, 50)];
    const before = `${head}${lines('old', 0, 60_000)}${tail}`;
    const after = `${head}${lines('new', 0, 120_000)}${tail}`;
    const started = process.cpuUsage();
    const { text, added, removed } = unifiedDiff('/a', before, after);
    const { user } = process.cpuUsage(started);
    // hours without a bound
    expect(user / 1e6).toBeLessThan(20);
    expect([added, removed]).toEqual([120_000, 60_000]);
    expect(text.split('\n').slice(0, 4)).toEqual([
      '--- /a',
      '+++ /a',
      '@@ -51,60000 +51,120000 @@',
      '-old 0',
    ]);
    expect(text.length).toBeLessThan(61_000);
  });

  test(
    'of the longest texts that a host and a repository may have is soon there',
    soon(() => {
      const [before, after] = ['\n'.repeat(262_144), 'x\n'.repeat(524_288)];
      for (let n = 0; n < 4; n += 1) {
        const { added, removed } = unifiedDiff('/a', before, after);
        expect([added, removed]).toEqual([524_288, 262_144]);
      }
    }),
  );

  test('of a long text shows what changed in it', () => {
    const before = lines('same', 0, 30_000);
    const line = unifiedDiff('/a', before, before.replace('same 5\n', 'other\n'));
    expect(line).toEqual({
      text: '--- /a\n+++ /a\n@@ -6,1 +6,1 @@\n-same 5\n+other',
      added: 1,
      removed: 1,
    });
    const end = unifiedDiff('/a', before.trimEnd(), before);
    expect(end.text.split('\n').slice(3)).toEqual([
      '-same 29999',
      '\\ No newline at end of file',
      '+same 29999',
    ]);
  });
});
