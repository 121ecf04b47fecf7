import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AptArchive, type LabPackage, openAptArchive, SECURITY_RELEASE } from '../../lab/apt-archive.ts';
import { testDocument, type Wanted } from '../../test/hostHarness.ts';
import { itemKey, type Reading } from '../facts/fact.ts';
import { type UpdatesState, updatesFact } from '../facts/updates.ts';
import { patchPolicySpec } from '../kinds/patchPolicy/testing/spec.ts';
import { useTestHost } from '../operations/testing/cycle.ts';
import { readFacts } from './readHost.ts';

const FIX = '1.0+fix1';
/** Brings each new kernel along. */
const META = 'linux-image-doaas';
const plain = (name: string, version: string, more: Partial<LabPackage> = {}): LabPackage => ({
  name,
  version,
  files: { [`usr/share/${name}/version`]: `${version}\n` },
  ...more,
});
const POLICY: Wanted = [testDocument('PatchPolicy', patchPolicySpec({}))];

/** What stands beside updates, and what may keep one of them from a real host. */
describe('what is outstanding on a real host', () => {
  const t = useTestHost();
  let stable: AptArchive;
  let security: AptArchive;
  beforeAll(async () => {
    [stable, security] = [await openAptArchive(), await openAptArchive(SECURITY_RELEASE)];
    await stable.publish(plain(META, '1.0'), plain('doaas-lib', '1.0'));
    await security.publish(plain('doaas-other', FIX));
    // without Debian's own updates of today
    await exec(
      `mv /etc/apt/sources.list.d/debian.sources /root/; ${stable.use('stable')}\n${security.use('security')}`,
    );
  });
  afterAll(async () => {
    await stable?.close();
    await security?.close();
  });

  const exec = async (script: string): Promise<string> => {
    const result = await t.host().exec(script);
    if (result.code !== 0) throw new Error(`${result.stdout}\n${result.stderr}`);
    return result.stdout;
  };
  const read = (): Promise<UpdatesState> =>
    t.harness().session(async (session) => {
      const query = { fact: updatesFact.fact, key: 'all', updates: 'security' } as const;
      const readings = await readFacts(session, [query]);
      return (readings.get(itemKey('updates', 'all')) as Reading<UpdatesState>).state;
    });

  it('tells whether unattended-upgrades installs updates beside it', async () => {
    const periodic = '/etc/apt/apt.conf.d/52periodic';
    const program = '/usr/bin/unattended-upgrade';
    const isOn = async (value: string, timer: string) => {
      await exec(
        `echo 'APT::Periodic::Unattended-Upgrade "${value}";' > ${periodic}; systemctl -q ${timer} --now apt-daily-upgrade.timer`,
      );
      return (await read()).unattended;
    };
    expect(await isOn('1', 'enable')).toBeUndefined();
    await exec(`printf '#!/bin/sh\n' > ${program}; chmod +x ${program}`);
    expect(await isOn('1', 'enable')).toBe(true);
    expect(await isOn('0', 'enable')).toBeUndefined();
    expect(await isOn('1', 'disable')).toBeUndefined();
    await exec(`rm ${program} ${periodic}`);
  });

  it('leaves a new kernel alone where only /boot has no room', async () => {
    await exec(`apt-get -qq install ${META} doaas-lib`);
    await security.publish(
      plain(META, FIX, { control: ['Depends: linux-image-9.9-doaas'] }),
      plain('linux-image-9.9-doaas', FIX),
      plain('doaas-lib', FIX),
    );
    await exec(
      'apt-get -qq update; mkdir -p /boot; mount -t tmpfs -o size=40m tmpfs /boot; head -c 12M /dev/zero > /boot/initrd.img-9.8-doaas',
    );
    const summaryOf = async () => {
      const { steps, findings } = await t.harness().plan(POLICY);
      return { summary: steps[0]?.summary, messages: findings.map(({ message }) => message) };
    };
    const full = await summaryOf();
    expect(full.summary).toBe(`1 update (1 security): doaas-lib 1.0 -> ${FIX}`);
    expect(full.messages).toContain(
      `kept back: ${META} ${FIX}: no room on /boot for one more kernel: it needs 44 MiB, and 28 are free`,
    );
    await exec('rm /boot/initrd.img-9.8-doaas');
    expect((await summaryOf()).summary).toMatch(/^3 updates \(3 security\): .*linux-image-9\.9-doaas/);
    await exec('umount /boot');
  });
});
