import { expect, test } from 'vitest';
import { soon } from '../../test/cpuMs.ts';
import { looksPrivate } from './privateText.ts';

test.each([
  '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n',
  '-----BEGIN RSA PRIVATE KEY-----',
  'x\n-----BEGIN PRIVATE KEY-----',
  '-----BEGIN PGP PRIVATE KEY BLOCK-----',
  'PuTTY-User-Key-File-3: ssh-ed25519',
  'AGE-SECRET-KEY-1QYQ',
  `token ghp_${'a'.repeat(36)}`,
  'aws AKIAIOSFODNN7EXAMPLE',
  'root:$6$rounds=5000$abcdefgh$xyz:1::',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc',
  'db_password = "hunter22"',
  'password: correct horse',
  'API_KEY=abcd1234',
  '{"client": {"secret": "abcd1234"}}',
  'DATABASE_URL=postgres://app:S3cr3t@db/app',
  'redis://:S3cr3t@cache:6379/0',
  'requirepass hunter2hunter2',
  'machine x login y password S3cr3tlong',
  '//registry.example/:_authToken=abcd1234',
  '_auth = YWJjOmRlZg==',
  'Authorization: Bearer abcd',
  'proxy_set_header Authorization "Basic YWJjOmRlZg==";',
  'curl -H "X: Bearer abcdefgh12345678"',
])('%j is not for a repository', (text) => {
  expect(looksPrivate(text)).toBe(true);
});

test.each([
  'welcome\n',
  'PasswordAuthentication no\nPermitRootLogin no\n',
  '-----BEGIN CERTIFICATE-----',
  'ssh-ed25519 AAAAC3Nz user@host',
  'password =\n',
  'echo "$1" "$2"; cost $5 a day',
  'tokens are counted: yes',
  'password requisite pam_pwquality.so retry=3',
  'password\t[success=1 default=ignore] pam_unix.so',
  'proxy=http://proxy:3128/ mail@example.org',
  'ssh://git@example.org:22/a https://[2001:db8::1]:8443/a@b',
  'PermitRootLogin prohibit-password\nUsePAM yes',
  'the bearer of this letter',
])('%j may be shown', (text) => {
  expect(looksPrivate(text)).toBe(false);
});

test.each([
  '-eyJaaaaaaaaaaaa'.repeat(12_500),
  `password${' '.repeat(200_000)}`,
  'password a   '.repeat(17_000),
  `authorization${' '.repeat(200_000)}`,
  'authorization:       '.repeat(10_000),
  '://'.repeat(70_000),
  `://${'a'.repeat(100_000)}:${':'.repeat(100_000)}`,
  '://a:b:'.repeat(30_000),
  'bearer aaaaaaa '.repeat(14_000),
  '_auth"   _auth_token   '.repeat(9_000),
])(
  'is told in time that no text makes long: %#',
  soon((text) => {
    expect(looksPrivate(text)).toBe(false);
  }),
);
