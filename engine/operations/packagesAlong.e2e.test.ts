import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AptArchive, type LabPackage, openAptArchive } from '../../lab/apt-archive.ts';
import { testDocument } from '../../test/hostHarness.ts';
import type { PatchRules } from '../kinds/patchPolicy/spec.ts';
import type { ResolvedPackage } from '../spec/configuration.ts';
import { endangersAccess } from './endangersAccess.ts';
import { useTestHost } from './testing/cycle.ts';

const present = (version?: string): ResolvedPackage => ({
  state: 'present',
  hold: false,
  ...(version === undefined ? {} : { version }),
});

const plain = (name: string, version: string, control: readonly string[] = []): LabPackage => ({
  name,
  version,
  control,
  files: { [`usr/share/${name}/version`]: `${version}\n` },
});

/** As `openssh-server` and `openssh-client`: none fits another version of the other. */
const pair = (name: string, version: string): readonly LabPackage[] => [
  plain(name, version, [`Depends: ${name}-bin (= ${version})`]),
  plain(`${name}-bin`, version, [`Breaks: ${name} (<< ${version}), ${name} (>> ${version})`]),
];

/** By its name somebody may need it to get in. */
const WAY_IN = 'libpam-doaas';
const PAIRS = ['doaas-pair', 'doaas-late', WAY_IN];
const LIBRARIES = ['doaas-lib', 'doaas-lost'];

/** Operations: packages.install, patches.upgrade */
describe('what apt changes along with packages', () => {
  const t = useTestHost();
  let archive: AptArchive;
  beforeAll(async () => {
    archive = await openAptArchive();
    await archive.publish(
      ...PAIRS.flatMap((name) => pair(name, '1.0')),
      ...LIBRARIES.map((name) => plain(name, '1.0')),
    );
    await t.outside(
      `${archive.use('lab')}; apt-get -qqy install ${[...PAIRS, ...LIBRARIES].join(' ')}; apt-get clean`,
    );
    await archive.publish(
      ...PAIRS.flatMap((name) => pair(name, '2.0')),
      ...LIBRARIES.map((name) => plain(name, '2.0')),
      ...LIBRARIES.map((name) => plain(`${name}-user`, '1.0', [`Depends: ${name} (>= 2.0)`])),
    );
    await t.outside('apt-get -qq update');
  });
  afterAll(() => archive.close());

  const versionsOf = async (...names: readonly string[]) =>
    (await t.outside(`dpkg-query -W -f '\${Version} ' ${names.join(' ')}; dpkg --audit`)).trim();
  const both = (name: string) => versionsOf(name, `${name}-bin`);

  it('goes back with them, in one run of apt', async () => {
    await t.cycle({ packages: { 'doaas-pair': present('2.0') } }, async () => {
      expect(await both('doaas-pair')).toBe('2.0 2.0');
    });
    expect(await both('doaas-pair')).toBe('1.0 1.0');
  });

  it('goes back long after, but for what has got yet another version', async () => {
    const pairs = await t.applied({ packages: { 'doaas-late': present('2.0') } });
    expect(await both('doaas-late')).toBe('2.0 2.0');
    expect((await t.harness().undo(pairs.run, true)).end).toBe('rolled-back');
    expect(await both('doaas-late')).toBe('1.0 1.0');
    const user = await t.applied({ packages: { 'doaas-lib-user': present() } });
    await archive.publish(plain('doaas-lib', '3.0'));
    await t.outside('apt-get -qq update; apt-get -qqy install doaas-lib');
    expect((await t.harness().undo(user.run, true)).end).toBe('rolled-back');
    expect(await versionsOf('doaas-lib')).toBe('3.0');
  });

  it('goes back from what was kept where it is a way in, with no archive to ask', async () => {
    await t.unchanged(async () => {
      const plan = await t.harness().plan({ packages: { [WAY_IN]: present('2.0') } });
      expect(plan.steps.map(({ params }) => params.along)).toEqual([[`${WAY_IN}-bin`]]);
      const { run } = await t.harness().applyPlan(plan);
      expect(await both(WAY_IN)).toBe('2.0 2.0');
      await t.outside('apt-get clean; mv /var/lib/apt/lists /root/; mkdir /var/lib/apt/lists');
      await t.undone(run);
      expect(await both(WAY_IN)).toBe('1.0 1.0');
      await t.outside('rm -r /var/lib/apt/lists; mv /root/lists /var/lib/apt/');
    });
  });

  it('goes back from what was kept after an update of a PatchPolicy, too', async () => {
    await t.outside('mv /etc/apt/sources.list.d/debian.sources /root/; apt-get -qq update');
    const rules: PatchRules = {
      which: 'all',
      securityOrigins: [],
      exclude: ['doaas-*'],
      pinned: [],
      conffiles: 'keep',
      restart: 'never',
      restartNever: [],
      reboot: 'never',
    };
    const { run } = await t.applied([testDocument('PatchPolicy', { updates: rules, holds: [], probes: [] })]);
    expect(await both(WAY_IN)).toBe('2.0 2.0');
    await t.outside('apt-get clean; mv /var/lib/apt/lists /root/; mkdir /var/lib/apt/lists');
    await t.undone(run);
    expect(await both(WAY_IN)).toBe('1.0 1.0');
    await t.outside(
      'rm -r /var/lib/apt/lists; mv /root/lists /var/lib/apt/; mv /root/debian.sources /etc/apt/sources.list.d/',
    );
  });

  it('stays, and is told, where it can be had nowhere any more and nothing needs it', async () => {
    const { run } = await t.applied({ packages: { 'doaas-lost-user': present() } });
    await archive.withdraw('doaas-lost');
    await t.outside('apt-get -qq update; apt-get clean');
    const { events } = await t.undone(run);
    expect(events.map(({ detail }) => detail)).toContain(
      'doaas-lost:all stays at 2.0, to which it was updated along: no archive and no cache has 1.0 any more',
    );
  });

  it('is a way in only where the plan says so', async () => {
    await archive.publish(plain('doaas-own', '1.0'));
    await t.outside('apt-get -qq update');
    const wanted = { packages: { 'doaas-own': present() } };
    const before = await t.harness().plan(wanted);
    expect(before.steps.map(endangersAccess)).toEqual([false]);
    await archive.publish(plain('doaas-own', '1.1', [`Depends: ${WAY_IN} (>= 2.0)`]));
    await t.outside('apt-get -qq update');
    const result = await t.harness().applyPlan(before);
    expect(result.end).toBe('failed');
    expect(result.output).toMatch(
      /apt would install libpam-doaas\S* as well, a way in, which the plan does not say/,
    );
    await t.undone(result.run);
    expect(await both(WAY_IN)).toBe('1.0 1.0');
    const now = await t.harness().plan(wanted);
    expect(now.steps.map(({ params }) => params.along)).toEqual([[WAY_IN, `${WAY_IN}-bin`]]);
    expect(now.steps.map(endangersAccess)).toEqual([true]);
    const { run } = await t.harness().applyPlan(now);
    expect(await both(WAY_IN)).toBe('2.0 2.0');
    await t.undone(run);
    expect(await both(WAY_IN)).toBe('1.0 1.0');
  });
});
