import type { Control } from '../control.ts';
import { control, lines } from './define.ts';

function rule(id: string, title: string, source: string, ...text: readonly string[]): Control {
  return control(
    'audit',
    [id, 'strict', 'low'],
    lines('audit', ...text),
    [title, 'After a break-in it tells who did what.', source],
    {
      applies: 'own-kernel',
    },
  );
}

export const auditControls: readonly Control[] = [
  control(
    'audit',
    ['auditd', 'strict', 'medium'],
    { kind: 'package', names: ['auditd'], state: 'present' },
    [
      'The kernel writes down what matters',
      'After a break-in it tells who did what.',
      'CIS 6.2.1.1, dev-sec package-08',
    ],
    { applies: 'own-kernel', breaks: ['some disk space below /var/log/audit'] },
  ),
  rule(
    'audit-identity',
    'Changes of accounts',
    'CIS 6.2.3.8',
    ...['passwd', 'group', 'shadow', 'gshadow'].map((f) => `-w /etc/${f} -p wa -k identity`),
  ),
  rule(
    'audit-sudoers',
    'Changes of who may become root',
    'CIS 6.2.3.1',
    '-w /etc/sudoers -p wa -k scope',
    '-w /etc/sudoers.d -p wa -k scope',
  ),
  rule(
    'audit-sshd',
    'Changes of the way in',
    'Lynis ACCT-9630',
    '-w /etc/ssh/sshd_config -p wa -k sshd',
    '-w /etc/ssh/sshd_config.d -p wa -k sshd',
  ),
  rule(
    'audit-logins',
    'Logins',
    'CIS 6.2.3.12',
    '-w /var/log/lastlog -p wa -k logins',
    '-w /run/faillock -p wa -k logins',
  ),
  rule(
    'audit-time',
    'Changes of the clock',
    'CIS 6.2.3.4',
    '-a always,exit -F arch=b64 -S adjtimex,settimeofday,clock_settime -k time',
    '-w /etc/localtime -p wa -k time',
  ),
  rule(
    'audit-modules',
    'Modules of the kernel',
    'CIS 6.2.3.19',
    '-a always,exit -F arch=b64 -S init_module,finit_module,delete_module -F auid>=1000 -F auid!=unset -k modules',
  ),
  rule(
    'audit-mounts',
    'Mounts by users',
    'CIS 6.2.3.10',
    '-a always,exit -F arch=b64 -S mount -F auid>=1000 -F auid!=unset -k mounts',
  ),
];
