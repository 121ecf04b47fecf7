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
