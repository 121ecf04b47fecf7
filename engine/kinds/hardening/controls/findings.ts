import type { SurveyFinding } from '../../../facts/survey.ts';
import type { Control, Wants } from '../control.ts';
import type { Head } from './define.ts';

function found(
  [id, profile, severity]: Head,
  nothing: readonly [SurveyFinding, ...SurveyFinding[]],
  [title, why, source, advice]: readonly [string, string, string, string],
  except: readonly string[] = [],
): Control {
  const wants: Wants = { kind: 'survey', nothing, advice, ...(except.length > 0 ? { except } : {}) };
  return { kind: 'control', id, group: 'accounts', title, why, severity, source, profile, wants };
}

/** What Debian and Ubuntu install with set-user-ID or set-group-ID; others are to be looked at. */
const KNOWN_SUID: readonly string[] = [
  ...[
    'at',
    'bsd-write',
    'chage',
    'chfn',
    'chsh',
    'crontab',
    'dotlockfile',
    'expiry',
    'fusermount',
    'fusermount3',
  ],
  ...[
    'gpasswd',
    'mount',
    'newgidmap',
    'newgrp',
    'newuidmap',
    'ntfs-3g',
    'passwd',
    'pkexec',
    'ping',
    'ssh-agent',
  ],
  ...['su', 'sudo', 'umount', 'wall', 'write'],
]
  .map((name) => `/usr/bin/${name}`)
  .concat(
    [
      'unix_chkpwd',
      'pam-tmpdir-helper',
      'pam_extrausers_chkpwd',
      'mount.nfs',
      'mount.cifs',
      'exim4',
      'postdrop',
      'postqueue',
    ].map((name) => `/usr/sbin/${name}`),
  )
  .concat(
    [
      'dbus-1.0/dbus-daemon-launch-helper',
      'openssh/ssh-keysign',
      'polkit-1/polkit-agent-helper-1',
      'snapd/snap-confine',
    ].map((name) => `/usr/lib/${name}`),
  )
  .concat([
    '/usr/lib/x86_64-linux-gnu/utempter/utempter',
    '/usr/lib/aarch64-linux-gnu/utempter/utempter',
    '/usr/libexec/camel-lock-helper-1.2',
    // Debian 13 has it there, Debian 12 in /usr/sbin.
    '/usr/libexec/pam-tmpdir/pam-tmpdir-helper',
  ]);

export const findingControls: readonly Control[] = [
  found(
    ['only-root-is-root', 'baseline', 'critical'],
    ['uid0'],
    [
      'Only root has the user id 0',
      'Another name with all rights is what intruders leave.',
      'CIS 5.4.2.1',
      'remove these accounts or give them another id',
    ],
  ),
  found(
    ['root-group', 'baseline', 'medium'],
    ['root-group'],
    ['root belongs to the group 0', 'Files of root would be for others.', 'CIS 5.4.2.2', 'usermod -g 0 root'],
  ),
  found(
    ['no-empty-passwords', 'baseline', 'critical'],
    ['empty'],
    [
      'No account has an empty password',
      'Everybody could take it.',
      'CIS 7.2.2',
      'passwd -l NAME, or set a password',
    ],
  ),
  found(
    ['no-weak-hashes', 'baseline', 'high'],
    ['weak'],
    [
      'No password is kept as MD5 or DES',
      'They are guessed in hours.',
      'Lynis AUTH-9229',
      'have these passwords set anew',
    ],
  ),
  found(
    ['shadowed-passwords', 'baseline', 'critical'],
    ['unshadowed'],
    ['No password stands in /etc/passwd', 'Everybody can read it there.', 'CIS 7.2.1', 'pwconv'],
  ),
  found(
    ['shadow-group-empty', 'baseline', 'high'],
    ['shadow-group'],
    [
      'Nobody is a member of the group shadow',
      'Members read all password hashes.',
      'CIS 7.2.4',
      'gpasswd -d NAME shadow',
    ],
  ),
  found(
    ['unique-ids', 'baseline', 'high'],
    ['twice'],
    [
      'No two accounts or groups are the same',
      'One has the files of the other.',
      'CIS 7.2.5-7.2.8',
      'give each an id and a name of its own',
    ],
  ),
  found(
    ['no-legacy-entries', 'baseline', 'high'],
    ['legacy'],
    [
      'No entries of NIS',
      'A line that begins with + lets another server make accounts.',
      'CIS 7.2.3',
      'remove the lines that begin with +',
    ],
  ),
  found(
    ['system-shells', 'baseline', 'medium'],
    ['shell'],
    [
      'Accounts of services have no shell',
      'Nobody logs in as a service.',
      'CIS 5.4.2.7',
      'usermod -s /usr/sbin/nologin NAME',
    ],
  ),
  found(
    ['homes-there', 'baseline', 'low'],
    ['homeless'],
    [
      'Every user has a home folder',
      'Logins would land in /, or somebody could make the folder.',
      'CIS 7.2.9',
      'make the folder, or remove the account',
    ],
  ),
  found(
    ['no-trust-files', 'baseline', 'high'],
    ['leftover'],
    [
      'No .rhosts, .netrc or .forward in home folders',
      'They let others in, hold passwords, or send mail away.',
      'CIS 7.2.10',
      'remove these files',
    ],
  ),
  found(
    ['root-path', 'baseline', 'high'],
    ['path'],
    [
      "root's PATH has no current folder",
      'A file of somebody else would run instead of a command.',
      'CIS 5.4.2.5',
      'take . and empty parts out of PATH',
    ],
  ),
  found(
    ['known-suid', 'baseline', 'high'],
    ['suid'],
    [
      'Only known programs have set-user-ID',
      'Each is a way to more rights, and intruders leave one.',
      'CIS 7.1.13, dev-sec os-06',
      'look where they come from; take the bit away (chmod u-s,g-s), or waive this',
    ],
    KNOWN_SUID,
  ),
  found(
    ['no-world-writable', 'baseline', 'high'],
    ['writable'],
    [
      'Nothing in system folders can be written by everybody',
      'Anybody could change what root runs or reads.',
      'CIS 7.1.11',
      'chmod o-w',
    ],
  ),
  found(
    ['no-unowned', 'baseline', 'medium'],
    ['unowned'],
    [
      'Everything in system folders belongs to somebody',
      'The next account with that id would have it.',
      'CIS 7.1.12',
      'chown, or remove it',
    ],
  ),
  found(
    ['ssh-host-keys', 'baseline', 'critical'],
    ['host-key'],
    [
      'Private host keys are for root only',
      'Who has them can pretend to be this server.',
      'CIS 5.1.2',
      'chmod 600, and make new keys where others could read them',
    ],
  ),
];
