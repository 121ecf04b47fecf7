/**
 * Which folder may import which, beside itself. `types` are erased: they let a contract be shared without its code.
 * activities/, cli/, compose.ts, main.ts and worker.ts put everything together and are not listed.
 */
export interface Layer {
  readonly values: readonly string[];
  readonly types: readonly string[];
  /** Pure: no Node module but the functions of PURE_NODE, no input or output, no clock. */
  readonly pure: boolean;
}

const pure = (values: readonly string[], types: readonly string[] = []): Layer => ({
  values,
  types,
  pure: true,
});
const effects = (values: readonly string[], types: readonly string[] = []): Layer => ({
  values,
  types,
  pure: false,
});

/** What workflows may call, as types only: a contract that every folder may read. */
export const CONTRACT = 'engine/activities/types.ts';

export const LAYERS: Readonly<Record<string, Layer>> = {
  'engine/shell': pure([]),
  'engine/facts': pure(['engine/shell']),
  'engine/operations': pure(['engine/shell', 'engine/facts'], ['engine/plan', 'engine/spec']),
  // Conflicts between documents are conflicts between the items that kinds claim.
  'engine/rollout': pure([]),
  'engine/spec': pure(['engine/facts', 'engine/kinds', 'engine/rollout', 'schemas']),
  'engine/kinds': pure(['engine/facts', 'engine/operations', 'engine/spec'], ['engine/plan']),
  'engine/plan': pure(
    ['engine/facts', 'engine/operations', 'engine/kinds', 'engine/rollout'],
    ['engine/spec', 'engine/shell'],
  ),
  'engine/drift': pure(['engine/plan', 'engine/policy'], ['engine/facts']),
  'engine/adopt': pure(['engine/drift', 'engine/facts', 'engine/kinds', 'engine/plan', 'engine/spec']),
  'engine/security': pure(['engine/facts', 'engine/kinds', 'engine/spec']),
  'engine/policy': pure([], ['engine/github', 'engine/plan', 'engine/spec']),
  'engine/advisories': effects([], ['engine/security']),
  'engine/config': effects([]),
  'engine/limit.ts': pure([]),
  'engine/version.ts': effects([]),
  'engine/log.ts': effects([]),
  'engine/metrics.ts': effects([]),
  'engine/housekeeping.ts': effects([], ['engine/log.ts', 'engine/store']),
  'engine/ending.ts': effects([], ['engine/log.ts']),
  'engine/storeMetrics.ts': effects([], ['engine/store']),
  'engine/repository': effects(['engine/limit.ts']),
  'engine/hosts': effects(
    ['engine/shell', 'engine/facts', 'engine/operations', 'engine/plan', 'engine/limit.ts'],
    ['engine/spec', 'engine/kinds'],
  ),
  'engine/github': effects(
    ['engine/spec', 'engine/config'],
    ['engine/adopt', 'engine/plan', 'engine/operations', 'engine/drift', 'engine/security', 'engine/log.ts'],
  ),
  'engine/inbox': effects(['engine/store'], ['engine/github', 'engine/log.ts', 'engine/metrics.ts']),
  // A thread of its own, so it is put together here.
  'engine/receiver': effects(
    ['engine/config', 'engine/http', 'engine/inbox', 'engine/log.ts', 'engine/metrics.ts', 'engine/store'],
    [],
  ),
  'engine/http': effects(['engine/github'], ['engine/config', 'engine/log.ts', 'engine/metrics.ts']),
  'engine/temporal': effects([], ['engine/config', 'engine/log.ts']),
  'engine/secrets': effects(['engine/spec'], ['engine/config']),
  'engine/store': effects(
    [],
    ['engine/facts', 'engine/plan', 'engine/operations', 'engine/drift', 'engine/security'],
  ),
};

/** Functions of Node whose result depends on nothing but their arguments. */
export const PURE_NODE: Readonly<Record<string, readonly string[]>> = {
  'node:crypto': ['createHash'],
  'node:net': ['isIP', 'isIPv4', 'isIPv6'],
};

/** Pure packages that pure folders may use. */
export const PURE_PACKAGES: readonly string[] = [
  'ajv/dist/2020.js',
  'diff',
  'fastest-levenshtein',
  'js-yaml',
  'mustache',
];
