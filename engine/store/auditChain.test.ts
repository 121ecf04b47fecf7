import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CHAIN_START, type ChainedEntry, chainHash, follow, type LinkedEntry } from './auditChain.ts';

const text = fc.string();
const entry: fc.Arbitrary<ChainedEntry> = fc.record({
  at: fc.nat(),
  who: text,
  what: text,
  repository: fc.option(text),
  pull: fc.option(fc.nat()),
  head_sha: fc.option(text),
  digest: fc.option(text),
  detail: fc.json(),
});

function linked(entries: readonly ChainedEntry[]): readonly LinkedEntry[] {
  let head = CHAIN_START;
  return entries.map((each, i) => {
    head = chainHash(head, each);
    return { ...each, seq: i + 1, hash: head };
  });
}

const start = { entries: 0, head: CHAIN_START };

test('a chain that nobody touched fits, also page by page', () => {
  fc.assert(
    fc.property(fc.array(entry), fc.nat(), (entries, cut) => {
      const chain = linked(entries);
      const whole = follow(start, chain);
      expect(whole).toEqual({ entries: chain.length, head: chain.at(-1)?.hash ?? CHAIN_START });
      expect(follow(follow(start, chain.slice(0, cut)), chain.slice(cut))).toEqual(whole);
    }),
  );
});

test('a changed field, a removed entry and two that changed places are found', () => {
  const two = fc.array(entry, { minLength: 2, maxLength: 8 });
  fc.assert(
    fc.property(two, fc.nat(), entry, (entries, at, other) => {
      const chain = linked(entries);
      const i = at % (chain.length - 1);
      const [here, next] = [chain[i] as LinkedEntry, chain[i + 1] as LinkedEntry];
      const without = chain.filter((each) => each !== here);
      expect(follow(start, without).brokenAt).toBe(next.seq);
      const changed = chain.with(i, { ...here, ...other, who: `${here.who}x` });
      expect(follow(start, changed).brokenAt).toBe(here.seq);
      expect(follow(start, chain.with(i, next).with(i + 1, here)).brokenAt).toBe(next.seq);
    }),
  );
});
