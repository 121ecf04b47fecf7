import { describe, expect, test } from 'vitest';
import { render, renderComment } from './render.ts';
import {
  COUNTED,
  DECLARED,
  hostPlan,
  NAME,
  OUTSTANDING,
  plan,
  planView,
  reload,
  step,
  WARNING,
} from './testing.ts';
import type { CorrectionView, View } from './views.ts';

const DRIFTED = {
  document: 'Configuration/web',
  host: 'web-1',
  stepId: 'file:/etc/motd',
  summary: 'motd +1 -1',
  diff: '--- /etc/motd\n+++ /etc/motd\n@@ -1 +1 @@\n-```by hand @all\n+welcome\n',
  firstSeenAt: Date.parse('2026-11-26T08:00:31Z'),
  traces: [],
};

/** The files in golden/ are what a reviewer reads; look at them after a change (`npx vitest -u` writes them). */
const goldens: Readonly<Record<string, View>> = {
  plan: planView({
    plan: plan(
      hostPlan('web-1', [step(), reload()]),
      hostPlan('web-2', [step(), reload()]),
      hostPlan(
        'db-1',
        [
          step({ summary: 'user backup is created', diff: '+ backup uid 990', reason: 'change', before: {} }),
          step({ summary: '/etc/motd', diff: '-old\n+new', reason: 'adoption' }),
          step({ summary: '/etc/nologin.txt', diff: '-mine\n+ours', reason: 'adoption' }),
          step({ summary: '/etc/issue', diff: '-changed by hand\n+as declared', reason: 'drift' }),
          step({
            summary: 'package telnet is removed',
            diff: '',
            reason: 'removal',
            reversible: 'best-effort',
          }),
          step({ summary: '/etc/hosts is put back', diff: '-x', reason: 'release' }),
        ],
        [
          {
            kind: 'finding',
            severity: 'info',
            host: 'db-1',
            document: 'Configuration/db',
            message: 'kernel.panic is not writable here: not applicable',
          },
          {
            kind: 'finding',
            severity: 'warning',
            host: 'db-1',
            document: 'Configuration/db',
            message: 'the unit cron.service is not enabled',
          },
        ],
      ),
      hostPlan('db-2', []),
    ),
    firstSeen: [
      {
        host: 'db-1',
        os: 'Debian GNU/Linux 12',
        init: 'systemd',
        cpus: 2,
        memoryMib: 3933,
        diskMib: 20_480,
      },
    ],
  }),
  'plan-ready': planView({ waiting: [] }),
  'plan-unreachable': planView({
    unreachable: [{ host: 'web-2', message: 'the host key is not the pinned one' }],
    waiting: ['web-2 to be readable'],
    next: { command: '/doaas plan' },
  }),
  'nothing-to-do': { kind: 'nothing-to-do', name: NAME, reason: 'already-so', findings: [] },
  'nothing-changed': {
    kind: 'nothing-to-do',
    name: { headSha: NAME.headSha, baseSha: NAME.baseSha },
    reason: 'no-change',
    findings: [],
  },
  'plan-forbidden': planView({
    plan: plan(
      hostPlan(
        'web-1',
        [step(), reload()],
        [
          {
            kind: 'finding',
            severity: 'error',
            host: 'web-1',
            document: 'Configuration/web',
            message:
              'package:nginx belongs to Configuration/base of the repository acme/base; remove it there first',
            position: { file: 'web.yaml', line: 12, column: 3, endLine: 12, endColumn: 8 },
          },
        ],
      ),
    ),
    waiting: ['what forbids the plan to be mended'],
    next: { command: '/doaas plan' },
  }),
  'waiting-for-lock': {
    kind: 'waiting-for-lock',
    holders: [
      { hosts: ['web-1', 'web-2'], holder: 'acme/infra#12', since: Date.UTC(2026, 10, 26, 12, 3, 59) },
      { hosts: [], holder: 'acme/infra#14' },
    ],
    position: 2,
  },
  'waiting-far-back': { kind: 'waiting-for-lock', holders: [] },
  'validate-ok': { kind: 'validate', errors: [], documents: 4, hosts: 3 },
  'validate-warnings': {
    kind: 'validate',
    errors: [],
    warnings: [WARNING],
    documents: 4,
    hosts: 3,
  },
  'validate-fork': {
    kind: 'validate',
    errors: [],
    documents: 4,
    hosts: 1,
    fork: true,
    leftOut: [{ path: 'files/link', why: 'a symbolic link' }],
  },
  'validate-errors': {
    kind: 'validate',
    documents: 4,
    hosts: 3,
    errors: [
      {
        kind: 'spec-error',
        code: 'unknown-property',
        pointer: '/spec/pakages',
        message: 'Configuration has no property "pakages"; did you mean "packages"?',
        position: { file: 'web.yaml', line: 7, column: 3, endLine: 7, endColumn: 10 },
      },
      {
        kind: 'spec-error',
        code: 'yaml-syntax',
        pointer: '',
        message: 'A tab cannot indent YAML; use spaces.',
        position: { file: 'db.yaml', line: 2, column: 1, endLine: 2, endColumn: 2 },
      },
    ],
  },
  'apply-running': {
    kind: 'apply',
    state: 'running',
    name: NAME,
    seconds: 4,
    hosts: [
      {
        host: 'web-1',
        steps: [
          { summary: 'nginx.conf +2 -1', state: 'done', seconds: 0.3 },
          { summary: 'reload nginx.service', state: 'running' },
        ],
      },
      {
        host: 'web-2',
        steps: [
          { summary: 'nginx.conf +2 -1', state: 'waiting' },
          { summary: 'reload nginx.service', state: 'waiting' },
        ],
      },
    ],
  },
  'apply-done': {
    kind: 'apply',
    state: 'applied',
    name: NAME,
    seconds: 14.2,
    merged: { sha: '5e1f'.repeat(10), differs: false },
    hosts: [
      {
        host: 'web-1',
        steps: [
          { summary: 'nginx.conf +2 -1', state: 'done', seconds: 0.3 },
          { summary: 'reload nginx.service', state: 'done', seconds: 1.1 },
        ],
      },
    ],
  },
  'apply-differs': {
    kind: 'apply',
    state: 'applied',
    name: { ...NAME, url: 'https://doaas.example.org/plans/7f3a?expires=1&signature=ab' },
    seconds: 14.2,
    merged: { sha: '5e1f'.repeat(10), differs: true },
    hosts: [{ host: 'web-1', steps: [{ summary: 'nginx.conf +2 -1', state: 'done', seconds: 0.3 }] }],
  },
  'apply-failed': {
    kind: 'apply',
    state: 'failed',
    name: NAME,
    seconds: 5,
    failure: {
      host: 'web-1',
      what: 'reload nginx.service',
      message: 'exit 1',
      output:
        'nginx: [emerg] unknown directive "worker_procesess"\nnginx: configuration file /etc/nginx/nginx.conf test failed\n',
    },
    hosts: [
      {
        host: 'web-1',
        steps: [
          { summary: 'nginx.conf +2 -1', state: 'done', seconds: 0.3 },
          { summary: 'reload nginx.service', state: 'failed', seconds: 1.1 },
        ],
      },
    ],
  },
  'verify-running': {
    kind: 'verify',
    state: 'running',
    probes: [
      { host: 'web-1', probe: 'http://localhost/health', state: 'passed', seconds: 0.2 },
      { host: 'web-2', probe: 'command systemctl is-active nginx', state: 'waiting' },
    ],
    remaining: [],
  },
  'verify-without-probes': { kind: 'verify', state: 'verified', probes: [], remaining: [] },
  'verify-done': {
    kind: 'verify',
    state: 'verified',
    probes: [{ host: 'web-1', probe: 'http://localhost/health', state: 'passed', seconds: 0.2 }],
    remaining: [],
    readBack: [COUNTED],
  },
  'verify-failed': {
    kind: 'verify',
    state: 'failed',
    probes: [
      {
        host: 'web-1',
        probe: 'http://localhost/health',
        state: 'failed',
        seconds: 30,
        detail: 'status 502 instead of 200, 15 tries',
      },
      { host: 'web-2', probe: 'tcp 127.0.0.1:80', state: 'passed', seconds: 0.1 },
    ],
    remaining: [{ host: 'web-1', summary: 'nginx.conf +2 -1' }],
  },
  'rolling-back': {
    kind: 'rollback',
    state: 'running',
    cause: { host: 'web-1', what: 'reload nginx.service', message: 'exit 1', output: 'test failed\n' },
    hosts: [
      { host: 'web-1', state: 'restored', remaining: [] },
      { host: 'web-2', state: 'waiting', remaining: [] },
      { host: 'web-3', state: 'untouched', remaining: [] },
    ],
  },
  'rolled-back': {
    kind: 'rollback',
    state: 'rolled-back',
    cause: {
      host: 'web-1',
      what: 'Probe http://localhost/health',
      message: 'status 502 instead of 200, 15 tries in 30 s',
      output: '',
    },
    hosts: [
      { host: 'web-1', state: 'restored', remaining: [] },
      { host: 'web-2', state: 'untouched', remaining: [] },
    ],
  },
  'rollback-of-what-was-merged-before': {
    kind: 'rollback',
    state: 'rolled-back',
    cause: { reason: 'alice asked for a rollback' },
    revertPull: 8,
    hosts: [{ host: 'web-1', state: 'restored', remaining: [] }],
  },
  'rollback-of-what-cannot-be-reverted': {
    kind: 'rollback',
    state: 'rolled-back',
    cause: { reason: 'alice asked for a rollback' },
    revertPull: { refused: 'Opening the revert of #7: GitHub answered 422' },
    hosts: [{ host: 'web-1', state: 'restored', remaining: [] }],
  },
  'rollback-requested': {
    kind: 'rollback',
    state: 'rolled-back',
    cause: { reason: 'alice asked for a rollback' },
    hosts: [
      {
        host: 'web-1',
        state: 'restored',
        remaining: [],
        remarks: ['/var/lib/app was not empty any more; moved to /var/lib/app.doaas-1'],
      },
    ],
  },
  'rollback-refused': {
    kind: 'rollback',
    state: 'rolled-back',
    cause: { reason: 'GitHub refused the merge: at least 1 approving review is required' },
    hosts: [{ host: 'web-1', state: 'restored', remaining: [] }],
  },
  held: {
    kind: 'held',
    reason: 'web-2 does not answer; it was in the middle of its rollback.',
    hosts: [
      { host: 'web-1', state: 'restored', remaining: [] },
      {
        host: 'web-2',
        state: 'not-restored',
        remaining: ['/etc/nginx/nginx.conf', 'nginx.service was not reloaded'],
      },
    ],
    ways: [
      { command: '/doaas unlock', effect: 'frees the servers, once somebody has looked at what remains' },
      { command: '/doaas status', effect: 'says which servers are held' },
    ],
  },
  drift: {
    kind: 'drift',
    document: 'Configuration/web',
    branch: 'main',
    commit: NAME.headSha,
    items: [
      {
        document: 'Configuration/web',
        host: 'web-1',
        stepId: 'file:/etc/motd',
        summary: 'motd +1 -1',
        diff: '--- /etc/motd\n+++ /etc/motd\n@@ -1 +1 @@\n-changed by hand\n+welcome\n',
        firstSeenAt: Date.parse('2026-11-26T08:00:31Z'),
        traces: ['ann ran sudo at 07:58: tee /etc/motd | @all'],
      },
      {
        document: 'Configuration/web',
        host: 'web-2',
        stepId: 'unit:nginx.service',
        summary: 'nginx.service is started',
        diff: '-stopped\n+running',
        firstSeenAt: Date.parse('2026-11-26T09:00:00Z'),
        traces: [],
      },
    ],
  },
  'drift-correction': {
    kind: 'drift',
    document: 'Configuration/web',
    branch: 'main',
    commit: NAME.headSha,
    items: [DRIFTED],
    correction: {
      hosts: ['web-1'],
      left: [
        {
          host: 'web-2',
          summary: 'tree 2.1.0 -> 2.0 | @all',
          because: 'it could not be undone with certainty',
        },
      ],
    },
  },
  'drift-not-corrected': {
    kind: 'drift',
    document: 'Configuration/web',
    branch: 'main',
    commit: NAME.headSha,
    items: [DRIFTED],
    correction: { hosts: [], left: [], hindrance: 'the change window mon UTC is shut (rule <b>web</b>)' },
  },
  outstanding: OUTSTANDING,
  'correction-declared': DECLARED,
  'correction-waiting': correctionView({ kind: 'waiting', behind: 'acme/infra#12', position: 2 }),
  'correction-made': correctionView({
    kind: 'corrected',
    at: Date.parse('2026-11-26T08:00:31Z'),
    leftOut: [{ host: 'web-2', message: 'it could not be reached' }],
    remaining: 1,
  }),
  'correction-not-made': correctionView({
    kind: 'not-made',
    reason: 'main has moved since @all read it',
    cancelled: false,
  }),
  'correction-cancelled-before': correctionView({
    kind: 'not-made',
    reason: 'ann cancelled the run',
    cancelled: true,
  }),
  'correction-cancelled': correctionView({
    kind: 'rolled-back',
    reason: 'ann cancelled the run',
    failed: 1,
    most: 2,
    cancelled: true,
  }),
  'correction-kept': correctionView({
    kind: 'held',
    reason: 'ann cancelled the run; ann decided to keep what is done',
    remains: [],
    kept: true,
  }),
  'correction-failed': correctionView({
    kind: 'rolled-back',
    reason: 'the probe failed',
    failed: 1,
    most: 2,
    cancelled: false,
  }),
  'correction-given-up': correctionView({
    kind: 'rolled-back',
    reason: 'the probe failed',
    failed: 2,
    most: 2,
    cancelled: false,
  }),
  'correction-held': correctionView({
    kind: 'held',
    reason: 'the probe failed',
    remains: ['path:/etc/motd | @all'],
    kept: false,
  }),
};

function correctionView(outcome: CorrectionView['outcome']): CorrectionView {
  const changes = ['web-1', 'web-2'].map((host) => ({ ...DRIFTED, host }));
  return { kind: 'correction', run: 'dc17-1e5fb580', document: 'Configuration/web', outcome, changes };
}

describe.each(Object.entries(goldens))('%s', (name, view) => {
  test('reads as the golden file', async () => {
    await expect(`${render(view).title}\n---\n${renderComment(view)}\n`).toMatchFileSnapshot(
      `golden/${name}.md`,
    );
  });

  test('has a title of one plain line', () => {
    expect(render(view).title).toMatch(/^[^\n]{3,300}$/);
    expect(render(view).title).not.toMatch(/[`*|<>]/);
  });
});

test('the comment folds what came before below what holds now', () => {
  const comment = renderComment(goldens['rolled-back'] as View, [planView()]);
  expect(comment.indexOf('restored as before')).toBeLessThan(
    comment.indexOf('<details><summary>1 change on 1 server; nginx reloads'),
  );
});

test('equal servers share a row, also a hundred of them', () => {
  const hosts = Array.from({ length: 100 }, (_, i) => hostPlan(`web-${i + 1}`, [step()]));
  const { title, body } = render(planView({ plan: plan(...hosts) }));
  expect(title).toBe('100 changes on 100 servers; nothing is interrupted; fully reversible');
  expect(body).toContain('| web-1, web-2, web-3 and 97 more | nginx.conf +2 -1 | none | yes |');
  expect(body.match(/```diff/g)).toHaveLength(1);
});

test('what to do about a server or a finding is not cut off', () => {
  const message = `${'why '.repeat(120)}and what to do about it`;
  const finding = {
    kind: 'finding',
    severity: 'warning',
    host: 'db-1',
    document: 'Server/db-1',
    message,
  } as const;
  const view = planView({
    plan: plan(hostPlan('db-1', [step()], [finding])),
    unreachable: [{ host: 'web-2', message }],
  });
  expect(render(view).body.match(/and what to do about it/g)).toHaveLength(2);
});

test('long plans and diffs are bounded and say so', () => {
  const steps = Array.from({ length: 150 }, (_, i) =>
    step({ id: `s${i}`, summary: `file ${i}`, diff: 'x\n'.repeat(1000) }),
  );
  const { body } = render(planView({ plan: plan(hostPlan('web-1', steps)) }));
  expect(body).toContain('*50 more changes: `doaas plan show 7f3a0000`*');
  expect(body).toContain('(601 more lines)');
});
