import { describe, expect, it } from 'vitest';
import { useTestHost } from './testing/cycle.ts';

/** Operations: sysctl.set, hosts-entry.set, timezone.set, locale.write */
describe('kernel settings, hosts entries, time zone and locale on a real host', () => {
  const t = useTestHost();
  const set = (script: string) => t.outside(`set -eu; ${script}`);
  const runtime = () =>
    t.outside(
      'cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ping_group_range /proc/sys/net/ipv4/conf/lo/arp_announce',
    );

  it('sets kernel settings now and at boot, and undoes both', async () => {
    const before = await runtime();
    const wanted = {
      'net.ipv4.ip_forward': before.startsWith('1') ? '0' : '1',
      'net.ipv4.ping_group_range': '10 20',
      'net.ipv4.conf.lo.arp_announce': '2',
    };
    await t.cycle({ sysctl: wanted }, async () => {
      expect(await runtime()).toBe(`${wanted['net.ipv4.ip_forward']}\n10\t20\n2\n`);
      expect(await t.outside('cat /etc/sysctl.d/99-zz-doaas-net.ipv4.ping_group_range.conf')).toContain(
        'net.ipv4.ping_group_range = 10 20',
      );
    });
    expect(await runtime()).toBe(before);
  });

  it('calls a setting that does not exist or cannot be written not applicable, and never done', async () => {
    const plan = await t.harness().plan({ sysctl: { 'net.ipv4.no_such': '1', 'kernel.panic': '77' } });
    expect(plan.steps).toEqual([]);
    expect(plan.findings.map((finding) => finding.message)).toEqual([
      'net.ipv4.no_such is not applicable here: this kernel does not have it',
      expect.stringMatching(/^kernel\.panic is not applicable here: it cannot be written/),
    ]);
  });

  it('fails, and undoes, when the kernel refuses a value', async () => {
    const before = await runtime();
    await t.unchanged(async () => {
      const result = await t.harness().apply({
        sysctl: { 'net.ipv4.ping_group_range': '5 6', 'net.ipv4.conf.lo.arp_announce': 'no number' },
      });
      expect(result.end).toBe('failed');
      await t.undone(result.run);
    });
    expect(await runtime()).toBe(before);
  });

  it('sets hosts entries and keeps every other byte, also without a newline at the end', async () => {
    await set(
      `printf '127.0.0.1\\tlocalhost # me\\n\\n# note\\n10.1.1.1 old older # comment\\n10.1.1.2  two\\n10.1.1.1 again\\n  10.1.1.3\\tthree' > /etc/hosts; chmod 640 /etc/hosts`,
    );
    const wanted = {
      '10.1.1.1': ['new'],
      '10.1.1.3': ['drei'],
      '10.1.1.4': ['four', 'four.internal'],
      'fd00::1': ['six'],
    };
    await t.cycle({ hostsEntries: wanted }, async () => {
      expect(await t.outside('cat /etc/hosts; stat -c %a /etc/hosts')).toBe(
        '127.0.0.1\tlocalhost # me\n\n# note\n10.1.1.1\tnew\n10.1.1.2  two\n10.1.1.3\tdrei\n10.1.1.4\tfour four.internal\nfd00::1\tsix\n640\n',
      );
    });
    const result = await t.applied({ hostsEntries: { '10.1.1.1': ['new'], '10.1.1.9': ['nine'] } });
    await set("sed -i '1i # by somebody else' /etc/hosts");
    await t.undone(result.run);
    expect(await t.outside('cat /etc/hosts')).toBe(
      '# by somebody else\n127.0.0.1\tlocalhost # me\n\n# note\n10.1.1.1 old older # comment\n10.1.1.2  two\n10.1.1.1 again\n  10.1.1.3\tthree\n',
    );
    await set('rm /etc/hosts');
    await t.cycle({ hostsEntries: { '10.1.1.1': ['alone'] } });
  });

  it('sets the time zone, whatever was there, and undoes it', async () => {
    await t.cycle({ timezone: 'Europe/Berlin' }, async () => {
      expect(await t.outside('date -d 2026-07-01T00:00Z +%Z; cat /etc/timezone')).toBe(
        'CEST\nEurope/Berlin\n',
      );
    });
    await set('cp --remove-destination /usr/share/zoneinfo/Asia/Tokyo /etc/localtime; rm -f /etc/timezone');
    await t.cycle({ timezone: 'UTC' });
    await set('rm /etc/localtime');
    await t.cycle({ timezone: 'America/Lima' });
    const plan = await t.harness().plan({ timezone: 'Mars/Olympus' });
    expect(plan.steps).toEqual([]);
    expect(plan.findings).toMatchObject([
      { severity: 'error', message: expect.stringContaining('Mars/Olympus') },
    ]);
  });

  it('sets the locale and keeps other variables, and undoes it', async () => {
    await set('rm -f /etc/default/locale /etc/locale.conf');
    await t.cycle({ locale: { LANG: 'C.UTF-8' } });
    await set(`printf '# mine\\nLANG="POSIX"\\nLC_TIME=C' > /etc/default/locale`);
    await t.cycle({ locale: { LANG: 'C.utf8', LANGUAGE: 'en' } }, async () => {
      expect(await t.outside('cat /etc/default/locale')).toBe(
        '# mine\nLANG=C.utf8\nLC_TIME=C\nLANGUAGE=en\n',
      );
    });
    const plan = await t.harness().plan({ locale: { LANG: 'xx_YY.UTF-8' } });
    expect(plan.steps).toEqual([]);
    expect(plan.findings).toMatchObject([
      { severity: 'error', message: expect.stringContaining('locales-all') },
    ]);
  });

  it('releases what left the YAML', async () => {
    const before = await runtime();
    await set(`printf '10.1.1.1 old\\n10.1.1.2 two' > /etc/hosts`);
    await t.leaves({
      sysctl: { 'net.ipv4.conf.lo.arp_announce': '1' },
      hostsEntries: { '10.1.1.1': ['new'], '10.1.1.7': ['seven'] },
      timezone: 'Europe/Paris',
      locale: { LANG: 'POSIX' },
    });
    expect(await runtime()).toBe(before);
  });
});
