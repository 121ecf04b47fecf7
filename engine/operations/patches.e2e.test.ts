import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AptArchive, type LabPackage, openAptArchive, SECURITY_RELEASE } from '../../lab/apt-archive.ts';
import { waitFor } from '../../lab/wait.ts';
import { itemKey, type Reading, splitItemKey } from '../facts/fact.ts';
import { hashRaw } from '../facts/script.ts';
import type { UpdatesQuery, UpdatesState } from '../facts/updates.ts';
import { type BatchResult, runBatch } from '../hosts/batchRun.ts';
import { readFacts } from '../hosts/readHost.ts';
import type { HostPlan, Step } from '../plan/step.ts';
import type { Params } from './operation.ts';
import { operationNamed } from './registry.ts';
import { useTestHost } from './testing/cycle.ts';

/** Time for apt, or for a boot, on a busy machine, ms. */
const DEADLINE_MS = 120_000;

const CONF = '/etc/doaas-conf.conf';
const UNIT = 'lib/systemd/system/doaas-daemon.service';
/** A program of its own, replaced with each version: the old one runs on until it is restarted. */
const DAEMON = '/usr/lib/doaas-daemon/daemon';
const START = `mkdir -p ${DAEMON.replace('/daemon', '')}; cp --remove-destination /bin/sleep ${DAEMON}; systemctl daemon-reload`;
const STOP = `if [ "$1" = remove ]; then systemctl disable -q --now doaas-daemon; rm -r ${DAEMON.replace('/daemon', '')}; fi`;

const daemon = (version: string, exec: string, then: string): LabPackage => ({
  name: 'doaas-daemon',
  version,
  files: {
    [UNIT]: `[Unit]\nDescription=test\n[Service]\nExecStart=${exec}\n[Install]\nWantedBy=multi-user.target\n`,
  },
  scripts: { postinst: `${START}; ${then}`, prerm: STOP },
});

const conf = (version: string): LabPackage => ({
  name: 'doaas-conf',
  version,
  files: { [CONF.slice(1)]: `of ${version}\n` },
  conffiles: [CONF],
});

const plain = (name: string, version: string, more: Partial<LabPackage> = {}): LabPackage => ({
  name,
  version,
  files: { [`usr/share/${name}/version`]: `${version}\n` },
  ...more,
});

const FIRST = [
  plain('doaas-lib', '1.0'),
  plain('doaas-held', '1.0'),
  plain('doaas-kept', '1.0'),
  plain('doaas-old', '1.0'),
  plain('doaas-broken', '1.0'),
  plain('doaas-slow', '1.0'),
  plain('doaas-kernel', '1.0'),
  plain('doaas-big', '1.0'),
  conf('1.0'),
  daemon('1.0', `${DAEMON} infinity`, 'systemctl enable -q --now doaas-daemon'),
];

const FIXED = [
  plain('doaas-lib', '1.0+fix1', { change: 'Fix CVE-2026-1111.' }),
  plain('doaas-held', '1.0+fix1'),
  plain('doaas-kept', '1.0+fix1', { control: ['Conflicts: doaas-old'] }),
  plain('doaas-broken', '1.0+fix1', { scripts: { postinst: 'echo no luck; exit 1' } }),
  plain('doaas-slow', '1.0+fix1', {
    scripts: { postinst: 'touch /run/slow; while [ ! -e /run/go ]; do sleep 0.1; done' },
  }),
  plain('doaas-kernel', '1.0+fix1', {
    scripts: { postinst: 'touch /run/reboot-required; echo doaas-kernel >> /run/reboot-required.pkgs' },
  }),
  plain('doaas-big', '1.0+fix1', { ballast: 8 * 1024 * 1024 }),
  conf('1.0+fix1'),
  daemon('1.0+fix1', `${DAEMON} infinity`, ':'),
  daemon('1.0+fix2', '/bin/false', 'systemctl restart doaas-daemon || :'),
];

/** Operations: patches.upgrade, patches.restart, patches.reboot */
describe('updates on a real host', () => {
  const t = useTestHost();
  const archives: AptArchive[] = [];
  beforeAll(async () => {
    const [stable, security] = [await openAptArchive(), await openAptArchive(SECURITY_RELEASE)];
    archives.push(stable, security);
    await stable.publish(...FIRST, plain('doaas-lib', '2.0'));
    await security.publish(...FIXED);
    const names = FIRST.map((one) => `${one.name}=1.0`).join(' ');
    await exec(`${stable.use('stable')}\napt-get -qq install --no-install-recommends needrestart ${names}
apt-mark -q auto doaas-lib; apt-mark -q hold doaas-held; echo mine > ${CONF}`);
    await exec(security.use('security'));
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

  /** Steps as a kind would plan them. */
  const plan = (...wanted: readonly (readonly [string, Params])[]): Promise<HostPlan> =>
    t.harness().session(async (session) => {
      const steps: Step[] = [];
      for (const [n, [operation, params]] of wanted.entries()) {
        const items = operationNamed(operation).items(params);
        const readings = await readFacts(session, items.map(splitItemKey));
        steps.push({
          kind: 'step',
          id: `${operation}-${n}`,
          operation,
          params,
          host: t.host().name,
          dependsOn: [],
          reversible: 'best-effort',
          disruption: 'restart',
          reason: 'change',
          wave: 0,
          document: 'PatchPolicy/test',
          summary: operation,
          diff: '',
          onRemoval: 'restore',
          absent: [],
          before: Object.fromEntries(items.map((item) => [item, hashRaw(readings.get(item)?.raw ?? '')])),
        });
      }
      return { kind: 'host-plan', host: t.host().name, steps, findings: [], digest: '' };
    });

  const upgrade = (versions: Readonly<Record<string, string>>, more: Params = {}) =>
    [
      'patches.upgrade',
      {
        packages: Object.entries(versions).map(([name, to]) => ({ name, from: '1.0', to, origin: '' })),
        conffiles: 'keep',
        changedConffiles: [],
        ...more,
      },
    ] as const;

  const versionsOf = async (...names: readonly string[]) =>
    (await exec(`dpkg-query -W -f '\${Version} ' ${names.join(' ')}; dpkg --audit`)).trim().split(' ');

  const expectEnd = (result: BatchResult, end: string) =>
    expect(result.end, `${result.output}\n${JSON.stringify(result.events, null, 1)}`).toBe(end);

  it('tells what is outstanding, from where, and what apt would do about it', async () => {
    const state = await read({ exclude: ['doaas-k?rnel', 'doaas-b*'] });
    const ours = state.updates.filter(({ name }) => name.startsWith('doaas-'));
    expect(Object.fromEntries(ours.map((one) => [one.name, [one.state, one.to, one.candidate]]))).toEqual({
      'doaas-lib': ['selected', '1.0+fix1', '2.0'],
      'doaas-held': ['held', '1.0+fix1', '1.0+fix1'],
      'doaas-kept': ['selected', '1.0+fix1', '1.0+fix1'],
      'doaas-broken': ['excluded', '1.0+fix1', '1.0+fix1'],
      'doaas-slow': ['selected', '1.0+fix1', '1.0+fix1'],
      'doaas-kernel': ['excluded', '1.0+fix1', '1.0+fix1'],
      'doaas-big': ['excluded', '1.0+fix1', '1.0+fix1'],
      'doaas-conf': ['selected', '1.0+fix1', '1.0+fix1'],
      'doaas-daemon': ['selected', '1.0+fix2', '1.0+fix2'],
    });
    expect(ours.find((one) => one.name === 'doaas-lib')).toMatchObject({
      previous: 'archive',
      security: true,
    });
    expect(ours.find((one) => one.name === 'doaas-conf')?.conffiles).toEqual([CONF]);
    const changed = state.changes.map(({ name, to }) => `${name} ${to}`).filter((c) => c.startsWith('doaas'));
    expect(changed.sort()).toEqual([
      'doaas-conf 1.0+fix1',
      'doaas-daemon 1.0+fix2',
      'doaas-lib 1.0+fix1',
      'doaas-slow 1.0+fix1',
    ]);
    expect(state.keptBack).toEqual([
      {
        name: 'doaas-kept',
        to: '1.0+fix1',
        why: expect.stringMatching(/needs packages removed:\n +doaas-old/),
      },
    ]);
    expect(state).toMatchObject({ locks: [], shortages: [], restarts: { kind: 'known' } });
    expect((await read({ updates: 'all' })).changes).toContainEqual(
      expect.objectContaining({ name: 'doaas-lib', to: '2.0' }),
    );
  });

  it('updates to exactly the planned versions, restarts what ran the old code, and goes back', async () => {
    await t.unchanged(async () => {
      const pid = await exec('systemctl show -p MainPID --value doaas-daemon');
      const wanted = { 'doaas-lib': '1.0+fix1', 'doaas-conf': '1.0+fix1', 'doaas-daemon': '1.0+fix1' };
      const first = await t.harness().applyPlan(await plan(upgrade(wanted)));
      expectEnd(first, 'applied');
      expect(await versionsOf(...Object.keys(wanted))).toEqual(Object.values(wanted));
      expect(await exec(`cat ${CONF}; apt-mark showauto doaas-lib`)).toBe('mine\ndoaas-lib\n');
      const { restarts } = await read();
      expect(restarts).toMatchObject({ units: expect.arrayContaining(['doaas-daemon.service']) });
      const restart = ['patches.restart', { units: ['doaas-daemon.service'] }] as const;
      const second = await t.harness().applyPlan(await plan(restart));
      expectEnd(second, 'applied');
      expect(await exec('systemctl show -p MainPID --value doaas-daemon')).not.toBe(pid);
      expect((await read()).restarts).not.toMatchObject({
        units: expect.arrayContaining(['doaas-daemon.service']),
      });
      await t.undone(second.run);
      await t.undone(first.run);
      expect(await versionsOf(...Object.keys(wanted))).toEqual(['1.0', '1.0', '1.0']);
    });
  });

  it('takes the configuration of the package where that is declared, and puts the own one back', async () => {
    await t.unchanged(async () => {
      const take = { conffiles: 'take', changedConffiles: [CONF] };
      const result = await t.harness().applyPlan(await plan(upgrade({ 'doaas-conf': '1.0+fix1' }, take)));
      expectEnd(result, 'applied');
      expect(await exec(`cat ${CONF}`)).toBe('of 1.0+fix1\n');
      await t.undone(result.run);
      expect(await exec(`cat ${CONF}`)).toBe('mine\n');
    });
  });

  it('takes back a package that cannot be configured, and one whose service fails with it', async () => {
    await t.unchanged(async () => {
      for (const [name, to, why] of [
        ['doaas-broken', '1.0+fix1', /no luck/],
        ['doaas-daemon', '1.0+fix2', /doaas-daemon.service has failed since, which it had not before/],
      ] as const) {
        const result = await t
          .harness()
          .applyPlan(await plan(upgrade({ 'doaas-lib': '1.0+fix1', [name]: to })));
        expectEnd(result, 'failed');
        expect(result.output).toMatch(why);
        await t.undone(result.run);
        expect(await versionsOf('doaas-lib', name)).toEqual(['1.0', '1.0']);
      }
      expect(await exec('systemctl is-active doaas-daemon')).toBe('active\n');
    });
  });

  it('installs nothing that was not planned', async () => {
    const result = await t.harness().applyPlan(await plan(upgrade({ 'doaas-kept': '1.0+fix1' })));
    expectEnd(result, 'failed');
    expect(result.output).toMatch(/doaas-old|remove/);
    await t.undone(result.run);
    expect(await versionsOf('doaas-kept', 'doaas-old')).toEqual(['1.0', '1.0']);
  });

  it('downloads nothing where the disk has no room', async () => {
    await exec(
      'rm -f /var/cache/apt/archives/*.deb; mount -t tmpfs -o size=36m tmpfs /var/cache/apt/archives',
    );
    try {
      const { shortages } = await read();
      expect(shortages).toEqual([expect.objectContaining({ mount: '/var/cache/apt/archives' })]);
      const result = await t.harness().applyPlan(await plan(upgrade({ 'doaas-big': '1.0+fix1' })));
      expectEnd(result, 'failed');
      expect(result.output).toMatch(
        /^\/var\/cache\/apt\/archives has no room for these updates.*need 40 MiB, and 36 MiB/m,
      );
      expect(await exec('ls /var/cache/apt/archives')).not.toContain('doaas-big');
      await t.undone(result.run);
    } finally {
      await exec('umount /var/cache/apt/archives');
    }
  });

  it('goes on where dpkg was killed, and tells who holds its lock meanwhile', async () => {
    const batch = { kind: 'batch' as const, run: 'cut-1', repository: 'test/infra' };
    const { steps } = await plan(upgrade({ 'doaas-lib': '1.0+fix1', 'doaas-slow': '1.0+fix1' }));
    const start = () =>
      t.harness().session((session) => runBatch(session, { ...batch, steps }, { payloads: new Map() }));
    const cut = expect(start()).rejects.toMatchObject({ type: 'batch-cut' });
    await waitFor(
      'dpkg to configure',
      DEADLINE_MS,
      async () => (await t.host().exec('[ -e /run/slow ]')).code === 0,
    );
    expect((await read()).locks).toContainEqual({ pid: expect.any(Number), program: 'apt-get' });
    await exec('systemctl kill -s KILL doaas-cut-1-apply.service');
    await cut;
    expect((await read()).dpkgProblem).toMatch(/doaas-slow/);
    await exec('touch /run/go');
    const again = await start();
    expectEnd(again, 'applied');
    expect(again.events.map((e) => e.event)).toContain('resumed');
    expect(await versionsOf('doaas-lib', 'doaas-slow')).toEqual(['1.0+fix1', '1.0+fix1']);
    await t.undone('cut-1');
  });

  it('goes on after a reboot that it makes, also in a run that the host would take back', async () => {
    const { steps } = await plan(upgrade({ 'doaas-kernel': '1.0+fix1' }), [
      'patches.reboot',
      { why: ['doaas-kernel'] },
    ]);
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
    if (result === undefined) throw new Error('the run has no result');
    expectEnd(result, 'applied');
    expect(await exec('cat /proc/sys/kernel/random/boot_id')).not.toBe(boot);
    expect(await versionsOf('doaas-kernel')).toEqual(['1.0+fix1']);
    expect((await read()).reboot).toMatchObject({ required: false, why: [] });
    await t.undone('reboot-1');
    expect(await versionsOf('doaas-kernel')).toEqual(['1.0']);
  });
});
