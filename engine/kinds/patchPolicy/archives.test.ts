import { expect, it } from 'vitest';
import type { AptSource, UpdatesState } from '../../facts/updates.ts';
import { updatesFact } from '../../facts/updates.ts';
import { staleArchives } from './archives.ts';

const DAY = 86_400;
const STATE = updatesFact.parse(['apt', '~ lists 900'], { fact: 'updates', key: 'all', updates: 'all' });
const source = (suite: string, ageSeconds: number): AptSource => ({
  uri: 'http://a/',
  suite,
  read: true,
  security: false,
  ageSeconds,
});
const silent = (state: Partial<UpdatesState>) =>
  staleArchives({ ...STATE, ...state }).map(({ suite }) => suite);

it('an archive is silent that has not answered for two days while another has since', () => {
  expect(silent({ sources: [source('a', 900), source('b', 2 * DAY)] })).toEqual([]);
  expect(silent({ sources: [source('a', 900), source('b', 2 * DAY + 1)] })).toEqual(['b']);
});

it('one reading takes a while: what it read first and last are of the same age', () => {
  const sources = [source('a', 2 * DAY - 60), source('b', 2 * DAY + 60)];
  expect(silent({ sources })).toEqual([]);
});

it('what an engine before has read names no archives, and none is accused', () => {
  expect(STATE).not.toHaveProperty('sources');
  expect(silent({ listsAgeSeconds: 40 * DAY })).toEqual([]);
});
