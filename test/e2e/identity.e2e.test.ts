import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../engine/store/audit.ts';
import { openStore } from '../../engine/store/store.ts';
import { createAppKey } from '../../lab/github/accounts.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';

const POLICY = `apiVersion: doaas/v1
kind: Policy
metadata: { name: policy }
spec:
  hostKeys: firstUse
  rules:
    everything: { approvals: [{ count: 1 }] }
`;

const SLOW = 'touch /root/begun; while [ ! -e /root/go ]; do sleep 0.1; done; touch /root/went';

/** Servers that know a certificate authority and no key, and let it have the one command that docs/security.md says. */
describe('who is who', { timeout: 2 * MINUTES }, () => {
  let world: World;
  let folder = '';
  let known: LabHost;
  let unpinned: LabHost;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'doaas-identity-'));
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ca', '-f', join(folder, 'ca')]);
    const appKey = await createAppKey();
    await writeFile(join(folder, 'app.pem'), appKey, { mode: 0o600 });
    world = await startWorld({
      hosts: 2,
      environment: {
        DOAAS_SSH_KEY_FILE: '',
        DOAAS_SSH_CA_KEY_FILE: join(folder, 'ca'),
        GITHUB_APP_PRIVATE_KEY: '',
        GITHUB_APP_PRIVATE_KEY_FILE: join(folder, 'app.pem'),
      },
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts.slice(0, 1)) }),
    });
    world.github.setAppKey(appKey);
    [known, unpinned] = world.hosts as [LabHost, LabHost];
    await Promise.all(world.hosts.map(setUp));
  }, 3 * MINUTES);
  afterAll(async () => {
    await world?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** As the page tells it. */
  async function setUp(host: LabHost): Promise<void> {
    const page = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8');
    const block = (name: string): string =>
      new RegExp(`\`\`\`\\n# ${name}.*\\n([^\`]*)\`\`\``).exec(page)?.[1] ?? `no block ${name}`;
    const ca = await readFile(join(folder, 'ca.pub'), 'utf8');
    const done = await host.exec(`set -e
      printf '%s' '${ca}' > /etc/ssh/doaas-ca.pub
      printf '%s' '${block('/etc/ssh/sshd_config.d/doaas.conf')}' > /etc/ssh/sshd_config.d/doaas.conf
      rm /home/deploy/.ssh/authorized_keys /root/.ssh/authorized_keys /etc/sudoers.d/deploy
      printf '%s' '${block('/etc/sudoers.d/doaas')}' > /etc/sudoers.d/doaas
      chmod 0440 /etc/sudoers.d/doaas; visudo -cq; sshd -t; systemctl reload ssh`);
    expect(done).toMatchObject({ code: 0, stderr: '' });
  }

  const onServers = (label: string, motd: string): string =>
    JSON.stringify({
      apiVersion: 'doaas/v1',
      kind: 'Configuration',
      metadata: { name: label },
      spec: {
        targets: { labels: { role: label } },
        groups: { [`g${label}`]: {} },
        files: { '/etc/motd': { content: `${motd}\n` } },
        probes: [{ command: ['test', '-r', '/etc/motd'], within: '5s' }],
      },
    });
  const second = (hostKey = ''): string =>
    `apiVersion: doaas/v1\nkind: Server\nmetadata: {name: web-2, labels: {role: other}}\nspec: {address: ${unpinned.address}, user: deploy${hostKey}}\n`;
  async function audited(pull: number, what: string): Promise<AuditRecord | undefined> {
    const store = await openStore(world.engine.store, { readOnly: true });
    try {
      return (await store.audit.list({ pull })).find((entry) => entry.what === what);
    } finally {
      await store.close();
    }
  }
  async function applied(pull: number): Promise<number> {
    await world.approve(pull);
    const comment = await world.say(pull, '/doaas apply');
    await world.mergedSoon(pull);
    return comment;
  }
  async function isInvalid(branch: string, files: Record<string, string>, words: RegExp): Promise<void> {
    const { pull, sha } = await world.open(branch, files);
    const check = await world.check(sha, 'doaas/validate', { conclusion: 'failure' });
    expect(unescaped(check.summary)).toMatch(words);
    await world.github.closePullRequest(world.repo, pull);
  }

  it('a pull request does not allow itself a server without a pinned key', async () => {
    const files = { 'second.yaml': second() };
    await isInvalid('alone', files, /Server web-2 has no "hostKey"/);
    await isInvalid('itself', { ...files, '.doaas/policy.yaml': POLICY }, /Server web-2 has no "hostKey"/);
    await world.github.push(world.repo, 'main', { '.doaas/policy.yaml': POLICY });
  });

  it('the engine is let in by a certificate, and one command of sudo is enough', async () => {
    const { pull, sha } = await world.open('first', { 'web.yaml': onServers('web', 'by certificate') });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    const comment = await applied(pull);
    expect((await known.exec('cat /etc/motd; getent group gweb')).stdout).toMatch(/^by certificate\ngweb:/);
    const log = (await known.exec('journalctl -u ssh -o cat')).stdout;
    expect(log).toMatch(
      /Accepted publickey for deploy .* ED25519-CERT \S+ ID doaas@\S+ on web-1 \(serial \d+\)/,
    );
    expect(log).not.toMatch(/Accepted publickey for \S+ from .* ssh2: ED25519 /);
    const confirmed = await until(() => audited(pull, 'confirm'), 'why it ran in the audit log');
    expect(confirmed).toMatchObject({
      who: 'anna-author',
      headSha: sha,
      digest: expect.any(String),
      detail: {
        hosts: ['web-1'],
        event: { kind: 'comment', id: comment },
        approvedBy: ['rob-reviewer'],
        rules: [{ name: 'everything', because: 'every change' }],
        policyCommit: expect.stringMatching(/^[0-9a-f]{40}$/),
      },
    });
  });

  it('a server that was never pinned is met where the policy allows it, and the plan says so', async () => {
    const { pull, sha } = await world.open('second', {
      'second.yaml': second(),
      'other.yaml': onServers('other', 'met'),
    });
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    const said =
      /web-2 has no pinned host key\. The one that it showed first, at \S+, was accepted, as the policy allows/;
    expect(unescaped(plan.summary)).toMatch(said);
    expect(plan.summary).toContain(unpinned.hostKeys[0]?.split(' ')[1]?.slice(0, 40));
    expect(await audited(pull, 'host-key-first-use')).toMatchObject({
      who: 'doaas',
      headSha: sha,
      detail: { server: 'web-2', address: `${unpinned.address}:22`, key: unpinned.hostKeys[0] },
    });
    await applied(pull);
    expect((await unpinned.exec('cat /etc/motd')).stdout).toBe('met\n');
  });

  it('one that is pinned stays so, under another name too', async () => {
    const bare = serverYaml([known]).replace(/, hostKey: "[^"]*"/, '');
    await isInvalid(
      'unpin',
      { 'servers.yaml': bare },
      /Server web-1 is pinned to ssh-ed25519 SHA256:\S+, so/,
    );
    await isInvalid(
      'rename',
      { 'servers.yaml': bare.replace('web-1', 'web-9') },
      /Server web-9 has the address of web-1, which is pinned to/,
    );
  });

  it('another key stops everything on that server, until it is pinned', async () => {
    const running = await world.open('running', {
      'slow.yaml': JSON.stringify({
        apiVersion: 'doaas/v1',
        kind: 'Configuration',
        metadata: { name: 'slow' },
        spec: {
          targets: { labels: { role: 'other' } },
          scripts: { wait: { check: 'test -e /root/went', apply: SLOW, undo: 'true' } },
        },
      }),
    });
    await world.check(running.sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(running.pull);
    await world.say(running.pull, '/doaas apply');
    const begun = async () => (await unpinned.exec('ls /root/begun')).stdout !== '';
    await until(async () => ((await begun()) ? true : undefined), 'the step');
    const made = await unpinned.exec(`set -e; rm /etc/ssh/ssh_host_*
      ssh-keygen -q -t ed25519 -N '' -C '' -f /etc/ssh/ssh_host_ed25519_key; systemctl restart ssh
      for p in $(pgrep -u deploy; pgrep -f '^sshd: deploy'); do kill "$p" || :; done
      while pgrep -u deploy || pgrep -f '^sshd: deploy'; do sleep 0.1; done >/dev/null
      cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub`);
    const key = made.stdout.trim();
    const cut = await world.check(running.sha, 'doaas/apply', { conclusion: 'failure' });
    expect(unescaped(cut.summary)).toMatch(/the run gives up on web-2: web-2 \S+ showed another host key/);
    expect(await world.merged(running.pull)).toBe(false);
    const { pull, sha } = await world.open('changed', { 'other.yaml': onServers('other', 'in between') });
    const stopped = await world.check(sha, 'doaas/plan', { conclusion: 'failure' });
    expect(unescaped(stopped.summary)).toMatch(
      /showed another host key than the one that it was first seen with \(\S+\); nothing was sent/,
    );
    expect(unescaped(stopped.summary)).toContain(
      `pin the new key as hostKey in its Server document: "${key}"`,
    );
    expect((await unpinned.exec('cat /etc/motd')).stdout).toBe('met\n');
    const pinned = await world.github.push(world.repo, 'changed', {
      'second.yaml': second(`, hostKey: "${key}"`),
    });
    // whoever re-keys a server has to be approved before that check is green
    const plan = await world.check(pinned, 'doaas/plan', { conclusion: 'action_required' });
    expect(unescaped(plan.summary)).not.toContain('no pinned host key');
    expect(unescaped(plan.summary)).toMatch(
      /the host key of web-2 changes: from now on it is ssh-ed25519 SHA256:\S+, until now ssh-ed25519 SHA256:/,
    );
    await world.github.closePullRequest(world.repo, pull);
  });

  it('the private key of the App is exchanged while the engine runs, and the old one revoked', async () => {
    const next = await createAppKey();
    await writeFile(join(folder, 'next.pem'), next, { mode: 0o600 });
    await rename(join(folder, 'next.pem'), join(folder, 'app.pem'));
    world.github.setAppKey(next);
    world.github.expireTokens();
    const { pull, sha } = await world.open('rotated', { 'web.yaml': onServers('web', 'another key') });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await applied(pull);
    expect((await known.exec('cat /etc/motd')).stdout).toBe('another key\n');
  });
});

/** What GitHub shows of Markdown that was escaped. */
function unescaped(markdown: string): string {
  return markdown.replaceAll('&#8203;', '').replaceAll(/\\([\\`*_[\]|~!{}])/g, '$1');
}
