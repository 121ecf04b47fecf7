import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sections } from '../../engine/kinds/configuration/plan.ts';
import {
  compareTrees,
  describeDifferences,
  MAY_DIFFER,
  type Snapshot,
  snapshotTree,
} from '../../lab/compare.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { compareInventories, type Inventory, inventoryOf } from '../../lab/inventory.ts';
import { MINUTES } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** The engine's own records are no exception here. */
const NOT_EVEN_RECORDS = MAY_DIFFER.filter(({ pattern }) => !pattern.startsWith('/var/lib/doaas'));

const KEY = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n';

/** Something of every section, of which nothing is on the server. */
const ALL = {
  packages: { tree: {} },
  groups: { presses: { gid: 1500 } },
  users: {
    ann: {
      groups: ['presses'],
      authorizedKeys: [
        'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFqCmXnAe7Cdc7Wb6W+H/nTDsXGKWpzES5maJAdk8KHD ann@laptop',
      ],
    },
  },
  directories: { '/srv/press': { owner: 'ann' } },
  files: { '/etc/motd': { content: 'pressed\n' }, '/srv/press/deep/file': { content: 'x\n' } },
  hostsEntries: { '10.0.0.9': ['db'] },
  sysctl: { 'net.ipv4.ip_forward': '1' },
  timezone: 'Europe/Berlin',
  locale: { LANG: 'C.UTF-8' },
  units: {
    'ssh.service': { enabled: true, running: true },
    'press.service': { content: '[Service]\nExecStart=/bin/true\n' },
  },
  scripts: {
    // whatever an engine may leave for who runs on the server: an agent, a token, a key in the environment
    alone: {
      check: 'touch /var/tmp/checked; test -e /var/tmp/alone',
      apply: '! env | grep -iE "agent|auth|token|secret|key" && touch /var/tmp/alone',
      undo: 'rm -f /var/tmp/alone /var/tmp/checked',
    },
  },
};
/** Leaves a mark wherever it runs. */
const MARKS = { command: ['touch', '/var/tmp/probed'] };
const WITHOUT_A_SIGNATURE = {
  aptRepositories: {
    press: { uris: ['http://192.0.2.1/debian'], suites: ['stable/'], key: 'keys/press.asc' },
  },
};

/** What docs/security.md promises of a server on which nothing was applied, or nothing stayed. */
describe('a server', { timeout: 4 * MINUTES }, () => {
  let world: World;
  let host: LabHost;
  let before: Snapshot;
  let inventory: Inventory;
  beforeAll(async () => {
    world = await startWorld({ files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
    const [first] = world.hosts;
    if (first === undefined) throw new Error('there is no host');
    host = first;
    before = await snapshotTree(host);
    inventory = await inventoryOf(host);
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  it('is as it was after a change of every section was planned, and no probe ran; it holds nothing of the engine', async () => {
    const spec = { ...ALL, ...WITHOUT_A_SIGNATURE, probes: [MARKS] };
    const planned = Object.keys(spec);
    const own = sections.map(({ section }) => String(section));
    expect(own.filter((section) => !planned.includes(section))).toEqual([]);
    const { pull, sha } = await world.open('everything', {
      'web.yaml': configuration('web', spec),
      'keys/press.asc': KEY,
    });
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    for (const item of [
      'press',
      'tree',
      'presses',
      'ann',
      'motd',
      'net.ipv4.ip',
      'Berlin',
      'press.service',
      'alone',
    ])
      expect(plan.summary).toContain(item);
    expect(describeDifferences(await compareTrees(before, await snapshotTree(host), NOT_EVEN_RECORDS))).toBe(
      '',
    );
    expect(compareInventories(inventory, await inventoryOf(host))).toEqual([]);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('holds nothing but its records after that was applied and taken back', async () => {
    const { pull, sha } = await world.open('taken-back', {
      'web.yaml': configuration('web', { ...ALL, probes: [MARKS, { tcp: 'localhost:81', within: '1s' }] }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    const { title } = await world.check(sha, 'doaas/apply', { conclusion: 'failure', seconds: 120 });
    // so the script went well: it saw no agent and no key
    expect(title).toBe('Probe tcp localhost:81 failed on web-1; 1 server restored as before');
    // after the approval, by nobody; what a probe leaves is not the engine's to take back
    expect((await host.exec('stat -c %U /var/tmp/probed && rm /var/tmp/probed')).stdout).toBe('nobody\n');
    expect(describeDifferences(await compareTrees(before, await snapshotTree(host)))).toBe('');
    expect(compareInventories(inventory, await inventoryOf(host))).toEqual([]);
    expect((await host.exec('systemctl list-units --no-legend "doaas-*"; pgrep -af "/[d]oaas"')).stdout).toBe(
      '',
    );
  });
});
