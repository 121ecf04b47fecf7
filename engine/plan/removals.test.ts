import { describe, expect, it } from 'vitest';
import { soon } from '../../test/cpuMs.ts';
import { itemKey } from '../facts/fact.ts';
import { itemDir, type OwnedItem } from '../facts/owned.ts';
import { pathFact } from '../facts/path.ts';
import { SERVER } from '../spec/testing.ts';
import { planRemovals, releaseQueries } from './removals.ts';

const PATH = '/etc/login.defs';
const OWNED: OwnedItem = {
  item: itemKey('path', PATH),
  origin: 'adopted',
  repository: 'acme/infra',
  document: 'Hardening/base',
  onRemoval: 'restore',
  run: 'r-w0',
};
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a file that goes back to what it was', () => {
  const diffOf = (state: object) => {
    const query = { fact: 'path', key: PATH };
    const readings = new Map([[OWNED.item, { query, state, raw: '' }]]);
    const host = { kind: 'resolved-host', name: 'web-1', server: SERVER, documents: [] } as const;
    return planRemovals(host, [OWNED], readings)[0]?.diff;
  };

  it('shows each line, also those that others changed since', () => {
    const now = base64('PASS_MAX_DAYS\t365\nUMASK\t077\n');
    const diff = diffOf({ type: 'file', content: now, saved: base64('PASS_MAX_DAYS\t99999\nUMASK\t022\n') });
    expect(diff?.split('\n').filter((line) => /^[-+][^-+]/.test(line))).toEqual([
      '-PASS_MAX_DAYS\t365',
      '-UMASK\t077',
      '+PASS_MAX_DAYS\t99999',
      '+UMASK\t022',
    ]);
  });

  it(
    'shows nothing of more than the host was asked for',
    soon(() => {
      const content = base64('\n\n\n').repeat(4_000_000);
      const lines = [
        `file 0644 0 0 root root ${'0'.repeat(64)}`,
        `~ content ${content}`,
        `~ saved ${base64('x')}`,
      ];
      const query = { fact: 'path', key: PATH, unlessSha256: 'any', saved: '/x' } as const;
      expect(diffOf(pathFact.parse(lines, query))).toBe(
        `- path:${PATH} as Hardening/base had it\n+ as it was found`,
      );
    }),
  );

  it('shows nothing of one that not everybody may read', () => {
    for (const state of [
      { type: 'file' },
      { type: 'file', content: base64('x') },
      { type: 'file', saved: base64('x') },
    ])
      expect(diffOf(state)).toBe(`- path:${PATH} as Hardening/base had it\n+ as it was found`);
  });

  it('has its lines read where it was there before and goes back, and not of very many', () => {
    const saved = `${itemDir(OWNED.item)}/saved/item`;
    const alone = { fact: 'path', key: PATH };
    expect(releaseQueries([OWNED])).toEqual([{ ...alone, unlessSha256: 'any', saved }]);
    expect(releaseQueries([{ ...OWNED, origin: 'created' }])).toEqual([alone]);
    expect(releaseQueries([{ ...OWNED, onRemoval: 'keep' }])).toEqual([alone]);
    const many = Array.from({ length: 33 }, (_, n): OwnedItem => ({ ...OWNED, item: `path:/etc/${n}` }));
    expect(releaseQueries(many).every((query) => !('saved' in query))).toBe(true);
  });

  it(
    'is soon known not to be shown, however many a host says it has',
    soon(() => {
      const many = Array.from(
        { length: 90_000 },
        (_, n): OwnedItem => ({ ...OWNED, item: `path:/etc/${n}` }),
      );
      const queries = releaseQueries(many);
      expect([queries.length, queries.filter((query) => 'saved' in query).length]).toEqual([90_000, 0]);
    }),
  );
});
