import { expect, test } from 'vitest';
import { nameInUrl } from './repositoryName.ts';

test.each([
  ['https://github.com/acme/infra.git', 'acme/infra'],
  ['https://user:token@github.com/acme/infra', 'acme/infra'],
  ['https://host.test:8443/acme/infra.git/', 'acme/infra'],
  ['git@github.com:acme/infra.git', 'acme/infra'],
  ['ssh://git@github.com:22/acme/my.infra', 'acme/my.infra'],
  ['/srv/git/infra.git', undefined],
  ['https://github.com/infra', undefined],
  ['', undefined],
])('%j is %j', (url, name) => {
  expect(nameInUrl(url)).toBe(name);
});
