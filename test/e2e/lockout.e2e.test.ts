import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareTrees, describeDifferences, snapshotTree } from '../../lab/compare.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { MINUTES } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** A whole pull request that would shut the engine out: `bench lockout` has the ways by dozens, this one what people see. */
describe('an approved change that shuts the engine out', { timeout: 3 * MINUTES }, () => {
  let world: World;
  let host: LabHost;
  beforeAll(async () => {
    world = await startWorld({
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
      environment: { DOAAS_CONFIRM_SECONDS: '15' },
    });
    const [first] = world.hosts;
    if (first === undefined) throw new Error('there is no host');
    host = first;
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const sshd = (name: string, content: string) => {
    const files = { '/etc/ssh/sshd_config.d/own.conf': { content, notify: { restart: ['ssh.service'] } } };
    return applied(name, configuration(name, { files }));
  };
  const applied = async (name: string, document: string) => {
    const opened = await world.open(name, { [`${name}.yaml`]: document });
    const plan = await world.check(opened.sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(opened.pull);
    await world.say(opened.pull, '/doaas apply');
    return { ...opened, plan };
  };

  it('is taken back by the server, said in check and comment, and leaves way for the next one', async () => {
    const before = await snapshotTree(host);
    const { pull, sha, plan } = await sshd('shut-out', 'AllowUsers root\n');
    expect(plan.summary).toContain('Guarded on web-1');
    expect(plan.summary).toContain('a fresh login works within 15 s');
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(apply.title).toMatch(/restored as before$/);
    expect(apply.summary).toContain(
      'the server takes the change back itself, because no fresh login as deploy was possible within 15 s after it',
    );
    expect(await world.comment(pull)).toContain('no fresh login as deploy was possible');
    expect(await world.merged(pull)).toBe(false);
    expect(describeDifferences(await compareTrees(before, await snapshotTree(host)))).toBe('');
    const journals = await host.exec(
      'cat /var/lib/doaas/runs/*/apply.journal; cat /var/lib/doaas/runs/*/undo.journal',
    );
    expect(journals.stdout).toMatch(/\tend\treverted\n/);
    expect(journals.stdout).toMatch(/\tend\trolled-back\n/);

    const harmless = await sshd('harmless', 'MaxAuthTries 5\n');
    await world.mergedSoon(harmless.pull, harmless.sha);
    const left = await host.exec(
      "systemctl list-units --all --plain --no-legend 'doaas-*net*' 'doaas-*boot*'",
    );
    expect(left.stdout).toBe('');
  });

  it('is none where everything is hardened under a login with sudo, which is proved like any other', async () => {
    const { pull, sha, plan } = await applied('hardened', HARDENED);
    expect(plan.summary).toContain('Guarded on web-1');
    await world.mergedSoon(pull, sha, 180);
    const { summary } = await world.check(sha, 'doaas/verify', { conclusion: 'success' });
    const [, held, all] = /strict: (\d+) of (\d+) controls hold now/.exec(summary) ?? [];
    expect(Number(all)).toBeGreaterThan(100);
    expect(held).toBe(all);
  });
});

const HARDENED = `apiVersion: doaas/v1
kind: Hardening
metadata: { name: hardened }
spec:
  targets: { all: true }
  profile: strict
`;
