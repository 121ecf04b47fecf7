import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AptArchive, type LabPackage, openAptArchive, SECURITY_RELEASE } from '../../lab/apt-archive.ts';
import { BRIDGE_ADDRESS } from '../../lab/settings.ts';
import { waitFor } from '../../lab/wait.ts';
import { testDocument, type Wanted } from '../../test/hostHarness.ts';
import { type ChangelogState, changelogFact } from '../facts/changelog.ts';
import { itemKey, type Reading } from '../facts/fact.ts';
import { type UpdatesQuery, type UpdatesState, updatesFact } from '../facts/updates.ts';
import { BOOT } from '../facts/updatesBoot.ts';

import { type BatchResult, runBatch } from '../hosts/batchRun.ts';
import { readFacts } from '../hosts/readHost.ts';
import type { PatchRules } from '../kinds/patchPolicy/spec.ts';
import { lines, sh } from '../shell/sh.ts';
import { rebootHost } from './patches.ts';
import { useTestHost } from './testing/cycle.ts';

/** Time for apt, or for a boot, on a busy machine, ms. */
const DEADLINE_MS = 120_000;

const CONF = '/etc/doaas-conf.conf';
const UNIT = 'lib/systemd/system/doaas-daemon.service';
/** A program of its own, replaced with each version: the old one runs on until it is restarted. */
const DAEMON = '/usr/lib/doaas-daemon/daemon';
const COPY = `mkdir -p ${DAEMON.replace('/daemon', '')}; cp -p --remove-destination /bin/sleep ${DAEMON}; systemctl daemon-reload`;

const daemon = (version: string, exec: string, then: string): LabPackage => ({
  name: 'doaas-daemon',
  version,
  files: {
    [UNIT]: `[Unit]\nDescription=test\n[Service]\nExecStart=${exec}\n[Install]\nWantedBy=multi-user.target\n`,
  },
  scripts: { postinst: `${COPY}; ${then}` },
});

const conf = (name: string, version: string, control: readonly string[] = []): LabPackage => ({
  name,
  version,
  control,
  files: { [`etc/${name}.conf`]: `of ${version}\n` },
  conffiles: [`/etc/${name}.conf`],
});

const plain = (name: string, version: string, more: Partial<LabPackage> = {}): LabPackage => ({
  name,
  version,
  files: { [`usr/share/${name}/version`]: `${version}\n` },
  ...more,
});

/** Installed first. */
const NAMES = ['lib', 'user', 'held', 'kept', 'old', 'broken', 'slow', 'kernel', 'big', 'lost'].map(
  (n) => `doaas-${n}`,
);
/** More than are asked about one by one. */
const NEEDING = ['a', 'b', 'c', 'd'].map((n) => `doaas-needing-${n}`);
const FIRST = [
  ...[...NAMES, ...NEEDING].map((name) => plain(name, '1.0')),
  plain('doaas-cached', '1:1.0'),
  conf('doaas-conf', '1.0'),
  conf('doaas-asking', '1.0'),
  daemon('1.0', `${DAEMON} infinity`, 'systemctl enable -q doaas-daemon; systemctl start doaas-daemon'),
];

const FIX = '1.0+fix1';
const FIXED = [
  plain('doaas-lib', FIX, { change: 'Fix CVE-2026-1111.', follows: '1.0' }),
  plain('doaas-user', FIX, { control: [`Depends: doaas-lib (>= ${FIX})`] }),
  plain('doaas-held', FIX),
  plain('doaas-kept', FIX, { control: ['Conflicts: doaas-old'] }),
  plain('doaas-broken', FIX, { scripts: { postinst: 'echo no luck; exit 1' } }),
  plain('doaas-slow', FIX, {
    scripts: { postinst: 'touch /run/slow; while [ ! -e /run/go ]; do sleep 0.1; done' },
  }),
  plain('doaas-kernel', FIX, {
    scripts: { postinst: 'touch /run/reboot-required; echo doaas-kernel >> /run/reboot-required.pkgs' },
  }),
  plain('doaas-big', FIX, { ballast: 8 * 1024 * 1024 }),
  conf('doaas-conf', FIX),
  daemon(FIX, `${DAEMON} infinity`, ':'),
];
/** Its service does not come up. */
const FAILING = daemon('1.0+fix2', '/bin/false', 'systemctl restart doaas-daemon');

/** Operations: patches.upgrade, patches.restart, patches.reboot */
describe('updates on a real host', () => {
  const t = useTestHost();
  const archives: AptArchive[] = [];
  beforeAll(async () => {
    const [stable, security] = [await openAptArchive(), await openAptArchive(SECURITY_RELEASE)];
    archives.push(security, stable);
    await stable.publish(...FIRST, plain('doaas-lib', '2.0'));
    await security.publish(...FIXED);
    const names = FIRST.map(({ name, version }) => `${name}=${version}`).join(' ');
    // without Debian's own updates of today
    await exec(`${stable.use('stable')}
apt-get -qq install --no-install-recommends needrestart ${names}
mv /etc/apt/sources.list.d/debian.sources /root/
apt-mark -q auto doaas-lib; apt-mark -q hold doaas-held; echo mine > ${CONF}; echo mine > /etc/doaas-asking.conf
${security.use('security')}
apt-get -qqy --download-only install doaas-lib=${FIX}`);
  });
  afterAll(async () => {
    for (const archive of archives) await archive.close();
  });

  const exec = async (script: string): Promise<string> => {
    const result = await t.host().exec(script);
    if (result.code !== 0) throw new Error(`${result.stdout}\n${result.stderr}`);
    return result.stdout;
  };

  const read = (more: Partial<UpdatesQuery> = {}): Promise<UpdatesState> =>
    t.harness().session(async (session) => {
      const query = { fact: 'updates', key: 'all', updates: 'security', ...more } as const;
      const readings = await readFacts(session, [query]);
      return (readings.get(itemKey('updates', 'all')) as Reading<UpdatesState>).state;
    });

  /** Security updates of these packages alone. */
  const policy = (names: readonly string[], more: Partial<PatchRules> = {}): Wanted => {
    const exclude = FIRST.map(({ name }) => name).filter((name) => !names.includes(name));
    const updates = {
      which: 'security',
      securityOrigins: [],
      exclude,
      pinned: [],
      conffiles: 'keep',
      restart: 'needed',
      restartNever: [],
      reboot: 'never',
      ...more,
    } as const;
    return [testDocument('PatchPolicy', { updates, holds: [], probes: [] })];
  };

  /** In the order of the names, as dpkg-query has it. */
  const versionsOf = async (...names: readonly string[]) =>
    (await exec(`dpkg-query -W -f '\${Version} ' ${names.join(' ')}; dpkg --audit`)).trim().split(' ');

  /** Applies what must fail, and takes it back. */
  const failed = async (...names: readonly string[]): Promise<string> => {
    const result = await t.harness().apply(policy(names));
    expect(result.end, JSON.stringify(result.events)).toBe('failed');
    await t.undone(result.run);
    expect(await versionsOf(...names)).toEqual(names.map(() => '1.0'));
    return result.output;
  };

  it('tells what is outstanding, from where, and what apt would do about it', async () => {
    const state = await read({ exclude: ['doaas-k?rnel', 'doaas-b*', 'doaas-user'] });
    expect(Object.fromEntries(state.updates.map((u) => [u.name, [u.state, u.to, u.candidate]]))).toEqual({
      'doaas-lib': ['selected', FIX, '2.0'],
      'doaas-user': ['excluded', FIX, FIX],
      'doaas-held': ['held', FIX, FIX],
      'doaas-kept': ['selected', FIX, FIX],
      'doaas-broken': ['excluded', FIX, FIX],
      'doaas-slow': ['selected', FIX, FIX],
      'doaas-kernel': ['excluded', FIX, FIX],
      'doaas-big': ['excluded', FIX, FIX],
      'doaas-conf': ['selected', FIX, FIX],
      'doaas-daemon': ['selected', FIX, FIX],
    });
    const named = (name: string) => state.updates.find((update) => update.name === name);
    expect(named('doaas-lib')).toMatchObject({
      previous: 'archive',
      security: true,
      conffiles: [],
      cves: ['CVE-2026-1111'],
    });
    expect(named('doaas-slow')).not.toHaveProperty('cves');
    expect(named('doaas-conf')?.conffiles).toEqual([CONF]);
    expect(state.changes.map(({ name, to }) => `${name} ${to}`).sort()).toEqual(
      ['conf', 'daemon', 'lib', 'slow'].map((name) => `doaas-${name} ${FIX}`),
    );
    const why = expect.stringMatching(/needs packages removed:\n +doaas-old/);
    expect(state.keptBack).toEqual([{ name: 'doaas-kept', to: FIX, why }]);
    expect(state).toMatchObject({ locks: [], shortages: [], restarts: { kind: 'known', units: [] } });
    const all = await read({ updates: 'all' });
    expect(all.changes).toContainEqual(expect.objectContaining({ name: 'doaas-lib', to: '2.0' }));
  });

  it('asks for the changelogs of what is installed alone, and leaves nothing of one that never comes', async () => {
    const entry = (version: string, change: string) =>
      `doaas-lib (${version}) stable; urgency=high\n\n  * ${change}\n\n -- A <a@example.org>  Thu, 26 Nov 2026 12:00:00 +0000\n\n`;
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (request.url?.includes('doaas-lib'))
        response.end(entry(FIX, 'CVE-2026-1111') + entry('1.0', 'New.'));
    }).listen(0, BRIDGE_ADDRESS);
    await once(server, 'listening');
    const uri = `http://${BRIDGE_ADDRESS}:${(server.address() as AddressInfo).port}/@CHANGEPATH@`;
    await exec(
      `echo 'Acquire::Changelogs::URI::Override::Origin::Debian "${uri}";' > /etc/apt/apt.conf.d/99changelogs`,
    );
    const left = () => exec('ls -A /tmp /var/tmp');
    const before = await left();
    const queries = ['doaas-lib', 'doaas-.', 'doaas-slow'].map(
      (key) => ({ fact: changelogFact.fact, key, from: '1.0' }) as const,
    );
    const readings = await t.harness().session((session) => readFacts(session, queries));
    const cves = ({ fact, key }: (typeof queries)[number]) =>
      (readings.get(itemKey(fact, key)) as Reading<ChangelogState>).state.cves;
    expect(queries.map(cves)).toEqual([['CVE-2026-1111'], [], []]);
    expect(asked.map((path) => /doaas-[a-z]+/.exec(path)?.[0])).toEqual(['doaas-lib', 'doaas-slow']);
    expect(await left()).toBe(before);
    server.closeAllConnections();
    server.close();
    await exec('rm /etc/apt/apt.conf.d/99changelogs');
  });

  it('updates to exactly the planned versions, restarts what ran the old code, and goes back', async () => {
    const names = ['doaas-lib', 'doaas-conf', 'doaas-daemon'];
    const started = () => exec('systemctl show -p InvocationID --value doaas-daemon');
    const before = await started();
    await t.cycle(policy(names), async () => {
      expect(await versionsOf(...names)).toEqual([FIX, FIX, FIX]);
      expect(await exec(`cat ${CONF}; apt-mark showauto doaas-lib`)).toBe('mine\ndoaas-lib\n');
      expect(await started()).not.toBe(before);
      expect((await read()).restarts).toMatchObject({ units: [] });
    });
    expect(await versionsOf(...names)).toEqual(['1.0', '1.0', '1.0']);
  });

  it('takes the configuration of the package where that is declared, and puts the own one back', async () => {
    await exec('touch /etc/apt/before.dpkg-old');
    await t.unchanged(async () => {
      const result = await t.applied(policy(['doaas-conf'], { conffiles: 'take' }));
      expect(await exec(`cat ${CONF}`)).toBe(`of ${FIX}\n`);
      await t.undone(result.run);
      expect(await exec(`cat ${CONF}`)).toBe('mine\n');
    });
    const asked = await t.harness().plan(policy(['doaas-conf'], { conffiles: 'ask' }));
    expect(asked.steps).toEqual([]);
  });

  it('takes back a package that cannot be configured, and one whose service fails with it', async () => {
    await t.unchanged(async () => {
      expect(await failed('doaas-lib', 'doaas-broken')).toMatch(/no luck/);
      await archives[0]?.publish(FAILING);
      await exec('apt-get -qq update');
      expect(await failed('doaas-daemon')).toMatch(
        /doaas-daemon.service has failed since, which it had not before/,
      );
      expect(await exec('systemctl is-active doaas-daemon')).toBe('active\n');
    });
  });

  it('installs nothing that was not planned', async () => {
    const plan = await t.harness().plan(policy(['doaas-lib', 'doaas-user']));
    const steps = plan.steps.map((step) => ({
      ...step,
      params: { ...step.params, packages: [{ name: 'doaas-user', from: '1.0', to: FIX, origin: '' }] },
    }));
    const result = await t.harness().applyPlan({ ...plan, steps: steps.slice(0, 1) });
    expect(result.end).toBe('failed');
    expect(result.output).toMatch(/apt would install doaas-lib=2.0 as well, which the plan does not say/);
    await t.undone(result.run);
    expect(await versionsOf('doaas-lib', 'doaas-user')).toEqual(['1.0', '1.0']);
  });

  it('puts all back together where an archive has one old version and only the host another', async () => {
    const [security, stable] = archives;
    await stable?.withdraw('doaas-cached');
    await security?.publish(
      plain('doaas-cached', '1:1.0+fix1', { control: ['Depends: doaas-came'] }),
      plain('doaas-came', FIX),
    );
    await exec('apt-get -qq update; rm /var/cache/apt/archives/doaas-lib_1.0_all.deb');
    const previous = (await read()).updates.map((update) => [update.name, update.previous]);
    expect(Object.fromEntries(previous)).toMatchObject({ 'doaas-lib': 'archive', 'doaas-cached': 'cache' });
    await t.unchanged(async () => {
      const plan = await t.harness().plan(policy(['doaas-lib', 'doaas-cached', 'doaas-broken']));
      expect(plan.steps[0]?.summary).toMatch(/^4 updates \(4 security\): /);
      expect(plan.steps[0]?.diff).toMatch(
        /^\+ doaas-came 1\.0\+fix1 security from Debian-Security, http:\S+ \S+$/m,
      );
      const result = await t.harness().applyPlan(plan);
      expect(result.end, JSON.stringify(result.events)).toBe('failed');
      expect(await exec(`dpkg-query -W -f '\${Version}' doaas-came`)).toBe(FIX);
      await t.undone(result.run);
    });
    const is = await versionsOf('doaas-broken', 'doaas-cached', 'doaas-lib');
    expect(is).toEqual(['1.0', '1:1.0', '1.0']);
  });

  it('says which old version is nowhere any more, and puts back the others', async () => {
    const [security, stable] = archives;
    await stable?.withdraw('doaas-lost');
    await security?.publish(plain('doaas-lost', FIX));
    await exec('apt-get -qq update; rm /var/cache/apt/archives/doaas-lost_1.0_all.deb');
    const names = ['doaas-broken', 'doaas-conf', 'doaas-lib', 'doaas-lost'];
    await t.unchanged(async () => {
      const plan = await t.harness().plan(policy(names, { conffiles: 'take' }));
      expect(plan.steps[0]?.diff).toMatch(/no way back for doaas-lost 1.0: no archive and no cache/);
      const result = await t.harness().applyPlan(plan);
      expect(result.end, JSON.stringify(result.events)).toBe('failed');
      const undone = await t.harness().undo(result.run);
      expect(undone.end).toBe('held');
      expect(JSON.stringify(undone.events)).toMatch(
        /doaas-lost:all 1.0 is not installed again: no archive and no cache has it any more/,
      );
      expect(await versionsOf(...names)).toEqual(['1.0', '1.0', '1.0', FIX]);
      expect(await exec(`cat ${CONF}`)).toBe('mine\n');
      await stable?.publish(plain('doaas-lost', '1.0'));
      // as a person does, once it can be had again
      await exec(`sh /var/lib/doaas/runs/${result.run}/batch.sh undo`);
      expect(await versionsOf(...names)).toEqual(['1.0', '1.0', '1.0', '1.0']);
    });
  });

  it('leaves what needs an update that is left to people, and says why', async () => {
    await archives[0]?.publish(
      conf('doaas-asking', FIX, ['Depends: doaas-new']),
      plain('doaas-new', FIX),
      ...NEEDING.map((name) => plain(name, FIX, { control: [`Depends: doaas-asking (>= ${FIX})`] })),
    );
    await exec('apt-get -qq update');
    const wanted = policy(['doaas-asking', ...NEEDING, 'doaas-lib'], { conffiles: 'ask' });
    const { steps, findings } = await t.harness().plan(wanted);
    expect(steps[0]?.summary).toBe(`1 update (1 security): doaas-lib 1.0 -> ${FIX}`);
    const messages = findings.map(({ message }) => message.replace(/:\s+/g, ': '));
    expect(messages).toContainEqual(
      expect.stringContaining(`doaas-asking ${FIX} is left to you: /etc/doaas-asking.conf was changed`),
    );
    for (const name of NEEDING)
      expect(messages).toContain(
        `kept back: ${name} ${FIX}: ${name} : Depends: doaas-asking (>= ${FIX}) but 1.0 is to be installed`,
      );
    await t.cycle(wanted, async () => {
      expect(await versionsOf('doaas-asking', 'doaas-lib', ...NEEDING)).toEqual([
        '1.0',
        FIX,
        ...NEEDING.map(() => '1.0'),
      ]);
    });
  });

  it('downloads nothing where the disk has no room', async () => {
    const plan = await t.harness().plan(policy(['doaas-big']));
    await exec(
      'rm -f /var/cache/apt/archives/*.deb; mount -t tmpfs -o size=36m tmpfs /var/cache/apt/archives',
    );
    try {
      expect((await read({ exclude: ['doaas-user'] })).shortages).toEqual([
        expect.objectContaining({ mount: '/var/cache/apt/archives' }),
      ]);
      const result = await t.harness().applyPlan(plan);
      expect(result.end).toBe('failed');
      expect(result.output).toMatch(
        /\/var\/cache\/apt\/archives has no room for these updates, .* need 40 MiB, and 3\d MiB are free/,
      );
      expect(await exec('ls /var/cache/apt/archives')).not.toContain('doaas-big');
      await t.undone(result.run);
    } finally {
      await exec('umount /var/cache/apt/archives');
    }
  });

  it('goes on where dpkg was killed, and tells who holds its lock meanwhile', async () => {
    const plan = await t.harness().plan(policy(['doaas-lib', 'doaas-slow']));
    const batch = { kind: 'batch' as const, run: 'cut-1', repository: 'test/infra', steps: plan.steps };
    const start = () => t.harness().session((session) => runBatch(session, batch, { payloads: new Map() }));
    const cut = expect(start()).rejects.toMatchObject({ type: 'batch-cut' });
    const slow = async () => (await t.host().exec('[ -e /run/slow ]')).code === 0;
    await waitFor('dpkg to configure', DEADLINE_MS, slow);
    expect((await read()).locks).toContainEqual({ pid: expect.any(Number), program: 'apt-get' });
    await exec('systemctl kill -s KILL doaas-cut-1-apply.service');
    await cut;
    expect((await read()).dpkgProblem).toMatch(/doaas-slow/);
    await exec('touch /run/go');
    const again = await start();
    expect(again.end, again.output).toBe('applied');
    expect(again.events.map((e) => e.event)).toContain('resumed');
    expect(await versionsOf('doaas-lib', 'doaas-slow')).toEqual([FIX, FIX]);
    await t.undone('cut-1');
  });

  it('goes on after a reboot that it makes, also in a run that the host would take back', async () => {
    const { steps } = await t.harness().plan(policy(['doaas-kernel'], { reboot: 'ifRequired' }));
    expect(steps.map(({ operation }) => operation)).toContain('patches.reboot');
    const net = { kind: 'net' as const, confirmWithinSeconds: 600 };
    const batch = { kind: 'batch' as const, run: 'reboot-1', repository: 'test/infra', steps, net };
    const boot = await exec('cat /proc/sys/kernel/random/boot_id');
    let result: BatchResult | undefined;
    await waitFor('the run to end', DEADLINE_MS, async () => {
      result = await t
        .harness()
        .session((session) => runBatch(session, batch, { payloads: new Map() }))
        .catch(() => undefined);
      return result !== undefined;
    });
    expect(result, JSON.stringify(result)).toMatchObject({ end: 'applied' });
    expect(await exec('cat /proc/sys/kernel/random/boot_id')).not.toBe(boot);
    expect(await versionsOf('doaas-kernel')).toEqual([FIX]);
    expect((await read()).reboot).toMatchObject({ required: false, why: [] });
    await t.undone('reboot-1');
    expect(await versionsOf('doaas-kernel')).toEqual(['1.0']);
  });

  describe('of the kernel that runs, with stand-ins for it, as hosts of the lab have the one of the machine', () => {
    const [OLD, NEW] = ['6.1.0-9-amd64', '6.1.0-10-amd64'];
    /** Of the kernel's include/linux/proc_ns.h: the machine's own. */
    const MACHINE = 'pid:[4026531836]';
    beforeAll(async () => {
      await exec(`cd /boot; touch vmlinuz-${OLD} vmlinuz-${NEW} vmlinuz-6.1.0-11-amd64.dpkg-new vmlinuz.old`);
    });
    afterAll(async () => {
      await exec('rm /boot/vmlinuz*');
    });

    const standIn = (running: string, namespace: string) => sh`set -eu
uname() { [ "$*" = -r ]; echo ${running}; }
readlink() { [ "$*" = /proc/1/ns/pid ]; echo ${namespace}; }`;

    const check = (running: string, { namespace = MACHINE, bootedIn = 'another boot' } = {}) => {
      const script = lines(
        standIn(running, namespace),
        rebootHost.library ?? sh``,
        sh`STEP=$(mktemp -d); trap 'rm -r "$STEP"' EXIT
boot_id() { echo 'this boot'; }
echo ${bootedIn} > "$STEP/boot"`,
        rebootHost.check({ why: [] }),
      );
      return t.host().exec(script.text);
    };

    it('a reboot is done only with the newest one that is installed', async () => {
      expect(await check(NEW)).toMatchObject({ code: 0, stderr: '' });
      const old = await check(OLD);
      expect(old.code).not.toBe(0);
      expect(old.stderr).toBe(
        `the server came up with the kernel ${OLD}, though ${NEW} is installed: see what its boot loader starts\n`,
      );
    });

    it('a reboot is needed while an older one runs', async () => {
      const bootedIn = 'this boot';
      expect((await check(NEW, { bootedIn })).code).toBe(0);
      expect((await check(OLD, { bootedIn })).code).not.toBe(0);
      const told = await t.host().exec(lines(standIn(OLD, MACHINE), { kind: 'sh', text: BOOT }).text);
      const query = { fact: 'updates', key: 'all', updates: 'security' } as const;
      const { reboot } = updatesFact.parse(['apt', ...told.stdout.trim().split('\n')], query);
      expect(reboot).toMatchObject({
        required: true,
        why: [`kernel ${NEW} is installed, ${reboot.kernelRunning} runs`],
      });
    });

    it('in a container that of the machine is none of its own', async () => {
      const namespace = 'pid:[4026532261]';
      expect((await check(OLD, { namespace })).code).toBe(0);
      expect((await check(OLD, { namespace, bootedIn: 'this boot' })).code).toBe(0);
      expect((await read()).reboot).toMatchObject({ required: false, why: [], kernelInstalled: NEW });
    });
  });
});
