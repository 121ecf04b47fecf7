import { describe, expect, it } from 'vitest';
import { testDocument } from '../../test/hostHarness.ts';
import { resolvedHardening } from '../kinds/hardening/testing/spec.ts';
import { useTestHost } from './testing/cycle.ts';

/** Operations: config.write, mode.set, homes.close, pam-profile.set, lynis.audit */
describe('a hardened host', () => {
  const t = useTestHost();
  const strict = (waivers: readonly string[] = []) => [
    testDocument(
      'Hardening',
      resolvedHardening({
        profile: 'strict',
        waivers: Object.fromEntries(waivers.map((id) => [id, WAIVER])),
      }),
    ),
  ];
  /** `163 of 163` of what is said of the host now. */
  const score = async () => {
    const { findings } = await t.harness().plan(strict(HEAVY));
    const [, passed, applicable] = /: (\d+) of (\d+) controls/.exec(findings[0]?.message ?? '') ?? [];
    return { passed: Number(passed), applicable: Number(applicable), findings };
  };

  it('holds every control that applies, is read again without a step, and goes without a trace', async () => {
    await t.outside(OLD_HOST);
    const before = await score();
    expect(before.applicable - before.passed).toBeGreaterThan(50);
    await t.cycle(strict(HEAVY), async () => {
      const { passed, applicable, findings } = await score();
      expect(findings.filter(({ severity }) => severity !== 'info').map(({ message }) => message)).toEqual([
        expect.stringMatching(/^ssh-root-login: the engine logs in as root/),
      ]);
      expect(passed).toBe(applicable);
      expect(applicable).toBeGreaterThan(60);
      expect(await t.outside(PROOF)).toBe(PROVED);
    });
    expect((await score()).passed).toBe(before.passed);
  });

  it('asks Lynis before and after where the document says so, which leaves nothing behind', async () => {
    await t.outside(GET_LYNIS);
    const some = ['sysctl-log-martians-all', 'banner-issue', 'ssh-max-auth-tries'];
    const { controls, ...spec } = resolvedHardening({ profile: 'strict', witness: 'lynis' });
    const wanted = [
      testDocument('Hardening', { ...spec, controls: controls.filter(({ id }) => some.includes(id)) }),
    ];
    await t.cycle(wanted, async () => {
      const { findings } = await t.harness().plan(wanted);
      const said = findings.filter(({ readBack }) => readBack === true).map(({ message }) => message);
      const [, after, before] =
        /gives the hardening index (\d+) after the last change, (\d+) before it$/.exec(said[1] ?? '') ?? said;
      expect(Number(after)).toBeGreaterThan(Number(before));
    });
    expect(await t.outside('ls /var/log/lynis* /var/lib/doaas/lynis 2>/dev/null || :')).toBe('');
  });

  it('tells what only a person can judge, as it is on the host', async () => {
    await t.outside(INTRUDED);
    const { findings } = await t.harness().plan(strict());
    const said = findings.filter(({ severity }) => severity === 'warning').map(({ message }) => message);
    for (const sentence of [
      /^only-root-is-root: found toor:/,
      /^unique-ids: found user id 0:/,
      /^no-empty-passwords: found toor:/,
      /^no-weak-hashes: found old:/,
      /^system-shells: found daemonic:/,
      /^homes-there: found lost:/,
      /^no-trust-files: found \/home\/old\/.rhosts:/,
      /^known-suid: found \/usr\/bin\/rootme:/,
      /^no-world-writable: found \/etc\/issue, \/etc\/open, \/etc\/open.d:/,
      /^no-unowned: found \/etc\/nobodys:/,
      /^ssh-host-keys: found \/etc\/ssh\/ssh_host_lab_key:/,
      /sets permitrootlogin within a Match block/,
    ])
      expect(said).toContainEqual(expect.stringMatching(sentence));
    const info = findings.map(({ message }) => message).join('\n');
    expect(info).toContain('because old can only log in with a password and would be shut out');
    expect(info).toMatch(/because .*deploy can only log in with a key, .*: password-max-age/);
    expect(info).toContain(
      'because packets are forwarded here for docker0: sysctl-ip-forward, sysctl-ip6-forward',
    );
  });

  it('leaves a service that is in use, asks apt nothing of it, and removes it once it is stopped', async () => {
    await t.outside(GET_RPCBIND);
    const { controls, ...spec } = resolvedHardening({ profile: 'baseline' });
    const own = controls.filter(({ id }) => id === 'no-rpcbind');
    const wanted = [testDocument('Hardening', { ...spec, controls: own })];
    const kept = await t.harness().plan(wanted);
    expect(kept.steps).toEqual([]);
    expect(kept.findings.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^no-rpcbind: rpcbind stays while rpcbind.service, rpcbind.socket runs:/),
    );
    await t.outside('systemctl disable --now rpcbind.service rpcbind.socket > /dev/null 2>&1');
    const { steps } = await t.harness().plan(wanted);
    expect(steps.map(({ id }) => id)).toEqual(['packages:remove:rpcbind']);
    await t.applied(wanted);
    expect((await t.harness().plan(wanted)).steps).toEqual([]);
  });

  it('refuses a file that sshd or sudo would not take, and changes nothing', async () => {
    const files = [
      ['/etc/ssh/sshd_config.d/00-doaas.conf', 'PermitRootLogin perhaps\n', 'sshd'],
      ['/etc/sudoers.d/00-doaas', 'Defaults use_pty, ,\nroot\n', 'sudo'],
    ] as const;
    await t.unchanged(async () => {
      const plan = await t.harness().plan(strict());
      for (const [path, text, reader] of files) {
        const step = plan.steps.find(({ id }) => id === `config:${path}`);
        if (step === undefined) throw new Error(`there is no step for ${path}`);
        const params = { ...step.params, text, reader };
        const result = await t.harness().applyPlan({ ...plan, steps: [{ ...step, params, dependsOn: [] }] });
        expect(result.end).toBe('failed');
        expect(result.output).toContain(`${reader} does not take it`);
        await t.undone(result.run);
      }
    });
  });
});

/** They bring Python and Perl, which takes as long as all the rest; `npm run -s bench -- hardening` has them. */
const HEAVY = ['fail2ban', 'fail2ban-sshd', 'fail2ban-runs', 'needrestart', 'apt-listchanges', 'debsums'];
/** All its tests: 36 s of a core for a whole audit, and 110 s for one that is told to skip all but a dozen (Lynis 3.0.8). */
const GET_LYNIS = 'apt-get install -y -qq --no-install-recommends lynis > /dev/null 2>&1';

const GET_RPCBIND = 'apt-get install -y -qq --no-install-recommends rpcbind > /dev/null 2>&1';

const WAIVER = { reason: 'takes too long', owner: '@tests', expires: '2999-12-31' };

/** Something of each sort that is not as it should be, with other modes and settings than Debian's. */
const OLD_HOST = `set -eu
chmod 0666 /etc/issue; chmod 0755 /root
printf 'Welcome to Debian\\n' > /etc/issue.net
useradd -m -s /bin/bash kate; chmod 0777 /home/kate
printf 'deny = 99\\neven_deny_root\\n' >> /etc/security/faillock.conf
`;

/** Each line is something that must be told. */
const INTRUDED = `set -eu
echo 'toor:x:0:0::/root:/bin/bash' >> /etc/passwd; echo 'toor::20000:0:99999:7:::' >> /etc/shadow
useradd -m -s /bin/bash old; usermod -p 'xy1ozVq8VxnGI' old; touch /home/old/.rhosts
useradd -r -s /bin/bash daemonic; useradd -M -s /bin/bash lost
cp /bin/true /usr/bin/rootme; chmod 4755 /usr/bin/rootme
touch /etc/open /etc/nobodys; mkdir /etc/open.d; chmod 0666 /etc/open; chmod 0777 /etc/open.d; chown 4242 /etc/nobodys
cp /etc/hostname /etc/ssh/ssh_host_lab_key; chmod 0644 /etc/ssh/ssh_host_lab_key
printf 'Match Address 192.0.2.1\\n  PermitRootLogin yes\\n' >> /etc/ssh/sshd_config
ip link add docker0 type bridge`;

const PROOF = `sshd -T | grep -E '^(permitrootlogin|maxauthtries|x11forwarding|allowtcpforwarding|maxsessions|subsystem) '
grep -c pam_faillock /etc/pam.d/common-auth; visudo -c -q && echo sudoers; grep -c '^even_deny_root' /etc/security/faillock.conf || :
stat -c '%a %n' /home/kate /root /usr/bin/chfn
su -s /bin/sh nobody -c 'su -c id' 2>&1 < /dev/null | grep -c uid= || :`;

const PROVED = `maxauthtries 3
maxsessions 10
permitrootlogin without-password
x11forwarding no
allowtcpforwarding no
subsystem sftp /usr/lib/openssh/sftp-server
2
sudoers
0
750 /home/kate
700 /root
755 /usr/bin/chfn
0
`;
