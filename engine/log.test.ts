import { expect, test } from 'vitest';
import { soon } from '../test/cpuMs.ts';
import { createLogger, redact } from './log.ts';

function logged(write: (log: ReturnType<typeof createLogger>) => void): string {
  const out: string[] = [];
  write(createLogger('debug', { write: (line) => void out.push(line) }));
  return out.join('');
}

const TOKEN = 'ghs_16C7e42F292c6912E7710c838347Ae178B4a';

test.each([
  ['token in text', `clone with ${TOKEN} failed`],
  ['token in a URL', `https://x-access-token:${TOKEN}@github.com/a/b`],
  ['password in a URL', `postgres://doaas:${TOKEN}@db/doaas`],
  ['bearer', `Authorization: Bearer ${TOKEN}`],
  ['key', `-----BEGIN RSA PRIVATE KEY-----\n${TOKEN}\n-----END RSA PRIVATE KEY-----`],
  ['signature', `got sha256=${'ab12'.repeat(16)}`],
])('redacts a %s', (_, text) => {
  const out = redact(text);
  expect(out).toContain('[redacted]');
  expect(out).not.toContain(TOKEN);
  expect(out).not.toContain('ab12ab12');
});

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0NTYifQ.c2lnbmF0dXJl-b2YtR2l0SHVi_x';

test.each([
  ['installation token with a JSON web token', `ghs_123456_${JWT}`],
  ['one whose parts are short', 'ghs_1234567890123456.ab-cd.Zq-9'],
  ['fine-grained personal token', `github_pat_11ABCDEFG0${'aB3_'.repeat(15)}`],
])('redacts a whole %s', (_, token) => {
  expect(redact(`with ${token} and`)).toBe('with [redacted] and');
});

test('leaves commit ids and digests readable', () => {
  const text = `plan ${'7f3a'.repeat(16)} of head ${'91c2'.repeat(10)}`;
  expect(redact(text)).toBe(text);
});

test(
  'redacts in time that no text makes long',
  soon(() => {
    const text = '-eyJaaaaaaaaaaaa'.repeat(12_500);
    expect(redact(text)).toBe(text);
  }),
);

test('redacts properties, headers and errors of any depth that we log', () => {
  const cause = Object.assign(new Error(`refused ${TOKEN}`), {
    request: { headers: { authorization: 'token abc' } },
  });
  const out = logged((log) => {
    log.info(
      {
        token: 'plain-1',
        request: { headers: { authorization: 'plain-2', 'x-hub-signature-256': 'plain-3' } },
      },
      'm',
    );
    log.error({ err: new Error('outer', { cause }) }, 'failed');
  });
  expect(out).not.toMatch(/plain-\d|token abc/);
  expect(out).not.toContain(TOKEN);
  expect(out).toContain('"message":"outer"');
  expect(JSON.parse(out.split('\n')[0] ?? '')).toMatchObject({ level: 'info', msg: 'm' });
});
