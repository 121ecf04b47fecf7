import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { doaas } from '../../engine/cli/testing.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** Somebody else's. */
const OTHER_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvPNzOb0VXQy0k5Zr8lGQhmJt3ZL0kcSpPRHnwzXJmE';

/** A host that lets nobody in: the plan says why and what to do, and is made once that is done. */
describe('a host that cannot be read', { timeout: 2 * MINUTES }, () => {
  let world: World;
  let host: LabHost;
  beforeAll(async () => {
    world = await startWorld({ files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
    host = world.hosts[0] as LabHost;
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const motd = (content: string) => ({
    'web.yaml': configuration('web', { files: { '/etc/motd': { content } } }),
  });
  /** Connections that are open would hide what is wrong with new ones. */
  const hangUp = () =>
    host.exec(
      'for p in $(pgrep -u deploy; pgrep -f "^sshd: deploy"); do kill "$p"; done; while pgrep -u deploy || pgrep -f "^sshd: deploy"; do sleep 0.1; done',
    );

  /** While the host is broken so. */
  async function during<T>(mend: () => Promise<unknown>, look: () => Promise<T>): Promise<T> {
    try {
      return await look();
    } finally {
      await mend();
    }
  }

  async function isSaid(branch: string, problem: RegExp, extra: Record<string, string> = {}) {
    const { pull, sha } = await world.open(branch, { ...motd(`${branch}\n`), ...extra });
    const failed = await world.check(sha, 'doaas/plan', { conclusion: 'failure' });
    expect(failed.title).toBe('web-1 cannot be read');
    expect(unescaped(failed.summary)).toMatch(problem);
    const comment = await commentSoon(pull);
    expect(unescaped(comment)).toMatch(problem);
    expect(await wholePlan(comment)).toMatch(problem);
    return { pull, sha };
  }

  /** What `doaas plan show` says of the plan that the comment names, beside the running engine. */
  async function wholePlan(comment: string): Promise<string> {
    const [, digest = ''] = /Plan ([0-9a-f]{8}),/.exec(comment) ?? [];
    vi.stubEnv('DOAAS_DATA_DIR', world.dataDir);
    const { stdout, stderr } = await doaas(['plan', 'show', digest]);
    vi.unstubAllEnvs();
    return stdout + stderr;
  }

  async function isPlannedAgain(pull: number, sha: string): Promise<void> {
    await world.answer(pull, await world.say(pull, '/doaas plan'), /Planning again on fresh facts/);
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    expect(plan.title).toBe('1 change on 1 server; nothing is interrupted; fully reversible');
    expect((await world.checks(sha)).filter((check) => check.name === 'doaas/plan')).toHaveLength(1);
    await world.github.closePullRequest(world.repo, pull);
  }

  async function commentSoon(pull: number): Promise<string> {
    return until(async () => {
      const text = await world.comment(pull);
      return text.includes('cannot be read') ? text : undefined;
    }, 'the comment');
  }

  it('because sshd does not run', async () => {
    await host.exec('systemctl stop ssh.socket ssh.service 2>/dev/null; true');
    await hangUp();
    const { pull, sha } = await during(
      () => host.exec('systemctl start ssh.service'),
      async () => {
        const said = await isSaid(
          'refused',
          /web-1 \(deploy@\S+:22\) cannot be reached: nothing listens on that port \(connection refused\)\. Check address, port and firewall, and that sshd runs\./,
        );
        const early = await world.say(said.pull, '/doaas apply');
        await world.answer(
          said.pull,
          early,
          /There is no plan to apply for this head; the checks say why\. `\/doaas plan` tries again\./,
        );
        return said;
      },
    );
    await isPlannedAgain(pull, sha);
  });

  const AWAY =
    /web-1 \(deploy@\S+:22\) cannot be reached: (no answer within 10 s|there is no route to it, or it is down)\./;

  it('because it does not answer', async () => {
    await hangUp();
    await host.cut();
    const { pull, sha } = await during(
      () => host.heal(),
      async () => {
        const given = await isSaid('given-up', AWAY);
        await world.github.closePullRequest(world.repo, given.pull);
        const closed = await world.check(given.sha, 'doaas/plan', { conclusion: 'cancelled' });
        expect(closed.title).toBe('Not planned: merged or closed before all servers could be read');
        return isSaid('away', AWAY);
      },
    );
    // nobody asks
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.github.closePullRequest(world.repo, pull);
  });

  it('or goes away before its plan is applied: it is waited for, until somebody cancels', async () => {
    const { pull, sha } = await world.open('gone', motd('gone\n'));
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await hangUp();
    await host.cut();
    const compares = () =>
      until(
        async () =>
          (await world.checks(sha)).find(({ title }) => title === 'Comparing the servers with the plan'),
        'the comparison',
      );
    await during(
      () => host.heal(),
      async () => {
        await world.say(pull, '/doaas apply');
        await compares();
        await world.say(pull, '/doaas cancel');
        const ended = await world.check(sha, 'doaas/apply');
        expect(unescaped(ended.summary)).toMatch(/cancelled the run/);
        await world.check(sha, 'doaas/plan', { conclusion: 'failure' });
      },
    );
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await hangUp();
    await host.cut();
    await during(
      () => host.heal(),
      async () => {
        await world.say(pull, '/doaas apply');
        await compares();
      },
    );
    await until(async () => ((await world.merged(pull)) ? true : undefined), 'the merge');
    expect((await host.exec('cat /etc/motd')).stdout).toBe('gone\n');
  });

  it('because its key is another one than the pinned', async () => {
    const servers = serverYaml(world.hosts).replace(host.hostKeys[0] ?? '', OTHER_KEY);
    const { pull } = await isSaid('other-key', /web-1 .*showed another host key/, {
      'servers.yaml': servers,
    });
    const mended = await world.github.push(world.repo, 'other-key', {
      'servers.yaml': serverYaml(world.hosts),
    });
    await isPlannedAgain(pull, mended);
  });

  it('because the engine is not let in', async () => {
    await host.exec('mv /home/deploy/.ssh/authorized_keys /home/deploy/.ssh/off');
    await hangUp();
    const { pull, sha } = await during(
      () => host.exec('mv /home/deploy/.ssh/off /home/deploy/.ssh/authorized_keys'),
      () =>
        isSaid(
          'no-login',
          /web-1 \(deploy@\S+:22\) refused the login \(offered: ssh-ed25519 SHA256:\S+\)\. Add the public key to ~deploy\/\.ssh\/authorized_keys there/,
        ),
    );
    await isPlannedAgain(pull, sha);
  });

  it('because sudo asks for a password', async () => {
    await host.exec('mv /etc/sudoers.d/deploy /root/deploy.off');
    const { pull, sha } = await during(
      () => host.exec('mv /root/deploy.off /etc/sudoers.d/deploy'),
      () =>
        isSaid(
          'no-sudo',
          /sudo refused to become root without a password.*\/etc\/sudoers\.d\/doaas on the host, mode 0440: deploy ALL=\(root\) NOPASSWD: \/bin\/sh/,
        ),
    );
    await isPlannedAgain(pull, sha);
  });

  it('because sudo allows something else only', async () => {
    await host.exec('echo "deploy ALL=(root) NOPASSWD: /bin/ls" > /etc/sudoers.d/deploy');
    const { pull, sha } = await during(
      () => host.exec('echo "deploy ALL=(root) NOPASSWD: ALL" > /etc/sudoers.d/deploy'),
      () =>
        isSaid(
          'little-sudo',
          /sudo refused to become root without a password \(sudo: a password is required\)\. Put this line into \/etc\/sudoers\.d\/doaas/,
        ),
    );
    await isPlannedAgain(pull, sha);
  });

  it.each(['/usr/sbin/nologin', '/bin/false'])('because the user has %s for a shell', async (shell) => {
    const useShell = (path: string) => host.exec(`usermod -s ${path} deploy`).then(hangUp);
    await useShell(shell);
    const { pull, sha } = await during(
      () => useShell('/bin/bash'),
      () =>
        isSaid(
          `shell-${shell.length}`,
          /web-1 \(deploy@\S+:22\) gives no shell to deploy\. Give the user a login shell such as \/bin\/sh, and check ForceCommand in sshd_config\./,
        ),
    );
    await isPlannedAgain(pull, sha);
  });

  it('because what reading stands on is missing', async () => {
    await host.exec('mv /usr/bin/base64 /usr/bin/base64.off');
    const { pull, sha } = await during(
      () => host.exec('mv /usr/bin/base64.off /usr/bin/base64'),
      () =>
        isSaid(
          'tools',
          /web-1: reading its state failed with exit 127: the host lacks commands that are read with: base64; install them \(Debian has them in coreutils, mawk and sed\)/,
        ),
    );
    await isPlannedAgain(pull, sha);
  });

  async function applied(branch: string) {
    const { pull, sha } = await world.open(branch, motd(`${branch}\n`));
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    return { pull, apply: await world.check(sha, 'doaas/apply') };
  }

  it('or whose state cannot be kept: nothing is begun, and why is said', async () => {
    await host.exec(
      'mkdir -p /var/lib/doaas; mount -t tmpfs -o ro tmpfs /var/lib/doaas; cp -p /etc/motd /root/motd',
    );
    const { pull, apply } = await during(
      () => host.exec('umount /var/lib/doaas'),
      () => applied('read-only'),
    );
    expect(apply.conclusion).toBe('failure');
    expect(apply.title).toBe('The run failed on web-1; 0 servers restored as before');
    expect(unescaped(apply.summary)).toMatch(
      /the run pr\S+ could not be brought to web-1: mkdir: cannot create directory '\/var\/lib\/doaas\/runs': Read-only file system/,
    );
    expect(unescaped(apply.summary)).toContain('untouched; nothing had been done there');
    expect((await host.exec('cmp /etc/motd /root/motd && echo same')).stdout).toBe('same\n');
    expect(await world.merged(pull)).toBe(false);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('or is odd in what should not matter: it is changed all the same', async () => {
    await host.exec(`apt-get install -qq -y --no-install-recommends csh > /dev/null && usermod -s /bin/csh deploy
      printf '#!/bin/sh\\necho welcome\\necho to the machine >&2\\n' > /home/deploy/.ssh/rc; chmod 755 /home/deploy/.ssh/rc
      echo 'echo hello from csh' > /home/deploy/.cshrc
      printf 'LANG=tr_TR.UTF-8\\nLC_ALL=de_XX\\n' > /etc/environment
      mount -t tmpfs -o size=4k,noexec tmpfs /tmp; head -c 9000 /dev/zero > /tmp/full
      hostname renamed; echo renamed > /etc/hostname`);
    const odd = await host.exec('getent passwd deploy; df --output=pcent /tmp; hostname');
    expect(odd.stdout).toMatch(/:\/bin\/csh\nUse%\n100%\nrenamed\n$/);
    await hangUp();
    const { pull, apply } = await during(
      () =>
        host.exec(
          'umount /tmp; usermod -s /bin/bash deploy; rm -r /home/deploy/.ssh/rc /home/deploy/.cshrc /etc/environment',
        ),
      () => applied('odd'),
    );
    expect(apply.title).toMatch(/^Applied 1 change on 1 server/);
    await until(async () => ((await world.merged(pull)) ? true : undefined), 'the merge');
    expect((await host.exec('cat /etc/motd')).stdout).toBe('odd\n');
  });
});

/** What GitHub shows of Markdown that was escaped. */
function unescaped(markdown: string): string {
  return markdown.replaceAll('&#8203;', '').replaceAll(/\\([\\`*_[\]|~!{}])/g, '$1');
}
