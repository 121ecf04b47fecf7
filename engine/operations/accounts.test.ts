import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quote } from '../shell/sh.ts';
import { ACCOUNTS } from './accounts.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'doaas-accounts-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Merge = {
  readonly kind: 'user' | 'group';
  readonly database: string;
  readonly own?: boolean;
  readonly from?: string;
  readonly to?: string;
};

/** What the host makes of the saved and the present file for the account `me`. */
function merge({ kind, database, own = false, from = '', to = '' }: Merge, saved: string, present: string) {
  const [a, b] = [join(folder, 'saved'), join(folder, 'present')];
  writeFileSync(a, saved);
  writeFileSync(b, present);
  const words = [kind, 'me', database, own ? 'yes' : 'no', from, to, a, b].map(quote).join(' ');
  return execFileSync('sh', ['-eu'], { input: `${ACCOUNTS.text}\ndoaas_merge ${words}\n` }).toString();
}

const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
const names = ['ann', 'bob', 'cy', 'dan', 'eve', 'm', 'mee'];
const members = fc.subarray(['me', ...names]);
const group = fc.record({ name: fc.constantFrom(...names), members });
const groups = fc.uniqueArray(group, { selector: (g) => g.name, maxLength: 6 });
const groupLine = (g: { name: string; members: readonly string[] }, i: number) =>
  `${g.name}:x:${100 + i}:${g.members.join(',')}`;

describe('merging account databases', () => {
  it('gives memberships back exactly, whatever the user had and got', () => {
    fc.assert(
      fc.property(groups, fc.infiniteStream(fc.boolean()), (all, coins) => {
        const others = (g: { members: readonly string[] }) => g.members.filter((name) => name !== 'me');
        const now = all.map((g) => {
          const stays = coins.next().value;
          if (stays && g.members.includes('me')) return g;
          return { ...g, members: coins.next().value ? [...others(g), 'me'] : others(g) };
        });
        const saved = text(all.map(groupLine));
        // Where the engine neither added nor removed the name it never moves it.
        const present = now.map((g, i) => {
          const was = all[i]?.members ?? [];
          return was.includes('me') && g.members.includes('me') ? { ...g, members: was } : g;
        });
        expect(merge({ kind: 'user', database: 'group' }, saved, text(present.map(groupLine)))).toBe(saved);
      }),
      { numRuns: 60 },
    );
  });

  it('puts a removed line back between its old neighbours, also when these changed', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }), fc.nat(6), (all, at) => {
        const lines = all.map((name, i) => `${name}:x:${i}:${i}:::/bin/sh`);
        const saved = [...lines.slice(0, at), 'me:x:9:9:::/bin/sh', ...lines.slice(at)];
        expect(merge({ kind: 'user', database: 'passwd' }, text(saved), text(lines))).toBe(text(saved));
        const gone = lines.slice(1);
        const left = saved.filter((line) => line !== lines[0]);
        expect(merge({ kind: 'user', database: 'passwd' }, text(saved), text(gone))).toBe(text(left));
      }),
      { numRuns: 40 },
    );
  });

  it('removes what was made, and leaves what others made meanwhile', () => {
    const saved = text(['root:x:0:0:::/bin/sh']);
    const present = text(['root:x:0:0:::/bin/bash', 'me:x:9:9:::/bin/sh', 'new:x:10:10:::/bin/sh']);
    expect(merge({ kind: 'user', database: 'passwd' }, saved, present)).toBe(
      text(['root:x:0:0:::/bin/bash', 'new:x:10:10:::/bin/sh']),
    );
  });

  it("keeps a user's present password and gives the other fields back", () => {
    const passwd = merge(
      { kind: 'user', database: 'passwd' },
      'me:x:9:9:old:/old:/bin/sh\n',
      'me:y:8:8:n:/n:/n\n',
    );
    expect(passwd).toBe('me:y:9:9:old:/old:/bin/sh\n');
    expect(merge({ kind: 'user', database: 'shadow' }, 'me:old:1::::::\n', 'me:new:2::::::\n')).toBe(
      'me:new:2::::::\n',
    );
  });

  it("removes a user's own group only where it came with the user", () => {
    const present = text(['adm:x:4:me', 'me:x:9:']);
    expect(merge({ kind: 'user', database: 'group', own: true }, 'adm:x:4:\n', present)).toBe('adm:x:4:\n');
    expect(merge({ kind: 'user', database: 'group' }, 'adm:x:4:\n', present)).toBe('adm:x:4:\nme:x:9:\n');
  });

  it('gives a gid back to the group and to the users that have it, and keeps members', () => {
    const change = { kind: 'group', from: '100', to: '200' } as const;
    expect(merge({ ...change, database: 'group' }, 'me:x:100:ann\n', 'me:x:200:ann,bob\n')).toBe(
      'me:x:100:ann,bob\n',
    );
    const saved = text(['ann:x:1:100:::', 'bob:x:2:300:::']);
    expect(merge({ ...change, database: 'passwd' }, saved, text(['ann:x:1:200:::', 'bob:x:2:200:::']))).toBe(
      text(['ann:x:1:100:::', 'bob:x:2:200:::']),
    );
  });
});
