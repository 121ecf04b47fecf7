import type { Control, Severity, Wants } from '../control.ts';
import { control, lines, type Rest, type Words } from './define.ts';

/** Without a unit of their own, these are started by one of them. */
const INETD = [
  'inetd.service',
  'inetutils-inetd.service',
  'openbsd-inetd.service',
  'rlinetd.service',
  'xinetd.service',
];

/** What runs where the packages of a control are in use. Clients, and what only reports crashes, serve nobody. */
const UNITS: Readonly<Record<string, readonly string[]>> = {
  'no-telnet-server': INETD,
  'no-rsh-server': INETD,
  'no-nis': ['nis.service', 'ypbind.service', 'ypserv.service'],
  'no-talk': INETD,
  'no-tftp-server': [...INETD, 'atftpd.service', 'tftpd-hpa.service'],
  'no-ftp-server': [...INETD, 'proftpd.service', 'pure-ftpd.service', 'vsftpd.service'],
  'no-inetd': INETD,
  'no-avahi': ['avahi-daemon.service', 'avahi-daemon.socket'],
  'no-cups': ['cups.service', 'cups.socket'],
  'no-rpcbind': ['rpcbind.service', 'rpcbind.socket'],
  'no-autofs': ['autofs.service'],
  'no-snmp-server': ['snmpd.service'],
  'no-x-server': ['display-manager.service'],
};

function absent(
  id: string,
  [severity, what, source]: readonly [Severity, string, string],
  ...[first, ...more]: readonly [string, ...string[]]
): Control {
  const units = UNITS[id];
  const wants: Wants = {
    kind: 'package',
    names: [first, ...more],
    state: 'absent',
    ...(units === undefined ? {} : { units }),
  };
  const why = 'What is not there has no holes. A server that is meant to have it waives this.';
  return control('packages', [id, 'baseline', severity], wants, [`There is no ${what}`, why, source], {
    breaks: [what],
  });
}

function present(id: string, name: string, words: Words, rest: Rest = {}): Control {
  return control(
    'packages',
    [id, 'strict', 'low'],
    { kind: 'package', names: [name], state: 'present' },
    words,
    rest,
  );
}

const unneeded: readonly Control[] = [
  absent(
    'no-telnet-server',
    ['critical', 'telnet server', 'dev-sec package-02'],
    'telnetd',
    'inetutils-telnetd',
    'telnetd-ssl',
  ),
  absent('no-telnet', ['medium', 'telnet client', 'CIS 2.2.4'], 'telnet', 'inetutils-telnet', 'telnet-ssl'),
  absent(
    'no-rsh-server',
    ['critical', 'rsh server', 'dev-sec package-03'],
    'rsh-server',
    'rsh-redone-server',
  ),
  absent('no-rsh', ['medium', 'rsh client', 'CIS 2.2.2'], 'rsh-client', 'rsh-redone-client'),
  absent('no-nis', ['high', 'NIS', 'CIS 2.1.10, dev-sec package-05'], 'ypserv', 'nis'),
  absent('no-talk', ['low', 'talk', 'CIS 2.2.3'], 'talk', 'talkd', 'inetutils-talk', 'inetutils-talkd'),
  absent(
    'no-tftp-server',
    ['high', 'TFTP server', 'CIS 2.1.16, dev-sec package-06'],
    'tftpd',
    'tftpd-hpa',
    'atftpd',
  ),
  absent(
    'no-ftp-server',
    ['medium', 'FTP server', 'CIS 2.1.6'],
    'vsftpd',
    'proftpd-basic',
    'pure-ftpd',
    'ftpd',
  ),
  absent('no-ftp', ['low', 'FTP client', 'CIS 2.2.6'], 'ftp', 'tnftp', 'inetutils-ftp'),
  absent(
    'no-inetd',
    ['high', 'inetd', 'CIS 2.1.19, dev-sec package-01'],
    'xinetd',
    'inetutils-inetd',
    'openbsd-inetd',
    'rlinetd',
  ),
  absent('no-avahi', ['medium', 'Avahi', 'CIS 2.1.2'], 'avahi-daemon'),
  absent('no-cups', ['low', 'print server', 'CIS 2.1.11'], 'cups', 'cups-daemon'),
  absent('no-rpcbind', ['medium', 'rpcbind', 'CIS 2.1.12'], 'rpcbind'),
  absent('no-autofs', ['low', 'automounter', 'CIS 2.1.1'], 'autofs'),
  absent('no-snmp-server', ['medium', 'SNMP server', 'CIS 2.1.15'], 'snmpd'),
  absent('no-x-server', ['medium', 'X server', 'CIS 2.1.20'], 'xserver-xorg-core', 'xserver-common'),
  absent('no-prelink', ['low', 'prelink', 'CIS 1.5.4, dev-sec package-09'], 'prelink'),
  absent(
    'no-crash-reports',
    ['low', 'sender of crash reports', 'CIS 1.5.5'],
    'apport',
    'whoopsie',
    'popularity-contest',
  ),
];

const wanted: readonly Control[] = [
  present('debsums', 'debsums', [
    'Files of packages can be compared with what their makers shipped',
    'After a break-in it is what tells which programs were changed.',
    'Lynis PKGS-7370',
  ]),
  present('needrestart', 'needrestart', [
    'It is known which services still run old code',
    'A hole is closed when the service has been restarted, not when the package is new.',
    'Lynis DEB-0831',
  ]),
  present('apt-listchanges', 'apt-listchanges', [
    'Upgrades say what they change',
    'Who upgrades sees what needs their hand.',
    'Lynis DEB-0811',
  ]),
  present(
    'process-accounting',
    'acct',
    [
      'The kernel notes which commands ran',
      'After a break-in it tells what was done, also where no shell kept a history.',
      'Lynis ACCT-9622',
    ],
    { applies: 'own-kernel', breaks: ['some disk space below /var/log/account'] },
  ),
  control(
    'packages',
    ['apt-verified', 'baseline', 'critical'],
    lines(
      'apt',
      'APT::Get::AllowUnauthenticated "false";',
      'Acquire::AllowInsecureRepositories "false";',
      'Acquire::AllowDowngradeToInsecureRepositories "false";',
    ),
    [
      'Packages are signed',
      'Whoever is in the way could otherwise send programs that run as root.',
      'CIS 1.2.1.1',
    ],
    { breaks: ['repositories without a signature'] },
  ),
];

export const packageControls: readonly Control[] = [...unneeded, ...wanted];
