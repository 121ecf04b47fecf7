import { expect, test } from 'vitest';
import type { ItemKey } from '../facts/fact.ts';
import type { ResolvedPatchPolicy } from '../kinds/patchPolicy/spec.ts';
import { patchPolicySpec } from '../kinds/patchPolicy/testing/spec.ts';
import { withDefaults } from '../kinds/testing/kinds.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { type SecretUse, sealKey } from '../spec/secrets.ts';
import { declaredItem, probesItem, returnable, settledAfter, wantedItems } from './settled.ts';
import { aStep } from './testing.ts';

const MOTD: ItemKey = 'path:/etc/motd';
const KEY: ItemKey = 'path:/etc/key';
const PROBES = probesItem('Configuration/web');
const uses: readonly SecretUse[] = [
  { name: 'key', ref: { env: 'DOAAS_SECRET_KEY' } } as unknown as SecretUse,
];
const sealed = { sha256: 'b'.repeat(64), size: 3, text: true, sealed: uses };

function host(motd: string, probes: readonly object[] = []): ResolvedHost {
  const spec = withDefaults({
    files: {
      '/etc/motd': { content: { sha256: motd, size: 1, text: true } },
      '/etc/key': { content: sealed },
    },
  });
  const document = { ref: 'Configuration/web', kind: 'Configuration', wave: 0, onRemoval: 'restore' };
  return {
    kind: 'resolved-host',
    name: 'web-1',
    documents: [{ ...document, spec: { ...spec, probes } }],
  } as unknown as ResolvedHost;
}

const seals = (fingerprint: string) =>
  new Map([[sealKey(sealed), { kind: 'seal' as const, sha256: 'x', fingerprint }]]);
const plan = (...items: readonly ItemKey[]) => ({
  steps: items.map((item) => ({ ...aStep, before: { [item]: 'x' } })),
  findings: [],
});

test('what a reading finds as it is wanted is in force; what differs then may go back to it', () => {
  const wanted = wantedItems(host('a'), seals('f'));
  const first = settledAfter({}, wanted, plan(), false);
  expect(Object.keys(first).sort()).toEqual([KEY, MOTD]);
  expect(settledAfter(first, wanted, plan(MOTD), false)).toEqual(first);
  expect(returnable(first, wanted, plan(MOTD))).toEqual([MOTD]);
});

test('what the branch wants otherwise since then was never in force, nor what was never found', () => {
  const before = settledAfter({}, wantedItems(host('a'), seals('f')), plan(), false);
  const pushed = wantedItems(host('b'), seals('f'));
  expect(returnable(before, pushed, plan(MOTD, KEY))).toEqual([KEY]);
  expect(returnable({}, pushed, plan(MOTD))).toEqual([]);
});

test('another secret is another wish, and one that cannot be read is none', () => {
  const before = settledAfter({}, wantedItems(host('a'), seals('f')), plan(), false);
  expect(returnable(before, wantedItems(host('a'), seals('g')), plan(KEY))).toEqual([]);
  expect(wantedItems(host('a'), new Map())[KEY]).toBeUndefined();
});

test('probes come into force by an approved run only', () => {
  const probes = [
    { kind: 'command', argv: ['true'], user: 'root', exit: 0, withinSeconds: 1, everySeconds: 1 },
  ];
  const wanted = wantedItems(host('a', probes), seals('f'));
  expect(settledAfter({}, wanted, plan(), false)[PROBES]).toBeUndefined();
  const probed = settledAfter({}, wanted, plan(), true);
  expect(returnable(probed, wanted, plan(MOTD))).toContain(PROBES);
  const pushed = wantedItems(host('a', [...probes, ...probes]), seals('f'));
  expect(returnable(settledAfter(probed, pushed, plan(), false), pushed, plan(MOTD))).not.toContain(PROBES);
});

test('a reading with an error says nothing new; what left the YAML is forgotten', () => {
  const wanted = wantedItems(host('a'), seals('f'));
  const error = { kind: 'finding', severity: 'error', host: 'web-1', document: 'x', message: '' } as const;
  expect(settledAfter({}, wanted, { steps: [], findings: [error] }, false)).toEqual({});
  expect(settledAfter({ 'path:/gone': 'x' }, wanted, plan(), false)).not.toHaveProperty('path:/gone');
});

test('declared work is in force where none of it is outstanding, and is not judged where nobody looked', () => {
  const document = { ref: 'PatchPolicy/security', kind: 'PatchPolicy', wave: 0, onRemoval: 'restore' };
  const patched = (spec: ResolvedPatchPolicy) =>
    ({ kind: 'resolved-host', name: 'web-1', documents: [{ ...document, spec }] }) as unknown as ResolvedHost;
  const DECLARED = declaredItem('PatchPolicy/security');
  const wanted = wantedItems(patched(patchPolicySpec({})), new Map());
  const outstanding = {
    steps: [{ ...aStep, document: document.ref, before: { 'package:openssl': 'x' } }],
    findings: [],
  };
  expect(settledAfter({}, wanted, outstanding, false)).not.toHaveProperty(DECLARED);
  expect(settledAfter({}, wanted, { ...plan(), unasked: [document.ref] }, true)).not.toHaveProperty(DECLARED);
  const before = settledAfter({}, wanted, plan(), false);
  expect(settledAfter(before, wanted, outstanding, false)).toHaveProperty(DECLARED);
  expect(returnable(before, wanted, outstanding)).toContain(DECLARED);
  const pushed = wantedItems(patched(patchPolicySpec({ updates: { which: 'all' } })), new Map());
  expect(returnable(before, pushed, outstanding)).not.toContain(DECLARED);
});
