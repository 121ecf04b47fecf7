import fc from 'fast-check';
import type { ItemKey } from '../facts/fact.ts';
import type { Step } from './step.ts';

/** A plain step for unit tests. */
export const aStep: Step = {
  kind: 'step',
  id: 'file:/a',
  operation: 'file.write',
  host: 'web-1',
  params: { path: '/a', sha256: 'f'.repeat(64), mode: '0644', owner: 'root', group: 'root' },
  dependsOn: [],
  reversible: 'yes',
  disruption: 'none',
  reason: 'change',
  wave: 0,
  document: 'Configuration/web',
  onRemoval: 'restore',
  absent: [],
  summary: 'a +1 -0',
  diff: '+ x',
  before: { 'path:/a': 'e'.repeat(64) },
};

/** An object without a prototype is another to Node's comparison and the same to JSON, which plans are made of. */
const PLAIN = { noNullPrototype: true } as const;

export const stepArbitrary: fc.Arbitrary<Step> = fc
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
