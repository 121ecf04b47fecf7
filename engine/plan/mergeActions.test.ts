import { describe, expect, it } from 'vitest';
import { mergeActions } from './mergeActions.ts';
import type { Step } from './step.ts';

function action(verb: 'reload' | 'restart', unit: string, dependsOn: readonly string[], wave = 0): Step {
  return {
    kind: 'step',
    id: `unit.${verb}:${unit}`,
    operation: `unit.${verb}`,
    host: 'web-1',
    params: { unit },
    dependsOn,
    reversible: 'yes',
    disruption: verb,
    reason: 'change',
    wave,
    document: 'Configuration/web',
    summary: '',
    diff: '',
    onRemoval: 'restore',
    absent: [],
    before: {},
  };
}

describe('actions of several documents on one unit', () => {
  it('become one restart after all that they depend on, in the last wave', () => {
    const merged = mergeActions([
      action('reload', 'nginx.service', ['file:/a'], 1),
      { ...action('reload', 'x.service', []), id: 'file:/a', operation: 'file.write' },
      action('restart', 'nginx.service', ['file:/b']),
      action('reload', 'other.service', ['file:/b']),
    ]);
    expect(merged.map(({ id, dependsOn, wave }) => [id, dependsOn, wave])).toEqual([
      ['file:/a', [], 0],
      ['unit.restart:nginx.service', ['file:/a', 'file:/b'], 1],
      ['unit.reload:other.service', ['file:/b'], 0],
    ]);
  });
});
