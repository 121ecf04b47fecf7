import { expect, test } from 'vitest';
import { parseCgi, parseGitRequest } from './git-http.ts';
import { tokenOf } from './internal.ts';

test.each([
  ['/acme/infra.git/info/refs?service=git-upload-pack', 'infra', 'info/refs'],
  ['/acme/infra/git-receive-pack', 'infra', 'git-receive-pack'],
  ['/acme/infra.live.git/git-upload-pack', 'infra.live', 'git-upload-pack'],
])('%s is a request of git', (url, name, service) => {
  expect(parseGitRequest(url)).toMatchObject({ owner: 'acme', name, service });
});

test.each(['/repos/acme/infra', '/acme/infra.git/config', '/../etc/info/refs/x', '/acme/info/refs'])(
  '%s is none',
  (url) => {
    expect(parseGitRequest(url)).toBeUndefined();
  },
);

test('a CGI answer gives status, headers and exact bytes', () => {
  const body = Buffer.from([0, 13, 10, 13, 10, 255]);
  const output = Buffer.concat([Buffer.from('Status: 403 Forbidden\r\nContent-Type: x/y\r\n\r\n'), body]);
  expect(parseCgi(output)).toEqual({ status: 403, headers: { 'content-type': 'x/y' }, body });
  expect(parseCgi(Buffer.from('nothing')).status).toBe(500);
});

test.each([
  ['token abc', 'abc'],
  ['Bearer abc', 'abc'],
  [`Basic ${Buffer.from('x-access-token:abc').toString('base64')}`, 'abc'],
  [`Basic ${Buffer.from('abc:x-oauth-basic').toString('base64')}`, 'abc'],
])('%s carries a token', (header, token) => {
  expect(tokenOf(header)).toBe(token);
});
