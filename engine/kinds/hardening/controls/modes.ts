import type { Control, Group, Profile, Severity } from '../control.ts';

type Head = readonly [id: string, profile: Profile, severity: Severity];

function mode(
  group: Group,
  [id, profile, severity]: Head,
  [path, most, ...groups]: readonly [string, string, ...string[]],
  why: string,
  source: string,
): Control {
  const [first = 'root', ...more] = groups;
  return {
    kind: 'control',
    id,
    group,
    title: `${path} has at most mode ${most}, of root`,
    why,
    severity,
    source,
    profile,
    wants: { kind: 'mode', path, most, groups: [first, ...more] },
    ...(group === 'cron' ? { applies: 'cron' as const } : {}),
  };
}

const NAMES = 'Who can write it can make accounts.';
const HASHES = 'It holds password hashes, which can be guessed at leisure.';
const JOBS = 'It says what runs as root; who can write it is root, and who can read it knows when.';

const modes: readonly Control[] = [
  mode(
    'files',
    ['mode-passwd', 'baseline', 'critical'],
    ['/etc/passwd', '0644'],
    NAMES,
    'CIS 7.1.1, dev-sec os-02',
  ),
  mode('files', ['mode-passwd-backup', 'baseline', 'medium'], ['/etc/passwd-', '0644'], NAMES, 'CIS 7.1.2'),
  mode('files', ['mode-group', 'baseline', 'critical'], ['/etc/group', '0644'], NAMES, 'CIS 7.1.3'),
  mode('files', ['mode-group-backup', 'baseline', 'medium'], ['/etc/group-', '0644'], NAMES, 'CIS 7.1.4'),
  mode(
    'files',
    ['mode-shadow', 'baseline', 'critical'],
    ['/etc/shadow', '0640', 'shadow', 'root'],
    HASHES,
    'CIS 7.1.5, dev-sec os-02',
  ),
  mode(
    'files',
    ['mode-shadow-backup', 'baseline', 'critical'],
    ['/etc/shadow-', '0640', 'shadow', 'root'],
    HASHES,
    'CIS 7.1.6',
  ),
  mode(
    'files',
    ['mode-gshadow', 'baseline', 'high'],
    ['/etc/gshadow', '0640', 'shadow', 'root'],
    HASHES,
    'CIS 7.1.7',
  ),
  mode(
    'files',
    ['mode-gshadow-backup', 'baseline', 'high'],
    ['/etc/gshadow-', '0640', 'shadow', 'root'],
    HASHES,
    'CIS 7.1.8',
  ),
  mode(
    'files',
    ['mode-shells', 'baseline', 'medium'],
    ['/etc/shells', '0644'],
    'It says which shells count as logins.',
    'CIS 7.1.9',
  ),
  mode(
    'files',
    ['mode-opasswd', 'baseline', 'high'],
    ['/etc/security/opasswd', '0600'],
    HASHES,
    'CIS 7.1.10',
  ),
  mode(
    'files',
    ['mode-root-home', 'baseline', 'high'],
    ['/root', '0700'],
    "Keys and history of root are nobody else's business.",
    'Lynis FILE-7524',
  ),
  mode(
    'files',
    ['mode-boot-config', 'baseline', 'medium'],
    ['/boot/grub/grub.cfg', '0600'],
    'It may hold a password, and says how the kernel is started.',
    'CIS 1.4.2',
  ),
  mode(
    'files',
    ['mode-private-keys', 'baseline', 'high'],
    ['/etc/ssl/private', '0710', 'ssl-cert', 'root'],
    'Private keys of services lie there.',
    'dev-sec linux-baseline',
  ),
  mode(
    'ssh',
    ['mode-sshd-config', 'baseline', 'medium'],
    ['/etc/ssh/sshd_config', '0600'],
    'It tells which ways in there are; who can write it opens more.',
    'CIS 5.1.1, dev-sec ssh-baseline, Lynis FILE-7524',
  ),
  mode(
    'ssh',
    ['mode-sshd-config-folder', 'baseline', 'medium'],
    ['/etc/ssh/sshd_config.d', '0755'],
    'Who can write there opens more ways in.',
    'CIS 5.1.1',
  ),
  mode(
    'sudo',
    ['mode-sudoers', 'baseline', 'critical'],
    ['/etc/sudoers', '0440'],
    'Who can write it is root.',
    'Lynis FILE-7524',
  ),
  mode(
    'sudo',
    ['mode-sudoers-folder', 'baseline', 'high'],
    ['/etc/sudoers.d', '0750'],
    'It tells who may do what, and who can write there is root.',
    'Lynis AUTH-9252',
  ),
  mode(
    'banner',
    ['mode-issue', 'baseline', 'low'],
    ['/etc/issue', '0644'],
    'Others could make the server say anything.',
    'CIS 1.6.5',
  ),
  mode(
    'banner',
    ['mode-issue-net', 'baseline', 'low'],
    ['/etc/issue.net', '0644'],
    'Others could make the server say anything.',
    'CIS 1.6.6',
  ),
  mode(
    'banner',
    ['mode-motd', 'baseline', 'low'],
    ['/etc/motd', '0644'],
    'Others could make the server say anything.',
    'CIS 1.6.4',
  ),
  mode(
    'cron',
    ['mode-crontab', 'baseline', 'high'],
    ['/etc/crontab', '0600'],
    JOBS,
    'CIS 2.4.1.2, dev-sec linux-baseline',
  ),
  mode(
    'cron',
    ['mode-cron-hourly', 'baseline', 'high'],
    ['/etc/cron.hourly', '0700'],
    JOBS,
    'CIS 2.4.1.3, dev-sec linux-baseline',
  ),
  mode(
    'cron',
    ['mode-cron-daily', 'baseline', 'high'],
    ['/etc/cron.daily', '0700'],
    JOBS,
    'CIS 2.4.1.4, dev-sec linux-baseline',
  ),
  mode(
    'cron',
    ['mode-cron-weekly', 'baseline', 'high'],
    ['/etc/cron.weekly', '0700'],
    JOBS,
    'CIS 2.4.1.5, dev-sec linux-baseline',
  ),
  mode(
    'cron',
    ['mode-cron-monthly', 'baseline', 'high'],
    ['/etc/cron.monthly', '0700'],
    JOBS,
    'CIS 2.4.1.6, dev-sec linux-baseline',
  ),
  mode(
    'cron',
    ['mode-cron-d', 'baseline', 'high'],
    ['/etc/cron.d', '0700'],
    JOBS,
    'CIS 2.4.1.7, dev-sec linux-baseline',
  ),
];

/** Not needed on a server, each with a way for root to do the same. dpkg sets the bit again when the package is upgraded: that is drift. */
function suid(name: string, why: string): Control {
  return {
    ...mode(
      'files',
      [`suid-${name}`, 'strict', 'low'],
      [`/usr/bin/${name}`, '0755'],
      why,
      'CIS 7.1.13, dev-sec os-06',
    ),
    title: `${name} runs with the rights of who calls it`,
    breaks: [`${name} by users`],
  };
}

const suids: readonly Control[] = [
  suid('chfn', 'Nobody on a server changes the room number of an account.'),
  suid('chsh', 'Shells of accounts are given by whoever makes them.'),
  suid('newgrp', 'Groups of an account are given by whoever makes it.'),
  suid('expiry', 'Ages of passwords are looked at when somebody logs in.'),
];

export const modeControls: readonly Control[] = [...modes, ...suids];
