import { expect, test } from 'vitest';
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
])('%j may be shown', (text) => {
  expect(looksPrivate(text)).toBe(false);
});

test('is told in time that no text makes long', { timeout: 2_000 }, () => {
  expect(looksPrivate('-eyJaaaaaaaaaaaa'.repeat(12_500))).toBe(false);
});
