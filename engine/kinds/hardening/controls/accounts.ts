import type { Control } from '../control.ts';
import { control, setting } from './define.ts';

const passwords: readonly Control[] = [
  control(
    'accounts',
    ['password-hash', 'baseline', 'high'],
    setting('login.defs', 'ENCRYPT_METHOD', 'YESCRYPT'),
    [
      'New passwords are kept as yescrypt',
      'Guessing stolen hashes costs memory as well as time.',
      'CIS 5.4.1.4',
    ],
  ),
  control(
    'accounts',
    ['password-hash-rounds', 'strict', 'low'],
    setting('login.defs', 'SHA_CRYPT_MIN_ROUNDS', '65536', 'at-least'),
    [
      'Where SHA-512 is used, it is used many times',
      'Tools that ask for SHA-512 by name would use 5000 rounds.',
      'Lynis AUTH-9230, dev-sec os-05',
    ],
  ),
  control(
    'accounts',
    ['password-max-age', 'strict', 'low'],
    setting('login.defs', 'PASS_MAX_DAYS', '$value', 'at-most'),
    [
      'Passwords of new accounts end after a time',
      'A stolen one is of use only as long. It does nothing for accounts that live by a key: they would be shut out.',
      'CIS 5.4.1.1, dev-sec os-05',
    ],
    {
      range: { value: 365, min: 30, max: 730 },
      applies: 'nobody-by-key-alone',
      breaks: ['logins of accounts that nobody renews'],
    },
  ),
  control(
    'accounts',
    ['password-min-age', 'strict', 'low'],
    setting('login.defs', 'PASS_MIN_DAYS', '1', 'at-least'),
    [
      'A new password stays for a day',
      'Nobody changes it a few times to have the old one again.',
      'CIS 5.4.1.2, dev-sec os-05',
    ],
  ),
  control(
    'accounts',
    ['password-warning', 'baseline', 'low'],
    setting('login.defs', 'PASS_WARN_AGE', '7', 'at-least'),
    [
      'Who must change a password is told a week before',
      'Otherwise people are shut out without notice.',
      'CIS 5.4.1.3',
    ],
  ),
  control(
    'accounts',
    ['umask-login', 'strict', 'medium'],
    setting('login.defs', 'UMASK', '027'),
    [
      'New files are not for everybody',
      'What a user makes could be read by each other account and service.',
      'CIS 5.4.3.3, dev-sec os-05, Lynis AUTH-9328',
    ],
    { breaks: ['services that read what users make'] },
  ),
  control(
    'accounts',
    ['login-retries', 'baseline', 'low'],
    setting('login.defs', 'LOGIN_RETRIES', '5', 'at-most'),
    ['Few tries at the console', 'Guessing takes longer.', 'dev-sec os-05'],
  ),
  control(
    'accounts',
    ['login-timeout', 'baseline', 'low'],
    setting('login.defs', 'LOGIN_TIMEOUT', '60', 'at-most'),
    ['A login at the console ends after a minute', 'It would wait for ever for a password.', 'dev-sec os-05'],
  ),
  control(
    'accounts',
    ['login-log-unknown', 'baseline', 'low'],
    setting('login.defs', 'LOG_UNKFAIL_ENAB', 'no'),
    ['Unknown names are not logged', 'People type their password there.', 'login.defs(5)'],
  ),
  control('accounts', ['home-mode', 'baseline', 'low'], setting('login.defs', 'HOME_MODE', '0750'), [
    'New home folders are not for everybody',
    "Keys and history in them are nobody else's business.",
    'CIS 7.2.9, Lynis HOME-9304',
  ]),
  control(
    'accounts',
    ['home-folders', 'strict', 'medium'],
    { kind: 'homes' },
    [
      'Home folders cannot be looked into by others',
      "Keys and history in them are nobody else's business.",
      'CIS 7.2.9, Lynis HOME-9304',
    ],
    { breaks: ['web servers that serve from home folders'] },
  ),
  control(
    'accounts',
    ['umask-shell', 'strict', 'medium'],
    { kind: 'lines', file: 'profile', lines: ['umask 027'] },
    [
      'Files made in a shell are not for everybody',
      'What a user makes could be read by each other account and service.',
      'CIS 5.4.3.3, Lynis AUTH-9328',
    ],
    { breaks: ['services that read what users make'] },
  ),
  control(
    'accounts',
    ['shell-timeout', 'strict', 'low'],
    {
      kind: 'lines',
      file: 'profile',
      lines: ['if [ -z "$TMOUT" ]; then', '  TMOUT=$value', '  readonly TMOUT', '  export TMOUT', 'fi'],
    },
    [
      'A shell that nobody uses ends',
      'Somebody else could go on at the keyboard.',
      'CIS 5.4.3.2, Lynis SHLL-6220',
    ],
    {
      range: { value: 900, min: 300, max: 86400 },
      breaks: ['long work in a shell without input, outside screen or tmux'],
    },
  ),
];

const sudo: readonly Control[] = [
  control(
    'sudo',
    ['sudo-pty', 'baseline', 'medium'],
    { kind: 'lines', file: 'sudo', lines: ['Defaults use_pty'] },
    [
      'sudo runs commands in a terminal of their own',
      'A command could otherwise type into the terminal of who called it, after it ended.',
      'CIS 5.2.2',
    ],
    { applies: 'sudo' },
  ),
  control(
    'sudo',
    ['sudo-log', 'strict', 'low'],
    {
      kind: 'lines',
      file: 'sudo',
      lines: ['Defaults logfile="/var/log/sudo.log"'],
    },
    ['sudo keeps a log of its own', 'Who did what as root is found in one place.', 'CIS 5.2.3'],
    { applies: 'sudo' },
  ),
  control(
    'sudo',
    ['sudo-log-rotated', 'strict', 'low'],
    {
      kind: 'lines',
      file: 'logrotate',
      lines: [
        '/var/log/sudo.log {',
        '  weekly',
        '  maxsize 10M',
        '  rotate 12',
        '  compress',
        '  missingok',
        '  notifempty',
        '}',
      ],
    },
    [
      "sudo's own log is rotated",
      'Debian rotates what it knows; this file would fill the disk.',
      'logrotate(8)',
    ],
    { applies: 'sudo' },
  ),
  control(
    'sudo',
    ['sudo-timeout', 'strict', 'low'],
    {
      kind: 'lines',
      file: 'sudo',
      lines: ['Defaults timestamp_timeout=$value'],
    },
    ['sudo asks again after a time', 'Somebody else could go on at the keyboard.', 'CIS 5.2.6'],
    { range: { value: 15, min: 0, max: 15 }, applies: 'sudo' },
  ),
];

export const accountControls: readonly Control[] = [...passwords, ...sudo];
