import type { Control, Judge } from '../control.ts';
import { control, setting } from './define.ts';

/** As pam-auth-update(8) wants them: the notice stands before pam_unix, the count behind it. root is not counted. */
const FAILLOCK = {
  'doaas-faillock': `Name: Lock an account for a while after wrong passwords (DOaaS)
Default: yes
Priority: 0
Auth-Type: Primary
Auth:
	[default=die]	pam_faillock.so authfail
`,
  'doaas-faillock-notify': `Name: Refuse accounts that are locked for a while (DOaaS)
Default: yes
Priority: 1024
Auth-Type: Primary
Auth:
	requisite	pam_faillock.so preauth
Account-Type: Primary
Account:
	required	pam_faillock.so
`,
};

/** pwquality.conf(5): it is read after all files of the folder. `enforce_for_root` has no value, so nothing takes it back. */
const quality = (judge: Judge, ...lines: readonly string[]) =>
  ({
    kind: 'lines',
    file: 'pwquality',
    lines,
    later: { path: '/etc/security/pwquality.conf', judge },
  }) as const;

export const pamControls: readonly Control[] = [
  control(
    'pam',
    ['faillock', 'strict', 'medium'],
    { kind: 'pam', profiles: FAILLOCK },
    [
      'Wrong passwords lock an account for a while',
      'Passwords cannot be guessed at the console, by sudo or su.',
      'CIS 5.3.2.2',
    ],
    { breaks: ['accounts whose passwords others guess'] },
  ),
  control(
    'pam',
    ['faillock-deny', 'strict', 'medium'],
    setting('faillock.conf', 'deny', '$value', 'at-most'),
    ['After five of them', 'Few enough to stop guessing, enough for people.', 'CIS 5.3.3.1.1'],
    { range: { value: 5, min: 3, max: 10 } },
  ),
  control(
    'pam',
    ['faillock-unlock', 'strict', 'low'],
    setting('faillock.conf', 'unlock_time', '$value', 'at-least'),
    [
      'For a quarter of an hour, not for ever',
      'Long enough to make guessing useless; nobody has to be asked for help.',
      'CIS 5.3.3.1.2',
    ],
    { range: { value: 900, min: 300, max: 3600 } },
  ),
  control('pam', ['faillock-root', 'baseline', 'high'], setting('faillock.conf', 'even_deny_root', null), [
    'root is never locked that way',
    "Robots that guess root's password would keep the last way in shut for its owner.",
    'pam_faillock(8)',
  ]),
  control(
    'pam',
    ['pwquality', 'strict', 'medium'],
    { kind: 'package', names: ['libpam-pwquality'], state: 'present' },
    [
      'New passwords are looked at',
      'People take words and names.',
      'CIS 5.3.1.3, dev-sec os-05, Lynis AUTH-9262',
    ],
  ),
  control(
    'pam',
    ['pwquality-length', 'strict', 'medium'],
    quality('at-least', 'minlen = $value'),
    ['They are long', 'Length is what makes guessing long.', 'CIS 5.3.3.2.2'],
    { range: { value: 14, min: 8, max: 64 } },
  ),
  control('pam', ['pwquality-classes', 'strict', 'low'], quality('at-least', 'minclass = 3'), [
    'They have letters, digits or signs of three sorts',
    'Words alone are guessed first.',
    'CIS 5.3.3.2.3',
  ]),
  control(
    'pam',
    ['pwquality-repeat', 'strict', 'low'],
    quality('at-most', 'maxrepeat = 3', 'maxsequence = 3'),
    ['They are no repetitions', 'aaaa and 1234 are guessed first.', 'CIS 5.3.3.2.4'],
  ),
  control(
    'pam',
    ['pwquality-dictionary', 'strict', 'low'],
    quality('equal', 'dictcheck = 1', 'usercheck = 1'),
    [
      'They are no words of a dictionary, nor the name of the user',
      'Those are guessed first.',
      'CIS 5.3.3.2.6',
    ],
  ),
  control(
    'pam',
    ['pwquality-root', 'strict', 'low'],
    { kind: 'lines', file: 'pwquality', lines: ['enforce_for_root'] },
    [
      'Also for passwords that root sets',
      'The first password of an account is often the last.',
      'CIS 5.3.3.2.8',
    ],
  ),
  control(
    'pam',
    ['tmpdir', 'strict', 'low'],
    { kind: 'package', names: ['libpam-tmpdir'], state: 'present' },
    [
      'Each login has a folder of its own for temporary files',
      'Nobody else can put links or files in the way.',
      'Lynis DEB-0280',
    ],
    { breaks: ['programs that exchange files by $TMPDIR'] },
  ),
  control(
    'pam',
    ['su-members', 'strict', 'medium'],
    setting('pam-su', 'pam_wheel', 'sudo'),
    [
      'Only members of sudo become somebody else with su',
      "An account that was broken into does not guess root's password. Services that call su run as root and are not asked.",
      'CIS 5.2.7',
    ],
    { breaks: ['su by accounts outside the group sudo'] },
  ),
];
