import type { Control } from '../control.ts';
import { control, lines } from './define.ts';

const LEGAL = [
  'This system is private. Access and use are for authorised persons only.',
  'All activity may be logged, monitored and reported. Unauthorised access is prohibited and may be prosecuted by law.',
];

const NOTICE =
  'It says nothing of the system, and some law asks that who breaks in was told that it is not allowed.';

export const logControls: readonly Control[] = [
  control('banner', ['banner-issue', 'strict', 'low'], lines('issue', ...LEGAL), [
    'A notice at the console',
    NOTICE,
    'CIS 1.6.2, Lynis BANN-7126',
  ]),
  control('banner', ['banner-issue-net', 'strict', 'low'], lines('issue.net', ...LEGAL), [
    'A notice for logins over the network',
    NOTICE,
    'CIS 1.6.3, Lynis BANN-7130',
  ]),
  control('banner', ['banner-motd', 'strict', 'low'], lines('motd', ...LEGAL), [
    'A notice after login',
    NOTICE,
    'CIS 1.6.1',
  ]),
  control(
    'kernel',
    ['core-limits', 'baseline', 'medium'],
    lines('limits', '* hard core 0', '* soft core 0'),
    [
      'Programs leave no core dumps',
      'They hold keys and passwords.',
      'CIS 1.5.3, dev-sec os-05, Lynis KRNL-5820',
    ],
    { breaks: ['looking for the cause of crashes'] },
  ),
  control(
    'kernel',
    ['core-storage', 'baseline', 'medium'],
    lines('coredump', '[Coredump]', 'Storage=none', 'ProcessSizeMax=0'),
    ['systemd keeps no core dumps', 'They hold keys and passwords.', 'CIS 1.5.3, Lynis KRNL-5820'],
    { breaks: ['looking for the cause of crashes'] },
  ),
  control('kernel', ['core-units', 'strict', 'low'], lines('systemd', '[Manager]', 'DumpCore=no'), [
    'Nor does it let itself be dumped',
    'It knows the environment of all services. It counts from the next boot on.',
    'systemd-system.conf(5)',
  ]),
  control('kernel', ['core-shell', 'strict', 'low'], lines('profile', 'ulimit -c 0'), [
    'Nor do programs that a shell starts',
    'They hold keys and passwords.',
    'Lynis KRNL-5820',
  ]),
  control(
    'audit',
    ['journal-persistent', 'baseline', 'medium'],
    lines('journald', '[Journal]', 'Storage=persistent', 'Compress=yes'),
    ['The journal outlives a reboot', 'The first thing an intruder would want gone.', 'CIS 6.1.2.4'],
  ),
];
