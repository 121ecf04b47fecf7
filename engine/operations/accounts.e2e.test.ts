import { describe, expect, it } from 'vitest';
import type { ResolvedUser } from '../spec/configuration.ts';
import { useTestHost } from './testing/cycle.ts';

const KEY = `ssh-ed25519 ${'A'.repeat(68)} one@laptop`;
const OTHER_KEY = `ssh-ed25519 ${'B'.repeat(68)} two@laptop`;

function user(rest: Partial<Extract<ResolvedUser, { state: 'present' }>> = {}): ResolvedUser {
  return { state: 'present', system: false, ...rest };
}

/** Operations: group.set, group.remove, user.set, user.remove, authorized-keys.write */
describe('groups, users and their keys on a real host', () => {
  const t = useTestHost();
  const set = (script: string) => t.outside(`set -eu; ${script}`);

  it('makes groups and users with all attributes, and undoes it', async () => {
    // as Hardening has it for accounts that are made later
    await set("sed -i 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 365/' /etc/login.defs");
    await t.cycle(
      {
        groups: {
          crew: { state: 'present', gid: 4100, system: false },
          daemons: { state: 'present', system: true },
        },
        users: {
          anna: user({
            uid: 4200,
            group: 'crew',
            groups: ['daemons', 'adm'],
            shell: '/bin/bash',
            home: '/srv/people/anna',
            comment: "Anna O'Neil $(id)",
            authorizedKeys: [KEY],
          }),
          bert: user(),
          worker: user({ system: true, shell: '/usr/sbin/nologin' }),
        },
      },
      async () => {
        const passwd = await t.outside('getent passwd anna bert worker; id -nG anna; id -gn bert');
        expect(passwd).toContain("anna:x:4200:4100:Anna O'Neil $(id):/srv/people/anna:/bin/bash");
        expect(passwd).toMatch(/crew (adm daemons|daemons adm)\nbert\n$/);
        expect(passwd).toMatch(/worker:x:\d{3}:\d{3}:/);
        // no password, so none that ends
        expect(await t.outside('getent shadow anna bert worker | cut -d: -f1,2,5')).toBe(
          'anna:!:\nbert:!:\nworker:!:\n',
        );
        const homes = await t.outside(
          'cd /srv/people/anna; stat -c "%n %a %U %G" . .profile .ssh .ssh/authorized_keys; cat .ssh/authorized_keys; ls -d /home/*',
        );
        expect(homes).toBe(
          `. 700 anna crew\n.profile 644 anna crew\n.ssh 700 anna crew\n.ssh/authorized_keys 600 anna crew\n${KEY}\n/home/bert\n/home/deploy\n`,
        );
      },
    );
  });

  it('changes a user that was there, keeps what is not managed, and undoes it', async () => {
    await set(`useradd -m -G adm,video -c Old -s /bin/sh carl; groupadd later; usermod -aG later carl
useradd -m dora; gpasswd -a dora adm >/dev/null; mkdir -m 755 /home/carl/.ssh; echo '${KEY}' > /home/carl/.ssh/authorized_keys
chmod 640 /home/carl/.ssh/authorized_keys; chown -R carl:carl /home/carl/.ssh; setfattr -n user.note -v kept /home/carl/.ssh/authorized_keys 2>/dev/null || :`);
    await t.cycle(
      {
        users: {
          carl: user({
            comment: 'New',
            shell: '/bin/bash',
            groups: ['adm', 'audio'],
            authorizedKeys: [OTHER_KEY, KEY],
          }),
        },
      },
      async () => {
        expect(await t.outside('id -nG carl; getent passwd carl | cut -d: -f5-7')).toMatch(
          /^carl adm audio\nNew:\/home\/carl:\/bin\/bash\n$/,
        );
      },
    );
    await t.cycle({ users: { carl: user({ groups: [], authorizedKeys: [] }) } });
  });

  it('changes uid, primary group and gid with the files in the home folder, and undoes it', async () => {
    await set(
      'groupadd -g 4300 team; useradd -m -u 4301 -g team emma; echo x > /home/emma/x; chown emma:team /home/emma/x; ln -s /etc/shadow /home/emma/link',
    );
    const shadow = await t.outside('stat -c "%u %g" /etc/shadow');
    await t.cycle({ users: { emma: user({ uid: 4399, group: 'users' }) } }, async () => {
      expect(await t.outside('stat -c "%u %G" /home/emma/x; stat -c "%u %g" /etc/shadow')).toBe(
        `4399 users\n${shadow}`,
      );
    });
    await t.cycle({ groups: { team: { state: 'present', gid: 4398, system: false } } }, async () => {
      expect(await t.outside('id -g emma')).toBe('4398\n');
    });
  });

  it('removes users and groups from the middle of the files, leaves the home folder, and undoes it', async () => {
    await set(
      'groupadd fleet; useradd -m -G fleet,adm fred; useradd -m -G fleet gina; echo mine > /home/fred/letter',
    );
    await t.cycle({ users: { fred: { state: 'absent' } } }, async () => {
      expect(await t.outside('getent passwd fred || echo gone; cat /home/fred/letter')).toBe('gone\nmine\n');
    });
    await t.cycle({
      groups: { fleet: { state: 'absent' } },
      users: { fred: { state: 'absent' }, gina: user({ groups: ['adm'] }), hugo: user() },
    });
  });

  it('restores only its own lines where somebody else changed others meanwhile', async () => {
    const result = await t.applied({ users: { ines: user({ groups: ['adm'] }) } });
    await set('useradd -M -G adm jack; chsh -s /bin/bash gina');
    await t.undone(result.run);
    expect(
      await t.outside(
        'getent passwd ines || echo gone; id -nG jack; getent passwd gina | cut -d: -f7; getent group adm',
      ),
    ).toMatch(/^gone\njack adm\n\/bin\/bash\nadm:x:4:[a-z,]*jack[a-z,]*\n$/);
    expect(await t.outside('getent group adm; pwck -rq; grpck -r; echo checked')).not.toContain('ines');
  });

  it('keeps a home folder that got other files since', async () => {
    const result = await t.applied({ users: { kurt: user() } });
    await set('echo precious > /home/kurt/data; chown kurt /home/kurt/data');
    const undo = await t.undone(result.run);
    expect(await t.outside('getent passwd kurt || echo gone; cat /home/kurt/data')).toBe('gone\nprecious\n');
    expect(undo.events.find((event) => event.event === 'note')?.detail ?? '').toContain('/home/kurt stays');
    await set('rm -rf /home/kurt');
  });

  it('undoes a directory and files in the home folder that came with the user', async () => {
    const notify = { reload: [], restart: [] };
    await t.cycle({
      users: { lena: user({ authorizedKeys: [KEY] }) },
      directories: {
        '/home/lena': { state: 'directory', mode: '0755', owner: 'lena', group: 'lena', notify },
      },
      files: {
        '/home/lena/.profile': {
          state: 'file',
          mode: '0644',
          owner: 'lena',
          group: 'lena',
          notify,
          content: t.harness().payload('x\n'),
        },
        '/home/lena/new': {
          state: 'file',
          mode: '0600',
          owner: 'lena',
          group: 'lena',
          notify,
          content: t.harness().payload('y\n'),
        },
      },
    });
  });

  it('releases users, keys and groups that left the YAML', async () => {
    await set('groupadd -g 4500 olaf; useradd -m -g olaf -c Found -G adm olaf');
    await t.leaves({
      groups: {
        olaf: { state: 'present', gid: 4501, system: false },
        novel: { state: 'present', system: true },
      },
      users: {
        olaf: user({ comment: 'Managed', groups: ['novel', 'audio'], authorizedKeys: [KEY] }),
        petra: user({ group: 'novel', groups: ['olaf'], authorizedKeys: [KEY] }),
      },
    });
    await t.leaves({ users: { olaf: { state: 'absent' } } });
  });

  it('follows no link of a hostile user, and leaves the target alone', async () => {
    await set('useradd -m mallory; mkdir /root/trap; ln -s /root/trap /home/mallory/.ssh');
    const plan = await t.harness().plan({ users: { mallory: user({ authorizedKeys: [KEY] }) } });
    expect(plan.steps).toEqual([]);
    expect(plan.findings).toMatchObject([
      { severity: 'error', message: expect.stringContaining('symbolic link') },
    ]);
    await set(
      'rm /home/mallory/.ssh; install -d -o mallory -m 700 /home/mallory/.ssh; echo secret > /root/trap/f; chmod 600 /root/trap/f; ln -s /root/trap/f /home/mallory/.ssh/authorized_keys',
    );
    const second = await t.harness().plan({ users: { mallory: user({ authorizedKeys: [KEY] }) } });
    expect(second.steps).toEqual([]);
    expect(JSON.stringify(second)).not.toContain('secret');
    await set('rm /home/mallory/.ssh/authorized_keys');
    const good = await t.harness().plan({ users: { mallory: user({ authorizedKeys: [KEY] }) } });
    await set('rmdir /home/mallory/.ssh; ln -s /root/trap /home/mallory/.ssh');
    const result = await t.harness().applyPlan(good);
    expect(result.end).toBe('refused');
    expect(await t.outside('ls /root/trap; cat /root/trap/f')).toBe('f\nsecret\n');
  });

  it('refuses to remove the user it is logged in as, root, and a user with processes', async () => {
    await set(
      'useradd -M nick; setsid -f runuser -u nick -- sleep 1000 > /dev/null 2>&1 < /dev/null; until pgrep -u nick -x sleep; do sleep 0.05; done',
    );
    const plan = await t.harness().plan({ users: { root: { state: 'absent' }, nick: { state: 'absent' } } });
    expect(plan.steps).toEqual([]);
    expect(plan.findings.map((finding) => finding.message)).toEqual([
      'user root has the uid 0 and is never removed',
      'user nick cannot be removed while 1 processes run as nick; end its sessions and services first',
    ]);
    await set('kill $(pgrep -u nick)');
  });
});
