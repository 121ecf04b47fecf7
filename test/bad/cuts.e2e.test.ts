import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabHost } from '../../lab/hosts.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** Longer than a lab host needs to boot on a busy machine, shorter than a test may take. */
const OUTAGE_SECONDS = 25;

/** Hosts that leave in the middle of a step. */
describe('in the middle of a step', { timeout: 4 * MINUTES }, () => {
  let world: World;
  let first: LabHost;
  let second: LabHost;
  beforeAll(async () => {
    world = await startWorld({
      hosts: 2,
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
      environment: { DOAAS_HOST_OUTAGE_SECONDS: String(OUTAGE_SECONDS) },
    });
    [first, second] = world.hosts as [LabHost, LabHost];
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const says = async (host: LabHost, script: string): Promise<string> =>
    (await host.exec(script)).stdout.trim();
  const appears = (host: LabHost, path: string, seconds = 40): Promise<true> =>
    until(
      async () => ((await says(host, `test -e ${path} && echo yes`)) === 'yes' ? true : undefined),
      `${path} on ${host.name}`,
      seconds,
    );
  const mergedSoon = (pull: number) => world.mergedSoon(pull, '', 30);

  /** A file, and then a script that is slow on hosts with /root/linger. */
  const slow = (name: string, seconds: number, condition = 'test -e /root/linger') => ({
    [`${name}.yaml`]: configuration(name, {
      files: { [`/etc/${name}`]: { content: `${name}\n` } },
      scripts: {
        [name]: {
          check: `test -e /var/lib/${name}`,
          apply: `echo ran >> /root/${name}.log; if ${condition}; then sleep ${seconds}; fi; touch /var/lib/${name}`,
          undo: `rm -f /var/lib/${name}`,
        },
      },
    }),
  });

  /** What `slow` does, on both at once, and a probe that waits for a word of the test. */
  const probed = (name: string) => ({
    [`${name}.yaml`]: configuration(name, {
      files: { [`/etc/${name}`]: { content: `${name}\n` } },
      scripts: {
        [name]: { check: `test -e /root/${name}.log`, apply: `echo ran >> /root/${name}.log` },
      },
      probes: [
        { command: ['sh', '-c', 'touch /var/tmp/probing; test -e /var/tmp/verify-ok'], within: '120s' },
      ],
      rollout: { canary: 0, batches: '100%' },
    }),
  });

  async function begin(name: string, files: Readonly<Record<string, string>>, host: LabHost) {
    const { pull, sha } = await world.open(name, files);
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await appears(host, `/root/${name}.log`);
    return { pull, sha };
  }

  it('a cable is pulled: the host carries on by itself and the engine finds what became of it', async () => {
    await first.exec('touch /root/linger');
    const { pull, sha } = await begin('cable', slow('cable', 4), first);
    await first.cut();
    try {
      await appears(first, '/var/lib/cable');
      // what a firewall between them does after a while: the old connection is never heard of again
      await first.exec('for p in $(pgrep -u deploy; pgrep -f "^sshd: deploy"); do kill "$p"; done');
    } finally {
      await first.heal();
    }
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'success', seconds: 90 });
    expect(apply.title).toMatch(/^Applied 4 changes on 2 servers/);
    await mergedSoon(pull);
    for (const host of world.hosts) expect(await says(host, 'cat /root/cable.log')).toBe('ran');
    expect(await says(first, 'cat /etc/cable; rm /root/linger')).toBe('cable');
  });

  it('a connection breaks while a plan is made: it is made anew, and nobody notices', async () => {
    // the first that looks for a file ends the connection that it came by
    await first.exec(`cat > /usr/local/sbin/stat <<'END'
#!/bin/sh
rm "$0" && pid=$$
while [ "$(cat /proc/$pid/comm)" != sshd ]; do pid=$(cut -d ' ' -f 4 /proc/$pid/stat); done
echo "$pid" > /root/cut; kill "$pid"
END
      chmod 755 /usr/local/sbin/stat`);
    const { pull, sha } = await world.open('broken', slow('broken', 0));
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    expect(plan.title).toMatch(/^4 changes on 2 servers/);
    expect(await says(first, 'cat /root/cut; rm /root/cut')).toMatch(/^\d+$/);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('a host loses power: the run is taken up after the boot and what was done stays done once', async () => {
    await first.exec('touch /root/linger');
    const lingers = 'test -e /root/linger && [ "$(wc -l < /root/power.log)" -lt 2 ]';
    const { pull, sha } = await begin('power', slow('power', 100, lingers), first);
    const inode = await says(first, 'stat -c "%i %Y" /etc/power');
    await first.kill();
    await first.start();
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'success', seconds: 90 });
    expect(apply.title).toMatch(/^Applied 4 changes on 2 servers/);
    await mergedSoon(pull);
    expect(await says(first, 'stat -c "%i %Y" /etc/power')).toBe(inode);
    // a script that was cut is begun again, because its check says that it is not done
    expect(await says(first, 'cat /root/power.log')).toBe('ran\nran');
    expect(await says(second, 'cat /root/power.log')).toBe('ran');
    const events = await says(first, 'cut -f 2,3 /var/lib/doaas/runs/*/apply.journal | sort | uniq -d');
    expect(events.split('\n')).not.toContain('file:/etc/power\tdone');
    await first.exec('rm /root/linger');
  });

  it('a cable is pulled while verifying: the host is waited for, not rolled back', async () => {
    const { pull, sha } = await begin('verify', probed('verify'), first);
    await appears(first, '/var/tmp/probing');
    await first.cut();
    try {
      const check = await until(
        async () =>
          (await world.checks(sha)).find(
            ({ name, summary }) => name === 'doaas/verify' && /waiting: web-1/.test(unescaped(summary)),
          ),
        'the verify check to say what is waited for',
        90,
        async () => JSON.stringify(await world.checks(sha)),
      );
      expect(check.status).toBe('in_progress');
      expect(unescaped(check.summary)).toMatch(
        /waiting: (The connection to web-1 \(deploy@\S+:22\) was lost while|web-1 \(deploy@\S+:22\) (gave no shell in time before the script was sent; nothing ran\.|cannot be reached: (no answer within 10 s|there is no route to it, or it is down)\.))/,
      );
      await first.exec('touch /var/tmp/verify-ok');
    } finally {
      await first.heal();
    }
    await second.exec('touch /var/tmp/verify-ok');
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'success', seconds: 90 });
    expect(apply.title).toMatch(/^Applied 4 changes on 2 servers/);
    const verify = await world.check(sha, 'doaas/verify', { conclusion: 'success' });
    expect(verify.title).toBe('Verified: 2 of 2 probes passed');
    await mergedSoon(pull);
    for (const host of world.hosts) expect(await says(host, 'cat /root/verify.log')).toBe('ran');
    expect(await says(first, 'ls /var/lib/doaas/runs/*/undo.journal 2>/dev/null; echo none')).toBe('none');
  });

  it('a host stays away: the run gives up, restores the others, and says what a person must do', async () => {
    await second.exec('touch /root/linger');
    const { pull, sha } = await begin('gone', slow('gone', 100), second);
    await appears(first, '/var/lib/gone');
    await second.kill();
    try {
      const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure', seconds: 180 });
      expect(apply.title).toBe('web-2 needs a person');
      const text = unescaped(apply.summary);
      expect(text).toMatch(
        /nothing could be done on web-2 for \d+ s \(DOAAS_HOST_OUTAGE_SECONDS\), so the run gives up on it: web-2 \(deploy@\S+:22\) cannot be reached/,
      );
      expect(text).toContain('| web-1 | ✓ restored');
      expect(text).toContain('| web-2 | ✗ **not restored** |'.replaceAll('\\', ''));
      expect(text).toContain('The servers stay locked');
      expect(await says(first, 'ls /etc/gone /var/lib/gone 2>/dev/null; echo none')).toBe('none');
      expect(await world.merged(pull)).toBe(false);
    } finally {
      await second.start();
    }
    await second.exec('rm /root/linger');
    await world.answer(pull, await world.say(pull, '/doaas unlock'), /is free now/);

    // the next run first undoes what the dead one left
    const after = slow('after', 0);
    const next = await begin('after', after, second);
    await world.check(next.sha, 'doaas/apply', { conclusion: 'success', seconds: 90 });
    await mergedSoon(next.pull);
    expect(await says(second, 'ls /etc/gone /var/lib/gone 2>/dev/null; cat /etc/after')).toBe('after');
  });
});

/** What GitHub shows of Markdown that was escaped. */
function unescaped(markdown: string): string {
  return markdown.replaceAll('&#8203;', '').replaceAll(/\\([\\`_[\]|~!{}])/g, '$1');
}
