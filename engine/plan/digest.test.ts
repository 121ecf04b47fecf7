import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, coveredBy, hostDigest, planDigest } from './digest.ts';
import type { Step } from './step.ts';
import { aStep, stepArbitrary } from './testing.ts';

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

  it('any change of a random step changes the digest', () => {
    fc.assert(
      fc.property(stepArbitrary, fc.string({ minLength: 1 }), (step, extra) => {
        const changed = { ...step, params: { ...step.params, [`added ${extra}`]: extra } };
        expect(hostDigest('h', [changed])).not.toBe(hostDigest('h', [step]));
      }),
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
