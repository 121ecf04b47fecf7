import { release } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AptArchive, type LabPackage, openAptArchive } from '../../lab/apt-archive.ts';
import { waitFor } from '../../lab/wait.ts';
import { APT_LIBRARY } from '../operations/packages.ts';
import { useTestHost } from '../operations/testing/cycle.ts';
import { lines, sh } from '../shell/sh.ts';
import type { ResolvedPackage } from '../spec/configuration.ts';

/** Time for apt on a busy machine, ms. */
const DEADLINE_MS = 120_000;

const present = (version?: string): ResolvedPackage => ({
  state: 'present',
  hold: false,
  ...(version === undefined ? {} : { version }),
});
const plain = (name: string, version: string, more: Partial<LabPackage> = {}): LabPackage => ({
  name,
  version,
  files: { [`usr/share/${name}/version`]: `${version}\n` },
  ...more,
});

/** As it comes back it makes a key, and takes as long as the test wants. */
const KEYED = `[ -e /etc/doaas-keyed.key ] || { echo key > /etc/doaas-keyed.key; echo public > /etc/doaas-keyed.key.pub; }
if [ -e /run/hold ]; then touch /run/holding; while [ -e /run/hold ]; do sleep 0.1; done; fi`;
/** Data of others, at places that packages use as well. */
const OTHERS = [
  '/srv/upload',
  '/var/www/upload',
  '/var/lib/other/data',
  '/var/log/other.log.1',
  '/opt/other',
  '/etc/other.pem',
];
const WRITE = OTHERS.map((path) => `mkdir -p $(dirname ${path}); echo theirs > ${path}`).join('\n');
const READ = OTHERS.map((path) => `cat ${path} || echo ${path} is gone`).join('\n');
const THEIRS = OTHERS.map(() => 'theirs\n').join('');
const FORGET = `rm -r ${OTHERS.map((path) => (path.includes('/other/') ? '/var/lib/other' : path)).join(' ')}; rmdir --ignore-fail-on-non-empty /var/www`;

/** Operations: packages.install, packages.remove */
describe('what packages come back to', () => {
  const t = useTestHost();
  let archive: AptArchive;
  const exec = async (script: string): Promise<string> => {
    const result = await t.host().exec(script);
    if (result.code !== 0) throw new Error(`${result.stdout}\n${result.stderr}`);
    return result.stdout;
  };
  const notesOf = ({ events }: { events: readonly { event: string; detail: string }[] }) =>
    events.flatMap(({ event, detail }) => (event === 'note' ? [detail] : []));
  const stateOf = (name: string) =>
    exec(`dpkg-query -W -f '\${db:Status-Status} \${Version}' ${name} 2>/dev/null || echo none`);

  beforeAll(async () => {
    archive = await openAptArchive();
    await archive.publish(
      plain('doaas-keyed', '1.0', { scripts: { postinst: KEYED } }),
      plain('doaas-keyed', '2.0'),
      plain('doaas-lost', '1.0'),
      plain('doaas-lost', '2.0'),
      plain('doaas-other', '1.0'),
      plain('doaas-half', '1.0', { scripts: { postinst: '[ ! -e /run/unlucky ]' } }),
      plain('doaas-came', '1.0', { scripts: { postinst: KEYED } }),
      plain(`linux-image-${release()}`, '1.0'),
    );
    await exec(`${archive.use('lab')}
apt-get -qq install doaas-keyed=1.0 doaas-lost=1.0 doaas-other; rm /etc/doaas-keyed.key*`);
  });
  afterAll(() => archive.close());

  it('leaves what others write meanwhile, and moves what the packages make, which it tells', async () => {
    await t.unchanged(async () => {
      const wanted = { 'doaas-keyed': present('2.0'), 'doaas-other': { state: 'absent' as const } };
      const { run } = await t.applied({ packages: wanted });
      await exec('touch /run/hold');
      const undoing = t.undone(run);
      await waitFor(
        'the package to come back',
        DEADLINE_MS,
        async () => (await t.host().exec('[ -e /run/holding ]')).code === 0,
      );
      await exec(`${WRITE}; rm /run/hold /run/holding`);
      expect(notesOf(await undoing)).toEqual(
        ['/etc/doaas-keyed.key', '/etc/doaas-keyed.key.pub'].map((path) =>
          expect.stringMatching(
            new RegExp(
              `^${path}, which came with .* was moved to /var/lib/doaas/runs/${run}/steps/\\d+/leftovers; .* 30 days$`,
            ),
          ),
        ),
      );
      expect(await exec(READ)).toBe(THEIRS);
      await exec(FORGET);
    });
  });

  it('leaves what others write while new packages are installed', async () => {
    await t.unchanged(async () => {
      await exec('touch /run/hold');
      const applying = t.applied({ packages: { 'doaas-came': present() } });
      await waitFor(
        'the package to be configured',
        DEADLINE_MS,
        async () => (await t.host().exec('[ -e /run/holding ]')).code === 0,
      );
      await exec(`${WRITE}; rm /run/hold /run/holding /etc/other.pem`);
      await t.undone((await applying).run);
      await exec('echo theirs > /etc/other.pem');
      expect(await exec(READ)).toBe(THEIRS);
      await exec(FORGET);
    });
  });

  it('leaves what others made between two tries', async () => {
    await t.unchanged(async () => {
      const wanted = { 'doaas-keyed': present('2.0'), 'doaas-lost': present('2.0') };
      const { run } = await t.applied({ packages: wanted });
      await archive.withdraw('doaas-lost');
      await archive.publish(plain('doaas-lost', '2.0'));
      await exec('apt-get -qq update; rm -f /var/cache/apt/archives/doaas-lost_1.0_all.deb');
      await exec(`rm -f /var/lib/doaas/runs/${run}/steps/*/*/saved/doaas-lost_*.deb`);
      expect((await t.harness().undo(run)).end).toBe('held');
      expect(await stateOf('doaas-keyed')).toBe('installed 1.0');
      await archive.publish(plain('doaas-lost', '1.0'));
      // as a person does, the next day
      await exec(`${WRITE}; sh /var/lib/doaas/runs/${run}/batch.sh undo`);
      expect(await exec(`tail -n 1 /var/lib/doaas/runs/${run}/undo.journal`)).toMatch(/rolled-back/);
      expect(await exec(READ)).toBe(THEIRS);
      await exec(FORGET);
    });
  });

  it('keeps a package that was half-configured before', async () => {
    await t.host().exec('touch /run/unlucky; apt-get -qqy install doaas-half; rm /run/unlucky');
    expect(await stateOf('doaas-half')).toBe('half-configured 1.0');
    const { run } = await t.applied({ packages: { 'doaas-half': present() } });
    expect(notesOf(await t.undone(run))).toEqual([
      'doaas-half:all 1.0 was not configured before, and is now; it stays so',
    ]);
    expect(await stateOf('doaas-half')).toBe('installed 1.0');
  });

  it('keeps the kernel that runs', async () => {
    const kernel = `linux-image-${release()}`;
    const { run } = await t.applied({ packages: { [kernel]: present() } });
    expect(notesOf(await t.undone(run))).toEqual([
      `${kernel}:all stays: the server runs with this kernel. Start another one, then remove it with apt`,
    ]);
    expect(await stateOf(kernel)).toBe('installed 1.0');
  });

  it('keeps no package for the way back of which only the beginning is there', async () => {
    const script = lines(
      sh`set -eu; STEP=/mnt; DIR=/mnt; COMMAND=apply
cd /var/cache/apt/archives; f=doaas-half_1.0_all.deb; rm -f "$f"; apt-get -q download doaas-half > /dev/null 2>&1
mount -t tmpfs -o size=16k tmpfs /mnt; mkdir /mnt/debs; trap 'umount /mnt' EXIT; trap 'exit 1' INT TERM`,
      APT_LIBRARY,
    );
    const filler = sh`head -c 1M /dev/zero > /mnt/filler 2>/dev/null || :`;
    const keep = sh`keep_debs must doaas-half`;
    const full = await t.host().exec(lines(script, filler, keep).text);
    expect(full.code).not.toBe(0);
    expect(full.stderr).toMatch(/doaas-half:all 1.0 cannot be kept for the way back/);
    const cut = sh`truncate -s -1 "$f"; mount -o remount,size=64k /mnt`;
    const whole = sh`dpkg-deb --fsys-tarfile "/mnt/debs/$f" > /dev/null && echo whole`;
    expect(await exec(lines(script, cut, keep, whole).text)).toBe('whole\n');
    const found = sh`saves=; rm -f "/mnt/debs/$f"; saved_file doaas-half:all 1.0 || echo none`;
    expect(await exec(lines(script, cut, found).text)).toBe('none\n');
  });
});
