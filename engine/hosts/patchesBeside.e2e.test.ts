import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AptArchive, type LabPackage, openAptArchive, SECURITY_RELEASE } from '../../lab/apt-archive.ts';
import { testDocument, type Wanted } from '../../test/hostHarness.ts';
import { itemKey, type Reading } from '../facts/fact.ts';
import { type OriginMatch, type UpdatesState, updatesFact } from '../facts/updates.ts';
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

  it('judges each archive by itself: by when it answered, not by when it had something new', async () => {
    const fileOf = ({ uri }: AptArchive) =>
      `/var/lib/apt/lists/${uri.slice('http://'.length, -1)}_._InRelease`;
    const older = `while [ $(($(date +%s) - $(stat -c %Z ${fileOf(security)}))) -lt 2 ]; do sleep 0.2; done`;
    const ages = async () => new Map((await read()).sources?.map((one) => [one.uri, one]));
    await exec(`apt-get -qq update; ${older}`);
    const before = await exec(`cat ${fileOf(security)} ${fileOf(stable)}; stat -c %Y ${fileOf(stable)}`);
    security.setGone(true);
    const said = await exec('! apt-get update 2>&1');
    expect(said).toMatch(/^Hit:.* InRelease$/m);
    expect(said).toContain('no longer has a Release file');
    expect(await exec(`cat ${fileOf(security)} ${fileOf(stable)}; stat -c %Y ${fileOf(stable)}`)).toBe(
      before,
    );
    const told = await ages();
    expect([...told.values()]).toEqual([
      { uri: security.uri, suite: './', read: true, security: true, ageSeconds: expect.any(Number) },
      { uri: stable.uri, suite: './', read: true, security: false, ageSeconds: expect.any(Number) },
    ]);
    const [silent = 0, fresh = 0] = [security, stable].map(({ uri }) => told.get(uri)?.ageSeconds);
    expect(silent).toBeGreaterThanOrEqual(fresh + 2);
  });

  it('names the archive that does not answer, and the one that never has', async () => {
    const messages = async () =>
      (await t.harness().plan(POLICY)).findings
        .map(({ message }) => message)
        .filter((one) => /newer updates/.test(one));
    expect(await messages()).toEqual([]);
    // a host's clock is that of the machine below: what it says of the file's time is put back instead
    const stat = '/usr/local/bin/stat';
    await exec(`cat > ${stat} <<'STAT'
#!/bin/sh
case $#$3 in 3*${new URL(security.uri).port}_._InRelease) echo $(($(/usr/bin/stat "$@") - 12 * 86400)) ;; *) exec /usr/bin/stat "$@" ;; esac
STAT
chmod +x ${stat}
echo 'deb [trusted=yes] http://me:secret@never.example/ ./' > /etc/apt/sources.list.d/zz-never.list`);
    expect(await messages()).toEqual([
      `newer updates are not known of ${security.uri} ./ of security updates, which last answered 12 days ago; http://never.example/ ./, which apt has never read; see what apt-get update says of that on the server`,
    ]);
    security.setGone(false);
    await exec(`rm ${stat} /etc/apt/sources.list.d/zz-never.list; apt-get -qq update`);
    expect(await messages()).toEqual([]);
  });

  it('tells a server that has no security archive from one that is up to date', async () => {
    const told = async (securityOrigins: readonly OriginMatch[] = []) => {
      const wanted = [testDocument('PatchPolicy', patchPolicySpec({ updates: { securityOrigins } }))];
      const { findings } = await t.harness().plan(wanted);
      return findings.filter(({ message }) => /of the archives/.test(message)).map(({ message }) => message);
    };
    expect(await told()).toEqual([]);
    expect(await told([{ label: 'Acme' }])).toEqual([
      expect.stringMatching(
        /^none of the archives that apt reads here is what "securityOrigins" names: label Acme; /,
      ),
    ]);
    await exec('rm /etc/apt/sources.list.d/security.sources; apt-get -qq update');
    expect(await told()).toEqual([
      expect.stringMatching(/^none of the archives that apt reads here is one of security updates, so /),
    ]);
    expect(await told([{ origin: 'Debian', codename: 'bookworm' }])).toEqual([]);
  });
});
