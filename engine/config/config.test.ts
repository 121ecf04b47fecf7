import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, loadConfig, loadLocalConfig } from './config.ts';
import { configurationDocument } from './document.ts';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

const complete = {
  GITHUB_APP_ID: '42',
  GITHUB_APP_PRIVATE_KEY: privateKey,
  GITHUB_WEBHOOK_SECRET: 'an-adequate-secret-of-length',
};

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    loadConfig({ ...complete, ...env });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('loadConfig', () => {
  test('fills in the defaults and freezes', () => {
    const config = loadConfig(complete);
    expect(config.port).toBe(8080);
    expect(config.host).toBe('127.0.0.1');
    expect(config.dataDir).toBe(resolve('.doaas'));
    expect(config.githubApiUrl).toBe('https://api.github.com');
    expect(config.temporalAddress).toBeUndefined();
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('names every missing setting at once, with what to do', () => {
    expect(() => loadConfig({ GITHUB_WEBHOOK_SECRET: '' })).toThrow(
      /3 of its settings must be corrected:\n {2}- GITHUB_APP_ID is missing\. Set GITHUB_APP_ID\. .*\n {2}- GITHUB_APP_PRIVATE_KEY is missing\. Set GITHUB_APP_PRIVATE_KEY or GITHUB_APP_PRIVATE_KEY_FILE\..*\n {2}- GITHUB_WEBHOOK_SECRET is empty\./,
    );
  });

  test.each([
    [{ DOAAS_PORT: '80a' }, /^DOAAS_PORT is "80a": expected a whole number from 0 to 65535\./],
    [{ DOAAS_ROLE: 'boss' }, /^DOAAS_ROLE is "boss": expected one of all, receiver, worker, site\./],
    [{ DOAAS_ROLE: 'worker' }, /^DOAAS_ROLE is "worker" without DATABASE_URL\. Receivers and workers meet/],
    [
      { DOAAS_ROLE: 'site', DATABASE_URL: 'postgres://u@h/d', TEMPORAL_ADDRESS: 'temporal:7233' },
      /^DOAAS_ROLE is "site" without DOAAS_SITES\. Name the sites/,
    ],
    [
      { DOAAS_ROLE: 'site', DATABASE_URL: 'postgres://u@h/d', DOAAS_SITES: 'berlin' },
      /^DOAAS_ROLE is "site" without TEMPORAL_ADDRESS\. It takes its work/,
    ],
    [
      { DOAAS_SITES: 'default,Berlin' },
      /^DOAAS_SITES is "default,Berlin": expected names of sites.*"Berlin" is none/,
    ],
    [{ GITHUB_API_URL: 'github' }, /^GITHUB_API_URL is "github": expected a URL/],
    [{ GITHUB_API_URL: 'https://me:pw@host' }, /must not contain a user or password/],
    [{ TEMPORAL_ADDRESS: 'http://x' }, /^TEMPORAL_ADDRESS is "http:\/\/x": expected HOST:PORT/],
    [{ DOAAS_ENCRYPTION_KEY: 'c2hvcnQ=' }, /^DOAAS_ENCRYPTION_KEY: expected 32 bytes in base64/],
    [
      { DOAAS_ENCRYPTION_ACCEPT_PLAIN: 'yes' },
      /^DOAAS_ENCRYPTION_ACCEPT_PLAIN is "yes" without DOAAS_ENCRYPTION_KEY, so nothing is encrypted/,
    ],
    [{ GITHUB_WEBHOOK_SECRET: 'short' }, /^GITHUB_WEBHOOK_SECRET: expected at least 16 characters/],
    [{ GITHUB_APP_PRIVATE_KEY: 'nonsense' }, /^GITHUB_APP_PRIVATE_KEY: expected the PEM text/],
    [{ TEMPORAL_TLS_CERT: '/c' }, /TEMPORAL_TLS_CERT and TEMPORAL_TLS_KEY belong together/],
    [{ GITHUB_APP_PRIVATE_KEY_FILE: '/k' }, /is set twice/],
  ])('%j is one problem that says what is expected', (env, expected) => {
    const problems = problemsOf(env);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(expected);
  });

  test('a problem never shows the secret', () => {
    expect(problemsOf({ GITHUB_WEBHOOK_SECRET: 'hunter2' }).join()).not.toContain('hunter2');
  });

  test('secrets print as [secret] and give their value only when asked', () => {
    const config = loadConfig(complete);
    expect(JSON.stringify(config)).not.toContain('adequate');
    expect(`${config.webhookSecret}`).toBe('[secret]');
    expect(config.webhookSecret.reveal()).toBe('an-adequate-secret-of-length');
  });

  test('a secret may come from a file; an unreadable one is named', () => {
    const env = { ...complete, GITHUB_WEBHOOK_SECRET: undefined, GITHUB_WEBHOOK_SECRET_FILE: '/run/s' };
    const config = loadConfig(env, () => 'secret-from-a-file-16\n');
    expect(config.webhookSecret.reveal()).toBe('secret-from-a-file-16');
    expect(problemsOf(env).join()).toMatch(
      /the file that GITHUB_WEBHOOK_SECRET_FILE names cannot be read: \/run\/s \(ENOENT\)/,
    );
  });

  test('a key written with \\n in one line is accepted', () => {
    const config = loadConfig({ ...complete, GITHUB_APP_PRIVATE_KEY: privateKey.replaceAll('\n', '\\n') });
    expect(config.githubPrivateKey.reveal()).toContain('\n');
  });
});

test.each([
  ['203.0.113.5', true],
  [' 203.0.113.5 , 10.0.0.0/8,2001:db8::/32 ', true],
  ['engine.example.org', false],
  ['10.0.0.0/33', false],
  ['10.0.0.0/8/8', false],
  ['10.0.0.1,', false],
])('addresses that certificates count from: %j', (text, good) => {
  const read = () => loadLocalConfig({ DOAAS_SSH_CERTIFICATE_SOURCES: text }).sshCertificateSources;
  if (good) expect(read()).toEqual(text.split(',').map((each) => each.trim()));
  else expect(read).toThrow(/expected addresses such as/);
});

test('the command line needs no GitHub App, but rejects wrong settings', () => {
  expect(loadLocalConfig({}).githubAppId).toBeUndefined();
  expect(() => loadLocalConfig({ DOAAS_HOST_OUTAGE_SECONDS: '0' })).toThrow(
    /DOAAS_HOST_OUTAGE_SECONDS is "0"/,
  );
});

test('docs/configuration.md is fresh (npx tsx engine/config/write-document.ts)', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  expect(page).toBe(configurationDocument());
});
