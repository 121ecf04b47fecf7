import { describe, expect, it } from 'vitest';
import { type FactQuery, type ItemKey, itemKey, type Reading } from '../facts/fact.ts';
import type { ResolvedConfiguration } from '../spec/configuration.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { hostQueries, planHost } from './planHost.ts';

const NOTHING: ResolvedConfiguration = {
  aptRepositories: {},
  packages: {},
  directories: {},
  files: {},
  groups: {},
  users: {},
  units: {},
  sysctl: {},
  hostsEntries: {},
  scripts: {},
  probes: [],
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
      spec: { ...NOTHING, ...spec },
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
