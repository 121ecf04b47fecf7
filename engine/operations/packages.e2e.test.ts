import { describe, expect, it, onTestFinished } from 'vitest';
import { compareInventories, inventoryOf } from '../../lab/inventory.ts';
import { waitFor } from '../../lab/wait.ts';
import { labTransport, resolvedHost } from '../../test/hostHarness.ts';
import { runBatch } from '../hosts/batchRun.ts';
import { targetOf } from '../hosts/readHost.ts';
import { lines, sh } from '../shell/sh.ts';
import type { ResolvedPackage } from '../spec/configuration.ts';
import { APT_LIBRARY, installPackages } from './packages.ts';
import { useTestHost } from './testing/cycle.ts';

const present = (rest: { version?: string; hold?: boolean } = {}): ResolvedPackage => ({
  state: 'present',
  hold: false,
  ...rest,
});

/** Time for apt on a busy machine to come to a point that a test waits for, ms. */
const APT_DEADLINE_MS = 120_000;

/** Operations: packages.install, packages.remove */
describe('packages on a real host', () => {
  const t = useTestHost();

  it('installs in one apt run, and undoes it with all that came along, keeping data that was there', async () => {
    await t.outside('mkdir -p /var/lib/redis && echo precious > /var/lib/redis/notes');
    const before = await inventoryOf(t.host());
    await t.cycle(
      { packages: { 'nginx-light': present(), cron: present({ hold: true }), 'redis-server': present() } },
      async (result) => {
        expect(await t.outside('systemctl is-active nginx redis-server; apt-mark showhold')).toBe(
          'active\nactive\ncron\n',
        );
        expect(await t.outside('grep -c "^Commandline: apt-get.* install" /var/log/apt/history.log')).toBe(
          '1\n',
        );
        expect(result.events.map((e) => e.event)).toEqual(['started', 'done', 'end']);
      },
    );
    expect(compareInventories(before, await inventoryOf(t.host()))).toEqual([]);
    expect(await t.outside('cat /var/lib/redis/notes')).toBe('precious\n');
  });

  it('is undone with the unit that the package brought and a file of the run notified', async () => {
    const notify = { reload: ['nginx.service'], restart: [] };
    const owner = { mode: '0644', owner: 'root', group: 'root' };
    const content = t.harness().payload('server { listen 8081; }\n');
    await t.cycle(
      {
        packages: { 'nginx-light': present() },
        files: { '/etc/nginx/conf.d/shop.conf': { state: 'file', ...owner, content, notify } },
        units: { 'nginx.service': { state: 'present', enabled: true, running: true } },
      },
      async () => {
        expect(await t.outside('systemctl is-active nginx; ss -Hltn "sport = :8081" | wc -l')).toBe(
          'active\n1\n',
        );
      },
    );
  });

  it('removes a package with what needs it only as planned, and brings it back', async () => {
    await t.outside(': > /var/lib/apt/extended_states.before');
    const before = await inventoryOf(t.host());
    await t.cycle({ packages: { less: { state: 'absent' } } }, async () => {
      expect(await t.outside('command -v less || echo none')).toBe('none\n');
      // as an apt leaves it that the host was switched off under
      await t.outside(': > /var/lib/apt/extended_states.qm9Z4X');
    });
    expect(await t.outside('ls /var/lib/apt | grep extended_states.')).toBe('extended_states.before\n');
    expect(compareInventories(before, await inventoryOf(t.host()))).toEqual([]);
  });

  it('changes versions and holds, and goes back', async () => {
    const versions = (
      await t.outside("apt-cache policy unzip | sed -n 's/^     \\([^ ]*\\) [0-9].*/\\1/p'")
    ).split('\n');
    const [newest = '', older = ''] = versions;
    expect(older, 'the archive has two versions').not.toBe('');
    const first = await t.applied({ packages: { unzip: present({ version: older }) } });
    const plan = await t.harness().plan({ packages: { unzip: present({ version: newest, hold: true }) } });
    expect(plan.steps.map((s) => [s.summary, s.reversible])).toEqual([
      [expect.stringContaining(`unzip ${older} -> ${newest} held`), 'best-effort'],
    ]);
    await t.cycle({ packages: { unzip: present({ version: newest, hold: true }) } });
    const state = await t.outside('apt-mark showhold; apt-cache policy unzip | grep Installed');
    expect(state).toBe(`  Installed: ${older}\n`);
    await t.cycle({ packages: { unzip: present({ version: `${older.slice(0, -1)}*`, hold: true }) } });
    await t.undone(first.run);
  });

  it('says in the plan and in the failure that a package does not exist', async () => {
    const spec = { packages: { 'no-such-package': present() } };
    await t.outside('touch /var/lib/apt/lists/partial');
    const plan = await t.harness().plan(spec);
    expect(plan.findings).toMatchObject([
      {
        severity: 'error',
        message:
          'the package no-such-package does not exist in the package lists of this host: check it, or add the repository that has it',
      },
    ]);
    const result = await t.harness().applyPlan(plan);
    expect(result.end).toBe('failed');
    expect(result.output).toMatch(
      /the package no-such-package is not in the package lists of this host, which were read anew just now: check its name, or add the repository that has it$/,
    );
    await t.undone(result.run);
  });

  it('waits while another process has apt locked, and names it when that takes too long', async () => {
    const holder = t
      .host()
      .exec(
        `rm -f /run/go; apt-get install -qy tree -o DPkg::Pre-Install-Pkgs::="sh -c 'touch /run/held; while [ ! -e /run/go ]; do sleep 0.1; done'"; apt-get -qy purge tree`,
      );
    onTestFinished(async () => {
      await t.host().exec('touch /run/go');
    });
    await waitFor(
      'apt to be locked',
      APT_DEADLINE_MS,
      async () => (await t.host().exec('[ -e /run/held ]')).code === 0,
    );
    const one = { name: 'unzip', version: null, hold: false, origin: null };
    const apply = installPackages.apply({ packages: [one], removes: [] });
    const script = lines(
      sh`STEP=$(mktemp -d); DIR=$STEP; COMMAND=apply; DOAAS_APT_LOCK_SECONDS=1; set -eu`,
      APT_LIBRARY,
      apply,
    );
    const failed = await t.host().exec(script.text);
    expect(failed.code).not.toBe(0);
    expect(failed.stderr).toMatch(
      /apt is locked by another process, \d+ \(apt-get\), for more than 1 s; wait until it has ended or end it, then apply again/,
    );
    const applying = t.applied({ packages: { bc: present() } });
    await waitFor('the run to wait', APT_DEADLINE_MS, async () =>
      /Waiting for cache lock/.test(
        (await t.host().exec('cat /var/lib/doaas/runs/*/steps/*/apt.out')).stdout,
      ),
    );
    await t.outside('touch /run/go');
    await holder;
    const { run } = await applying;
    await t.undone(run);
  });

  it('goes on where it was cut in the middle of dpkg', async () => {
    await t.unchanged(async () => {
      const spec = { packages: { fail2ban: present() } };
      const plan = await t.harness().plan(spec);
      const batch = { kind: 'batch' as const, run: 'cut-1', repository: 'test/infra', steps: plan.steps };
      const transport = labTransport(t.host());
      const target = targetOf(resolvedHost(t.host(), {}).server);
      const start = () =>
        transport.withSession(target, (session) => runBatch(session, batch, { payloads: new Map() }));
      const first = start();
      const cut = expect(first).rejects.toMatchObject({ type: 'batch-cut' });
      await waitFor('dpkg to unpack', APT_DEADLINE_MS, async () =>
        /status unpacked python3/.test((await t.host().exec('tail -n 50 /var/log/dpkg.log')).stdout),
      );
      await t.outside('systemctl kill -s KILL doaas-cut-1-apply.service');
      await cut;
      const again = await start();
      expect(again.end, again.output).toBe('applied');
      expect(again.events.map((e) => e.event)).toContain('resumed');
      expect((await t.harness().plan(spec)).steps).toEqual([]);
      await transport.close();
      await t.undone('cut-1');
    });
  });

  it('asks apt for a plan again only where something that its answer depends on has changed', async () => {
    // apt makes its cache anew whenever it is asked: that it is still missing tells that it was not
    const asked = async () => {
      await t.outside('rm -f /var/cache/apt/pkgcache.bin');
      const plan = await t.harness().plan({ packages: { tree: present(), zip: present() } });
      const made = await t.outside('[ ! -e /var/cache/apt/pkgcache.bin ] || echo yes');
      return { plan, apt: made === 'yes\n' };
    };
    const pin = '/etc/apt/preferences.d/doaas-test';
    const first = await asked();
    expect(await asked()).toEqual({ plan: first.plan, apt: false });
    for (const change of [
      `printf 'Package: zip\\nPin: version *\\nPin-Priority: -1\\n' > ${pin}`,
      `rm ${pin}`,
      'echo \'APT::Install-Recommends "0";\' > /etc/apt/apt.conf.d/99doaas-test',
      'rm /etc/apt/apt.conf.d/99doaas-test',
      'f=$(ls /var/lib/apt/lists/*_Packages | head -n 1); cp -a "$f" /root/list; mv /root/list "$f"',
      'apt-mark -qq hold tree; apt-mark -qq hold zip',
      'apt-mark -qq unhold tree zip',
    ]) {
      await t.outside(change);
      const { plan, apt } = await asked();
      expect(apt, change).toBe(true);
      const pinned = change.includes('Pin-Priority');
      expect(plan.findings.map((finding) => finding.severity)).toEqual(pinned ? ['error'] : []);
      // an answer with an error is not remembered
      expect((await asked()).apt, change).toBe(pinned);
    }
  });

  it('says that the disk is full, and is put back', async () => {
    await t.harness().plan({ packages: { curl: present() } });
    await t.outside(
      'mount -t tmpfs -o size=4m tmpfs /usr/share/doc 2>/dev/null; head -c 4000k /dev/zero > /usr/share/doc/filler',
    );
    const result = await t.harness().apply({ packages: { curl: present() } });
    expect(result.end).toBe('failed');
    expect(result.output).toMatch(/the disk of this host is full: free some space, then apply again$/);
    await t.outside('umount /usr/share/doc');
    await t.undone(result.run);
    expect(await t.outside('dpkg --audit; command -v curl || echo none')).toBe('none\n');
  });
});
