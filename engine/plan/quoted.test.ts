import { describe, expect, test } from 'vitest';
import { type ItemKey, type Reading, splitItemKey } from '../facts/fact.ts';
import { openUnsealing } from '../secrets/unseal.ts';
import { maskedDiff, maskOfQuotes, withQuotesMasked } from './quoted.ts';
import { aStep } from './testing.ts';

const VALUES: Readonly<Record<string, string>> = {
  db: 'hunter2-secret',
  key: 'first line\nshort\nlast line',
};

async function unsealing() {
  const opened = openUnsealing(Buffer.alloc(32, 7), async (ref) =>
    ref.from === 'env' ? (VALUES[ref.name] ?? '') : '',
  );
  const use = (name: string) => ({
    name,
    placeholder: `‹secret ${name}›`,
    ref: { from: 'env', name } as const,
  });
  await opened.learn(Object.keys(VALUES).map(use));
  return opened;
}

function readings(content: string): ReadonlyMap<ItemKey, Reading> {
  const state = { type: 'file', content: Buffer.from(content).toString('base64') };
  return new Map([['path:/a', { query: splitItemKey('path:/a'), state, raw: 'file 644\n' }]]);
}

const plan = (diff: string) => ({
  kind: 'host-plan' as const,
  host: 'web-1',
  steps: [{ ...aStep, summary: diff, diff }],
  findings: [
    {
      kind: 'finding' as const,
      severity: 'info' as const,
      host: 'web-1',
      document: 'Configuration/web',
      message: diff,
    },
  ],
  digest: 'd',
});

describe('a plan', () => {
  const OLD = 'DB_PASSWORD=hunter2-secret\n';
  const DIFF = '@@ -1,1 +1,1 @@\n-DB_PASSWORD=hunter2-secret\n+moved';

  test('says nothing of a secret that a file holds which everybody may read, and is the same plan', async () => {
    const shown = withQuotesMasked(plan(DIFF), maskOfQuotes(await unsealing(), readings(OLD)));
    const masked = '@@ -1,1 +1,1 @@\n-DB_PASSWORD=‹secret db›\n+moved';
    expect(shown).toEqual(plan(masked));
  });

  test('does not tell whoever guesses in a pull request that the guess is right', async () => {
    const mask = maskOfQuotes(await unsealing(), readings('nothing of it'));
    expect(withQuotesMasked(plan(DIFF), mask)).toEqual(plan(DIFF));
  });

  test('is without all secrets where a host says too much to be searched', async () => {
    const mask = maskOfQuotes(await unsealing(), readings('a'.repeat(4_000_001)));
    expect(mask(OLD)).toBe('DB_PASSWORD=‹secret db›\n');
  });

  test('finds what stands in the copy that a release brings back', async () => {
    const saved = { saved: Buffer.from(OLD).toString('base64') };
    const reading = { query: splitItemKey('path:/a'), state: saved, raw: '' };
    const mask = maskOfQuotes(await unsealing(), new Map([['path:/a', reading]]));
    expect(mask(OLD)).toBe('DB_PASSWORD=‹secret db›\n');
  });
});

test('a value of several lines is found in a diff, also in lines that are too short by themselves', async () => {
  const { mask } = await unsealing();
  expect(maskedDiff('@@ -1,4 +1,1 @@\n-a: first line\n-short\n-last line\n-b\n+a: file', mask)).toBe(
    '@@ -1,4 +1,1 @@\n-a: ‹secret key›\n-b\n+a: file',
  );
});

test('a value that a bound has cut is found in a diff', async () => {
  const { mask } = await unsealing();
  expect(maskedDiff('-x\n-DB=hunter2-s\n... cut at 60000 characters', mask)).toBe(
    '-x\n-DB=‹secret db›\n... cut at 60000 characters',
  );
});

test('other words of a diff stay as they are', async () => {
  const { mask } = await unsealing();
  for (const diff of [
    '',
    '\n',
    '+ link to /a\n- absent\n~ x\n\n#',
    ' a\n-b\n+c\n\\ No newline at end of file',
  ])
    expect(maskedDiff(diff, mask)).toBe(diff);
});
