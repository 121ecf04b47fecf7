import type { OwnFile, OwnFileName } from './control.ts';

/** Files that are all ours, by name. */
export const OWN_FILES: { readonly [Name in OwnFileName]: OwnFile } = {
  apt: {
    path: '/etc/apt/apt.conf.d/90doaas',
    mode: '0644',
    comment: '//',
    reader: 'none',
    shownBy: 'apt-config dump',
  },
  'at.allow': { path: '/etc/at.allow', mode: '0640', comment: null, reader: 'none' },
  audit: {
    path: '/etc/audit/rules.d/50-doaas.rules',
    mode: '0640',
    comment: '#',
    reader: 'none',
    notify: { unit: 'auditd.service', verb: 'restart' },
    package: 'auditd',
  },
  coredump: {
    path: '/etc/systemd/coredump.conf.d/doaas.conf',
    mode: '0644',
    comment: '#',
    reader: 'none',
    shownBy: 'systemd-analyze cat-config systemd/coredump.conf',
  },
  'cron.allow': { path: '/etc/cron.allow', mode: '0640', comment: null, reader: 'none' },
  fail2ban: {
    path: '/etc/fail2ban/jail.d/doaas.local',
    mode: '0644',
    comment: '#',
    reader: 'none',
    notify: { unit: 'fail2ban.service', verb: 'restart' },
    package: 'fail2ban',
  },
  issue: { path: '/etc/issue', mode: '0644', comment: null, reader: 'none' },
  'issue.net': { path: '/etc/issue.net', mode: '0644', comment: null, reader: 'none' },
  journald: {
    path: '/etc/systemd/journald.conf.d/doaas.conf',
    mode: '0644',
    comment: '#',
    reader: 'none',
    notify: { unit: 'systemd-journald.service', verb: 'restart' },
    shownBy: 'systemd-analyze cat-config systemd/journald.conf',
  },
  limits: { path: '/etc/security/limits.d/10-doaas.conf', mode: '0644', comment: '#', reader: 'none' },
  logrotate: { path: '/etc/logrotate.d/doaas', mode: '0644', comment: '#', reader: 'none' },
  systemd: {
    path: '/etc/systemd/system.conf.d/doaas.conf',
    mode: '0644',
    comment: '#',
    reader: 'none',
    shownBy: 'systemd-analyze cat-config systemd/system.conf',
  },
  modprobe: { path: '/etc/modprobe.d/doaas.conf', mode: '0644', comment: '#', reader: 'none' },
  motd: { path: '/etc/motd', mode: '0644', comment: null, reader: 'none' },
  profile: { path: '/etc/profile.d/doaas.sh', mode: '0644', comment: '#', reader: 'none' },
  pwquality: {
    path: '/etc/security/pwquality.conf.d/doaas.conf',
    mode: '0644',
    comment: '#',
    reader: 'none',
  },
  sudo: { path: '/etc/sudoers.d/00-doaas', mode: '0440', comment: '#', reader: 'sudo' },
};

/** sshd lets the first value win, and Debian's sshd_config reads this folder first, in the order of names. */
export const SSHD_FILE = '/etc/ssh/sshd_config.d/00-doaas.conf';

export const WRITTEN_BY = 'Written by DOaaS (Hardening). Change the document, not this file.';
