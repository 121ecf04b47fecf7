import type { HostPlan, Plan, Step } from '../../plan/step.ts';
import { aStep } from '../../plan/testing.ts';
import type { SpecError } from '../../spec/manifest.ts';
import type { CorrectionView, DriftView, PlanName, PlanView } from './views.ts';

/** Made-up plans for the tests of rendering. */
export const NAME: PlanName = {
  digest: `7f3a${'0'.repeat(60)}`,
  headSha: `91c2${'0'.repeat(36)}`,
  baseSha: `44de${'0'.repeat(36)}`,
};

export const WARNING: SpecError = {
  kind: 'spec-error',
  code: 'no-effect',
  message: 'No rule uses the set office.',
  position: { file: 'firewalls.yaml', line: 9, column: 5, endLine: 9, endColumn: 11 },
  pointer: '/spec/sets/office',
};

export function step(given: Partial<Step> = {}): Step {
  return {
    ...aStep,
    id: 'file:/etc/nginx/nginx.conf',
    operation: 'file',
    params: {},
    summary: 'nginx.conf +2 -1',
    diff: '--- nginx.conf\n+++ nginx.conf\n@@ -1 +1,2 @@\n-worker_processes 1;\n+worker_processes auto;\n+worker_rlimit_nofile 65535;\n',
    before: { 'path:/etc/nginx/nginx.conf': 'a' },
    ...given,
  };
}

export function reload(given: Partial<Step> = {}): Step {
  return step({
    id: 'reload',
    operation: 'unit-reload',
    params: { unit: 'nginx.service' },
    disruption: 'reload',
    dependsOn: ['file:/etc/nginx/nginx.conf'],
    summary: 'reload nginx.service',
    diff: '',
    before: {},
    ...given,
  });
}

export function hostPlan(
  host: string,
  steps: readonly Step[],
  findings: HostPlan['findings'] = [],
): HostPlan {
  return { kind: 'host-plan', host, steps: steps.map((s) => ({ ...s, host })), findings, digest: 'd' };
}

export function plan(...hosts: readonly HostPlan[]): Plan {
  return { kind: 'plan', hosts, digest: NAME.digest };
}

export function planView(given: Partial<PlanView> = {}): PlanView {
  return {
    kind: 'plan',
    plan: plan(hostPlan('web-1', [step(), reload()])),
    name: NAME,
    waiting: ['one approving review by @ops (not the author)'],
    next: { command: '/doaas apply' },
    firstSeen: [],
    unreachable: [],
    ...given,
  };
}

/** What a firewall reads back. */
export const COUNTED: HostPlan['findings'][number] = {
  kind: 'finding',
  severity: 'info',
  host: 'web-1',
  document: 'Firewall/web',
  message: 'packets counted in the 40 seconds since the rules were loaded: in: management 12, web 3',
  readBack: true,
};

const UPDATE = {
  document: 'PatchPolicy/security',
  host: 'web-1',
  stepId: 'patch:upgrade:37b1e1c0b4d7',
  summary: '1 update (1 security): openssl 3.0.15 -> 3.0.17',
  diff: '- openssl 3.0.15\n+ openssl 3.0.17 security from Debian-Security\n',
  firstSeenAt: Date.parse('2026-11-26T08:00:31Z'),
  traces: [],
};

/** Work that has come up by itself, in a document with a window. */
export const OUTSTANDING: DriftView = {
  kind: 'drift',
  document: UPDATE.document,
  branch: 'main',
  commit: NAME.headSha,
  items: [UPDATE],
  ongoing: true,
  correction: { hosts: [], left: [], hindrance: "the document's window sat 02:00-04:00 UTC is shut" },
};

/** The same, done on one of two servers. */
export const DECLARED: CorrectionView = {
  kind: 'correction',
  run: 'dc17-1e5fb580',
  document: UPDATE.document,
  declared: true,
  outcome: {
    kind: 'corrected',
    at: UPDATE.firstSeenAt,
    leftOut: [{ host: 'web-2', message: 'the window shut before its turn; the next one goes on with it' }],
    remaining: 1,
  },
  changes: [UPDATE, { ...UPDATE, host: 'web-2' }],
};
