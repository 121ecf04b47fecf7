import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { loadLocalConfig } from '../config/config.ts';
import { secretsFrom } from './fromConfig.ts';

const use = [{ name: 'x', placeholder: '‹secret x›', ref: { from: 'env', name: 'X' } }] as const;

/** Fingerprint by an engine with this setting, and how often it asked its store for a key. */
async function fingerprintWith(setting: string | undefined, own = randomBytes(32)) {
  const config = loadLocalConfig(setting === undefined ? {} : { DOAAS_FINGERPRINT_KEY: setting });
  let asked = 0;
  const secrets = await secretsFrom(config, { DOAAS_SECRET_X: 'hunter2' }, async () => {
    asked += 1;
    return own;
  });
  const { fingerprint } = await secrets.open(async () => undefined).unseal(Buffer.from('‹secret x›'), use);
  return { fingerprint, asked };
}

test('with DOAAS_FINGERPRINT_KEY the store is never asked for a key, so it makes and keeps none', async () => {
  const setting = randomBytes(32).toString('base64');
  const [one, two] = [await fingerprintWith(setting), await fingerprintWith(setting)];
  expect([one.asked, two.asked]).toEqual([0, 0]);
  expect(two.fingerprint).toBe(one.fingerprint);
  expect((await fingerprintWith(randomBytes(32).toString('base64'))).fingerprint).not.toBe(one.fingerprint);
});

test('without it the key is the one that the store keeps', async () => {
  const own = randomBytes(32);
  const [one, two] = [await fingerprintWith(undefined, own), await fingerprintWith(undefined, own)];
  expect([one.asked, two.asked]).toEqual([1, 1]);
  expect(two.fingerprint).toBe(one.fingerprint);
  expect((await fingerprintWith(undefined)).fingerprint).not.toBe(one.fingerprint);
});
