import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from './canonical.ts';
import { checkRepository } from './check.ts';
import { canonicalItem, diffHosts } from './compare.ts';
import type { Resolution } from './resolution.ts';
import { configuration, repository, sentences, server } from './testing.ts';

const HOSTS = { 'hosts.yaml': `${server('a', '{role: web}')}---\n${server('b')}` };
const ALL = '  targets: {all: true}\n';

function resolve(files: Readonly<Record<string, string>>): Resolution {
  const { resolution, errors } = checkRepository(repository({ ...HOSTS, ...files }));
  expect(sentences(errors)).toEqual([]);
  return resolution;
}

const base = resolve({
  'c.yaml': configuration('c', `${ALL}  files: {/f: {content: x}}\n  packages: {vim: {}}\n`),
});
const same = { changed: [], added: [], removed: [], unchanged: ['a', 'b'] };

test('renaming, splitting and moving documents changes nothing', () => {
  const head = resolve({
    'x/d.yaml': configuration('d', `${ALL}  packages: {vim: {}}\n`),
    'x/e.yaml': configuration('e', `${ALL}  files: {/f: {source: text}}\n`),
    text: 'x',
  });
  expect(diffHosts(base, head)).toEqual(same);
});

test('only the hosts that a change reaches are changed', () => {
  const more = configuration('m', '  targets: {labels: {role: web}}\n  files: {/g: {content: y}}\n');
  const c = configuration('c', `${ALL}  files: {/f: {content: x}}\n  packages: {vim: {}}\n`);
  expect(diffHosts(base, resolve({ 'c.yaml': c, 'm.yaml': more }))).toEqual({
    ...same,
    changed: ['a'],
    unchanged: ['b'],
  });
});

test.each([
  ['content', 'files: {/f: {content: y}}\n  packages: {vim: {}}'],
  ['mode', 'files: {/f: {content: x, mode: "0600"}}\n  packages: {vim: {}}'],
  ['a package', 'files: {/f: {content: x}}\n  packages: {vim: {hold: true}}'],
  ['a probe', 'files: {/f: {content: x}}\n  packages: {vim: {}}\n  probes: [{tcp: "a:1"}]'],
  ['an item that leaves', 'files: {/f: {content: x}}'],
])('a change of %s', (_, spec) => {
  expect(diffHosts(base, resolve({ 'c.yaml': configuration('c', `${ALL}  ${spec}\n`) })).changed).toEqual([
    'a',
    'b',
  ]);
});

test('hosts that come and go', () => {
  const { resolution } = checkRepository(repository({ 'hosts.yaml': `${server('b')}---\n${server('c')}` }));
  expect(diffHosts(base, resolution)).toEqual({
    changed: ['b'],
    added: ['c'],
    removed: ['a'],
    unchanged: [],
  });
});

test('an item is the same where only the others changed, or whom it notifies', () => {
  const [before] = base.hosts[0]?.documents ?? [];
  const spec = 'files: {/f: {content: x, notify: {reload: [a.service]}}}\n  packages: {vim: {state: absent}}';
  const [after] = resolve({ 'c.yaml': configuration('c', `${ALL}  ${spec}\n`) }).hosts[0]?.documents ?? [];
  if (before === undefined || after === undefined) throw new Error('the hosts have documents');
  expect(canonicalItem(after, 'path:/f')).toBe(canonicalItem(before, 'path:/f'));
  expect(canonicalItem(after, 'package:vim')).not.toBe(canonicalItem(before, 'package:vim'));
  expect(canonicalItem(after, 'path:/other')).toBeUndefined();
});

test('the text of a unit is an item of its own', () => {
  const unit = (rest: string) => `units: {a.service: {content: "[Service]\\n"${rest}}}`;
  const [before] =
    resolve({ 'c.yaml': configuration('c', `${ALL}  ${unit('')}\n`) }).hosts[0]?.documents ?? [];
  const [after] =
    resolve({ 'c.yaml': configuration('c', `${ALL}  ${unit(', running: true')}\n`) }).hosts[0]?.documents ??
    [];
  if (before === undefined || after === undefined) throw new Error('the hosts have documents');
  expect(canonicalItem(after, 'path:/etc/systemd/system/a.service')).toBe(
    canonicalItem(before, 'path:/etc/systemd/system/a.service'),
  );
  expect(canonicalItem(after, 'path:/etc/systemd/system/a.service')).toContain('sha256');
  expect(canonicalItem(after, 'unit:a.service')).not.toBe(canonicalItem(before, 'unit:a.service'));
});

test('canonical JSON does not depend on the order of keys, and loses nothing', () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, inner]) => [key, shuffled(inner)]),
    );
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
