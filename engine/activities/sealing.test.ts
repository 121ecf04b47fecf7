import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createSecrets } from '../secrets/secrets.ts';
import type { Payload } from '../spec/configuration.ts';
import { maskFor } from './sealing.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const places = {
  environment: { DOAAS_SECRET_DB: 'hunter2-env' },
  folder: undefined,
  ageKeys: [],
  vault: undefined,
  fingerprintKey: Buffer.alloc(32, 7),
};
const TEXT = 'DB=‹secret db›\n';
const payload = (name: string): Payload => ({
  sha256: sha256(TEXT),
  size: Buffer.byteLength(TEXT),
  text: true,
  sealed: [{ name: 'db', placeholder: '‹secret db›', ref: { from: 'env', name } }],
});

test('what a server says is without secrets, and without the sha256 of what they stand in', async () => {
  const contentOf = async (hash: string) => (hash === sha256(TEXT) ? Buffer.from(TEXT) : undefined);
  const mask = await maskFor(createSecrets(places).open(contentOf), [payload('DB')], contentOf);
  expect(mask(`${sha256('DB=hunter2-env\n')}  /etc/app.env`)).toBe('‹secret db›  /etc/app.env');
  expect(mask('it is hunter2-env')).toBe('it is ‹secret db›');
});

test('a content that is not kept any more is no reason to show less, or more', async () => {
  const contentOf = async () => undefined;
  const mask = await maskFor(createSecrets(places).open(contentOf), [payload('DB')], contentOf);
  expect(mask('it is hunter2-env')).toBe('it is ‹secret db›');
});

test('nothing is shown of what a server says while a secret cannot be read', async () => {
  const contentOf = async () => Buffer.from(TEXT);
  const mask = await maskFor(createSecrets(places).open(contentOf), [payload('NONE')], contentOf);
  expect(mask('it is hunter2-env')).toMatch(/^\(withheld: /);
});
