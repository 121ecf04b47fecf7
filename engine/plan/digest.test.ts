import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ItemKey } from '../facts/fact.ts';
import { canonicalJson, coveredBy, hostDigest, planDigest, uncovered } from './digest.ts';
import type { Step } from './step.ts';
import { aStep } from './testing.ts';

/** An object without a prototype is another to Node's comparison and the same to JSON, which plans are made of. */
const PLAIN = { noNullPrototype: true } as const;

const stepArbitrary: fc.Arbitrary<Step> = fc
  .record({
    id: fc.string({ minLength: 1 }),
    operation: fc.constantFrom('file.write', 'path.remove', 'directory.make'),
    params: fc.dictionary(
      fc.string({ minLength: 1 }),
      fc.oneof(fc.string(), fc.integer(), fc.boolean()),
      PLAIN,
    ),
    dependsOn: fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }),
    before: fc.dictionary(
      fc.string().map((key): ItemKey => `path:/${key}`),
      fc.stringMatching(/^[0-9a-f]{8}$/),
      { ...PLAIN, maxKeys: 3 },
    ),
    wave: fc.nat({ max: 3 }),
    disruption: fc.constantFrom('none', 'reload', 'restart', 'failover', 'reboot'),
    reversible: fc.constantFrom('yes', 'best-effort', 'no'),
    onRemoval: fc.constantFrom('restore', 'keep'),
    reason: fc.constantFrom('change', 'adoption', 'drift', 'removal', 'release'),
    summary: fc.string(),
    diff: fc.string(),
    document: fc.string(),
  })
  .map((random) => ({ ...aStep, ...random }));

describe('digests', () => {
  it('give the same for the same input, whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.array(stepArbitrary), (steps) => {
        const shuffled = steps.map(
          (step) => Object.fromEntries(Object.entries(step).reverse()) as unknown as Step,
        );
        expect(hostDigest('web-1', shuffled)).toBe(hostDigest('web-1', steps));
      }),
    );
  });

  it.each<[string, Partial<Step>]>([
    ['params', { params: { path: '/etc/other' } }],
    ['operation', { operation: 'path.remove' }],
    ['id', { id: 'file:/b' }],
    ['before-state', { before: { 'path:/a': 'other' } }],
    ['order of steps', { dependsOn: ['x'] }],
    ['disruption', { disruption: 'restart' }],
    ['reversibility', { reversible: 'no' }],
    ['wave', { wave: 1 }],
    ['what a removal does', { onRemoval: 'keep' }],
  ])('change with the %s', (_name, change) => {
    expect(hostDigest('web-1', [{ ...aStep, ...change }])).not.toBe(hostDigest('web-1', [aStep]));
  });

  it.each<[string, Partial<Step>]>([
    ['summary', { summary: 'in other words' }],
    ['diff', { diff: '+ shown otherwise' }],
    ['reason', { reason: 'drift' }],
    ['name of the document', { document: 'Configuration/renamed' }],
  ])('do not change with the %s', (_name, change) => {
    expect(hostDigest('web-1', [{ ...aStep, ...change }])).toBe(hostDigest('web-1', [aStep]));
  });

  it('differ by host, and a plan does not depend on the order of its hosts', () => {
    const hosts = ['a', 'b'].map((host) => ({ host, digest: hostDigest(host, [aStep]) }));
    expect(hosts[0]?.digest).not.toBe(hosts[1]?.digest);
    expect(planDigest([...hosts].reverse())).toBe(planDigest(hosts));
    expect(planDigest(hosts.slice(1))).not.toBe(planDigest(hosts));
  });

  const COUNTED = [
    'id',
    'operation',
    'params',
    'dependsOn',
    'reversible',
    'disruption',
    'before',
    'wave',
    'onRemoval',
  ] as const;
  const WORDING = ['summary', 'diff', 'reason', 'document'] as const;

  it('change with any field that counts, of any step, to any other value', () => {
    fc.assert(
      fc.property(
        fc.array(stepArbitrary, { minLength: 1, maxLength: 4 }),
        stepArbitrary,
        fc.constantFrom(...COUNTED),
        fc.nat(),
        (steps, donor, field, which) => {
          const at = which % steps.length;
          fc.pre(!isDeepStrictEqual(steps[at]?.[field], donor[field]));
          const changed = steps.map((step, i) => (i === at ? { ...step, [field]: donor[field] } : step));
          expect(hostDigest('h', changed)).not.toBe(hostDigest('h', steps));
        },
      ),
    );
  });

  it('stay the same whatever the wording', () => {
    fc.assert(
      fc.property(stepArbitrary, stepArbitrary, fc.constantFrom(...WORDING), (step, donor, field) => {
        expect(hostDigest('h', [{ ...step, [field]: donor[field] }])).toBe(hostDigest('h', [step]));
      }),
    );
  });

  it('change when a step is added, left out, repeated or moved', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(stepArbitrary, { minLength: 2, maxLength: 5, selector: (step) => step.id }),
        stepArbitrary,
        (steps, extra) => {
          const digest = hostDigest('h', steps);
          for (const other of [
            [...steps, extra],
            steps.slice(1),
            [...steps, ...steps.slice(-1)],
            [...steps].reverse(),
          ])
            expect(hostDigest('h', other)).not.toBe(digest);
        },
      ),
    );
  });

  it('of what comes along with packages: an approval covers less of it, never more', () => {
    const bringing = (along?: readonly string[] | null): readonly Step[] => [
      { ...aStep, params: { packages: ['own'], ...(along === undefined ? {} : { along }) } },
    ];
    const both = bringing(['libpam-sss', 'libssl3']);
    expect(hostDigest('h', both)).not.toBe(hostDigest('h', bringing()));
    for (const fewer of [both, bringing(['libssl3']), bringing()]) expect(coveredBy(both, fewer)).toBe(true);
    expect(coveredBy(bringing(null), both)).toBe(true);
    for (const more of [bringing(['sssd']), bringing(null)]) expect(coveredBy(both, more)).toBe(false);
    expect(uncovered(bringing(), both)).toMatchObject([{ is: 'changed' }]);
    expect(coveredBy(both, [{ ...aStep, params: { packages: ['other'] } }])).toBe(false);
  });

  it('of a plan change with the digest of any host', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 5 }),
        fc.nat(),
        (names, which) => {
          const hosts = names.map((host) => ({ host, digest: hostDigest(host, [aStep]) }));
          const changed = hosts.map((host, i) =>
            i === which % hosts.length ? { ...host, digest: hostDigest(host.host, []) } : host,
          );
          expect(planDigest(changed)).not.toBe(planDigest(hosts));
        },
      ),
    );
  });
});

describe('coveredBy', () => {
  const other: Step = { ...aStep, id: 'file:/b', params: { path: '/b' } };

  it('allows steps to drop out, and nothing new', () => {
    expect(coveredBy([aStep, other], [other])).toBe(true);
    expect(coveredBy([aStep, other], [])).toBe(true);
    expect(coveredBy([aStep], [aStep, other])).toBe(false);
    expect(coveredBy([aStep], [{ ...aStep, before: { 'path:/a': 'moved' } }])).toBe(false);
  });

  it('tells what is new from what changed', () => {
    const moved: Step = { ...aStep, before: { 'path:/a': 'moved' } };
    expect(uncovered([aStep], [moved, other])).toEqual([
      { step: moved, is: 'changed' },
      { step: other, is: 'new' },
    ]);
    expect(uncovered([aStep, other], [other])).toEqual([]);
  });
});

describe('canonicalJson', () => {
  it('is JSON with sorted keys that parses back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(canonicalJson({ b: 1, a: [{ d: 1, c: undefined }] })).toBe('{"a":[{"d":1}],"b":1}');
  });
});
