import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import type { Review } from '../github/reviews.ts';
import { loadPolicy, POLICY_FILE } from '../spec/policy.ts';
import type { Change } from './change.ts';
import { judge } from './judge.ts';
import { whoMay } from './people.ts';
import { change, review, step, target } from './testing.ts';

const folder = new URL('../../examples/policies/', import.meta.url);
const page = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');
const text = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const loaded = (yaml: string, name: string) => {
  const { spec, errors } = loadPolicy(new Map([[POLICY_FILE, new TextEncoder().encode(yaml)]]));
  expect(errors).toEqual([]);
  if (spec === undefined) throw new Error(`${name} is no policy`);
  return spec;
};
const specOf = (name: string) => loaded(text(name), name);
const missing = (name: string, given: Partial<Change> = {}) => judge(specOf(name), change(given)).missing;
const second: Review = { ...review, reviewer: 'dora', reviewerId: 9 };
const teams: Change['teams'] = {
  organisation: 'acme',
  members: new Map([['dba', new Set(['dora'])]]),
  unknown: new Set(),
};
const db = target('db-1', { labels: { role: 'db' } });

test('every ready policy stands in docs/policy.md as it is', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  expect(names.length).toBeGreaterThanOrEqual(4);
  for (const name of names) expect(page).toContain(`\`\`\`yaml\n${text(name)}\`\`\``);
});

test('the whole of it in docs/policy.md is a policy, and has every field that there is', () => {
  const [, yaml = ''] = /\n## The whole of it\n+```yaml\n(.*?)\n```/s.exec(page) ?? [];
  const spec = loaded(yaml, 'the whole of it');
  const [rule] = Object.values(spec.rules ?? {});
  const { properties, $defs } = JSON.parse(
    readFileSync(new URL('../../schemas/policy.json', import.meta.url), 'utf8'),
  );
  expect(Object.keys(spec).sort()).toEqual(Object.keys(properties.spec.properties).sort());
  expect(Object.keys(rule ?? {}).sort()).toEqual(Object.keys($defs.rule.properties).sort());
  expect(Object.keys(rule?.match ?? {}).sort()).toEqual(Object.keys($defs.match.properties).sort());
});

describe('ready policies', () => {
  it('small team: one approval begins it, and no run is large', () => {
    expect(specOf('small-team.yaml').trigger).toBe('approval');
    expect(missing('small-team.yaml')).toEqual([]);
    const many = Array.from({ length: 21 }, (_, i) => target(`web-${i}`));
    expect(missing('small-team.yaml', { targets: many })).toEqual([
      expect.stringContaining('at most 20 servers changed, but it is 21'),
    ]);
    expect(whoMay(specOf('small-team.yaml'), 'breakGlass')).toEqual({ teams: ['on-call'] });
  });

  it.each([
    ['a restart', step({ disruption: 'restart' })],
    ['what cannot be undone', step({ reversible: 'no' })],
  ])('two persons: %s needs two others', (_name, one) => {
    const targets = [target('web-1', { steps: [one] })];
    expect(missing('two-person.yaml', { targets })).toEqual([expect.stringContaining('1 of 2 is there')]);
    expect(missing('two-person.yaml', { targets, reviews: [review, second] })).toEqual([]);
    expect(missing('two-person.yaml')).toEqual([]);
  });

  it.each<readonly [string, Partial<Change>]>([
    ['by its files', { paths: ['databases/main.yaml'] }],
    ['by its servers', { targets: [db] }],
  ])('databases: a DBA approves, found %s', (_name, given) => {
    expect(missing('databases.yaml', { ...given, teams })).toEqual([
      expect.stringContaining('one approving review by a member of dba'),
    ]);
    expect(missing('databases.yaml', { ...given, teams, reviews: [second] })).toEqual([]);
    expect(missing('databases.yaml', { teams })).toEqual([]);
  });

  it.each([
    ['a Thursday', '2026-11-26T10:00:00Z', true],
    ['a Thursday evening', '2026-11-26T15:00:00Z', false],
    ['a Friday', '2026-11-27T10:00:00Z', false],
    ['a Monday at Christmas', '2026-12-21T10:00:00Z', false],
  ])('frozen Fridays: production on %s', (_name, at, open) => {
    const targets = [target('web-1', { labels: { env: 'prod' } })];
    const left = missing('frozen-fridays.yaml', { targets, now: Date.parse(at) });
    expect(left).toHaveLength(open ? 0 : 1);
    expect(missing('frozen-fridays.yaml', { now: Date.parse(at) })).toEqual([]);
  });
});
