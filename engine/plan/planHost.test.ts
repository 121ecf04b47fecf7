import { describe, expect, it } from 'vitest';
import { type FactQuery, type ItemKey, itemKey, type Reading } from '../facts/fact.ts';
import type { UpdatesState } from '../facts/updates.ts';
import { EMPTY } from '../kinds/configuration/testing/spec.ts';
import { patchPolicySpec } from '../kinds/patchPolicy/testing/spec.ts';
import type { ResolvedConfiguration } from '../spec/configuration.ts';
import type { ResolvedDocument, ResolvedHost } from '../spec/resolution.ts';
import { FINDINGS_MAX } from './bounds.ts';
import { hostQueries, planHost } from './planHost.ts';

const NOTHING_OUTSTANDING: UpdatesState = {
  present: true,
  locks: [],
  listsAgeSeconds: 60,
  updates: [],
  changes: [],
  keptBack: [],
  disk: [],
  shortages: [],
  restarts: { kind: 'known', version: '3.6-4+deb12u3', units: [], deferred: [] },
  reboot: { required: false, why: [], kernelRunning: '6.1.0-1-amd64', initrdBytes: 0 },
  failedUnits: [],
};

const position = { file: 'a.yaml', line: 1, column: 1, endLine: 1, endColumn: 1 };

function host(...specs: readonly Partial<ResolvedConfiguration>[]): ResolvedHost {
  return {
    kind: 'resolved-host',
    name: 'web-1',
    server: {
      name: 'web-1',
      address: '192.0.2.1',
      port: 22,
      user: 'root',
      become: 'none',
      site: 'default',
      hostKeys: ['ssh-ed25519 AAAA'],
      labels: {},
    },
    documents: specs.map((spec, wave) => ({
      ref: `Configuration/d${wave}`,
      kind: 'Configuration',
      wave,
      onRemoval: 'restore',
      spec: { ...EMPTY, ...spec },
      position,
    })),
  };
}

/** An empty host: whatever is asked for is absent. */
function plan(resolved: ResolvedHost) {
  const reading = (query: FactQuery): [ItemKey, Reading] => [
    itemKey(query.fact, query.key),
    {
      query,
      state: query.fact === 'owned' ? [] : { type: 'absent', present: false },
      raw: 'absent\n',
    },
  ];
  return planHost({
    host: resolved,
    readings: new Map(hostQueries(resolved).map(reading)),
    payloads: new Map(),
    repository: 'acme/infra',
    changedItems: undefined,
  });
}

const owned: Partial<ResolvedConfiguration> = {
  directories: {
    '/srv/web': {
      state: 'directory',
      mode: '0755',
      owner: 'web',
      group: 'crew',
      notify: { reload: [], restart: [] },
    },
  },
};

describe('an owner that is not on the host', () => {
  it('is an error of a plan whose findings are bounded', () => {
    const directory = Object.values(owned.directories ?? {})[0];
    const paths = Array.from({ length: 300 }, (_, n) => [`/srv/${n}`, directory] as const);
    const { findings } = plan(host({ directories: Object.fromEntries(paths) } as typeof owned));
    expect(findings).toHaveLength(FINDINGS_MAX + 1);
    expect(findings.at(-1)).toMatchObject({
      severity: 'error',
      document: 'Configuration/d0',
      message: 'and 400 more of Configuration/d0 on web-1',
    });
  });

  it('is an error of the plan when nobody makes it', () => {
    expect(plan(host(owned)).findings.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
      'error: directory /srv/web names the user web, which is not on the host; add it to users or correct the name',
      'error: directory /srv/web names the group crew, which is not on the host; add it to groups or correct the name',
    ]);
  });

  it('is no error when another document of the host makes it', () => {
    const base: Partial<ResolvedConfiguration> = {
      groups: { crew: { state: 'present', system: false } },
      users: { web: { state: 'present', system: true } },
    };
    const made = plan(host(base, owned));
    expect(made.findings).toEqual([]);
    expect(made.steps.map((step) => step.id)).toEqual(['group:crew', 'user:web', 'directory:/srv/web']);
  });
});

describe('work that comes up by itself', () => {
  const policy: ResolvedDocument = {
    ref: 'PatchPolicy/security',
    kind: 'PatchPolicy',
    wave: 0,
    onRemoval: 'restore',
    spec: patchPolicySpec({ holds: ['nginx'] }),
    position,
  };
  const motd: ResolvedHost = { ...host({ groups: { crew: { state: 'present', system: false } } }) };
  const both: ResolvedHost = { ...motd, documents: [...motd.documents, policy] };
  const planned = (changedItems: readonly ItemKey[] | undefined, askedOnly: boolean) => {
    const readings = new Map<ItemKey, Reading>([
      ['owned:all', { query: { fact: 'owned', key: 'all' }, state: [], raw: '' }],
      ['group:crew', { query: { fact: 'group', key: 'crew' }, state: { present: false }, raw: '' }],
      ['updates:all', { query: { fact: 'updates', key: 'all' }, state: NOTHING_OUTSTANDING, raw: 'apt' }],
      [
        'package:nginx',
        { query: { fact: 'package', key: 'nginx' }, state: { present: true, hold: false }, raw: '' },
      ],
    ]);
    const changed = changedItems === undefined ? undefined : new Set(changedItems);
    const { steps, unasked } = planHost({
      host: both,
      readings,
      payloads: new Map(),
      repository: 'acme/infra',
      changedItems: changed,
      askedOnly,
    });
    return { steps: steps.map(({ id }) => id), unasked };
  };

  it('is not for a pull request that does not touch the document', () => {
    expect(planned(['group:crew'], true)).toEqual({
      steps: ['group:crew'],
      unasked: ['PatchPolicy/security'],
    });
  });

  it.each<[string, readonly ItemKey[] | undefined, boolean]>([
    ['a pull request that touches it', ['updates:all'], true],
    ['a reading for drift', [], false],
    ['whoever compares with nothing', undefined, true],
  ])('is for %s', (_, changed, askedOnly) => {
    expect(planned(changed, askedOnly)).toEqual({ steps: ['group:crew', 'patch:hold'], unasked: undefined });
  });
});
