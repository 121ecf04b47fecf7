import type { Control, Profile } from '../control.ts';
import { control, lines } from './define.ts';

const services: readonly Control[] = [
  control(
    'services',
    ['fail2ban', 'strict', 'medium'],
    { kind: 'package', names: ['fail2ban', 'python3-systemd', 'nftables'], state: 'present' },
    [
      'Who guesses passwords is shut out for a while',
      'Guessing costs time and fills the log. Only failed logins count, and only of the address that they came from.',
      'Lynis DEB-0880',
    ],
    { breaks: ['clients that try many keys'] },
  ),
  control(
    'services',
    ['fail2ban-sshd', 'strict', 'medium'],
    lines(
      'fail2ban',
      '[DEFAULT]',
      'backend = systemd',
      'banaction = nftables',
      'banaction_allports = nftables[type=allports]',
      '[sshd]',
      'enabled = true',
      'port = $ssh-port',
      'maxretry = $value',
      'findtime = 10m',
      'bantime = 10m',
    ),
    ['fail2ban watches sshd', 'It reads the journal, since Debian 12 writes no auth.log.', 'Lynis DEB-0880'],
    // fewer, and the engine could be shut out by its own tries: REFUSED_LOGINS_MAX in engine/hosts/refusedLogins.ts
    { range: { value: 5, min: 5, max: 20 } },
  ),
  control(
    'services',
    ['fail2ban-runs', 'strict', 'medium'],
    { kind: 'unit', unit: 'fail2ban.service', running: true, package: 'fail2ban' },
    [
      'fail2ban runs',
      'As Debian 12 installs it, it does not: it looks for a log that is not there.',
      'Lynis DEB-0880',
    ],
  ),
  control(
    'audit',
    ['auditd-runs', 'strict', 'medium'],
    { kind: 'unit', unit: 'auditd.service', running: true, package: 'auditd' },
    ['auditd runs', 'What nobody writes down cannot be looked up.', 'CIS 6.2.1.2'],
    { applies: 'own-kernel' },
  ),
  control(
    'cron',
    ['cron-allow', 'strict', 'low'],
    lines('cron.allow', 'root'),
    [
      'Only root has jobs with cron',
      'An intruder stays by a job of the account that was broken into.',
      'CIS 2.4.1.8',
    ],
    { applies: 'cron', breaks: ['crontab of users'] },
  ),
  control(
    'cron',
    ['at-allow', 'strict', 'low'],
    lines('at.allow', 'root'),
    [
      'Only root has jobs with at',
      'An intruder stays by a job of the account that was broken into.',
      'CIS 2.4.2.1',
    ],
    { applies: 'at', breaks: ['at by users'] },
  ),
  control(
    'services',
    ['no-debug-shell', 'baseline', 'critical'],
    { kind: 'unit', unit: 'debug-shell.service', running: false },
    [
      'No shell of root on a console',
      'systemd has one for debugging, without a password.',
      'systemd-debug-generator(8)',
    ],
  ),
  control(
    'time',
    ['time-sync', 'baseline', 'medium'],
    {
      kind: 'unit',
      unit: 'systemd-timesyncd.service',
      running: true,
      unless: ['chrony.service', 'ntpsec.service', 'ntp.service', 'openntpd.service'],
    },
    [
      'The clock is right',
      'Logs of two servers can be compared, and certificates end when they should.',
      'CIS 2.3.1.1',
    ],
    { applies: 'own-kernel' },
  ),
  control(
    'audit',
    ['apparmor', 'baseline', 'high'],
    { kind: 'package', names: ['apparmor'], state: 'present' },
    [
      'AppArmor is installed',
      'A service that was broken into reaches only what its profile allows.',
      'CIS 1.3.1.1',
    ],
    { applies: 'apparmor' },
  ),
  control(
    'audit',
    ['apparmor-loads', 'baseline', 'high'],
    { kind: 'unit', unit: 'apparmor.service', running: true, package: 'apparmor' },
    [
      'Its profiles are loaded at boot',
      'A service that was broken into reaches only what its profile allows.',
      'CIS 1.3.1.3',
    ],
    { applies: 'apparmor' },
  ),
];

function mount(
  path: string,
  profile: Profile,
  source: string,
  options: readonly string[],
  breaks: readonly string[] = [],
): Control {
  const id = `mount${path.replaceAll('/', '-')}`;
  return control(
    'mounts',
    [id, profile, 'medium'],
    { kind: 'mount', path, options },
    [
      `${path} is mounted with ${options.join(', ')}`,
      'Whoever can write there brings no program with other rights, no device, and runs none where noexec is said.',
      source,
    ],
    breaks.length > 0 ? { breaks } : {},
  );
}

const mounts: readonly Control[] = [
  mount('/tmp', 'baseline', 'CIS 1.1.2.1, Lynis FILE-6374', ['nodev', 'nosuid']),
  mount('/dev/shm', 'baseline', 'CIS 1.1.2.2, Lynis FILE-6374', ['nodev', 'nosuid']),
  mount('/home', 'baseline', 'CIS 1.1.2.3', ['nodev', 'nosuid']),
  mount('/var/tmp', 'baseline', 'CIS 1.1.2.5', ['nodev', 'nosuid']),
  mount('/var/log', 'baseline', 'CIS 1.1.2.6', ['nodev', 'nosuid', 'noexec']),
  mount('/var/log/audit', 'baseline', 'CIS 1.1.2.7', ['nodev', 'nosuid', 'noexec']),
];

export const serviceControls: readonly Control[] = [...services, ...mounts];
