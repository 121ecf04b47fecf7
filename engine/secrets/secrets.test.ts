import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startVault, type TestVault } from '../../test/secrets/vault.ts';
import type { SecretRef, SecretUse } from '../spec/secrets.ts';
import { encryptAge, newAgeKey } from './age.ts';
import { derivedKey } from './fingerprintKey.ts';
import { createSecrets, type SecretPlaces } from './secrets.ts';

const KEY = Buffer.alloc(32, 7);
const NAME = '‹secret x›';

function use(ref: SecretRef): readonly SecretUse[] {
  return [{ name: 'x', placeholder: NAME, ref }];
}

describe('secrets', () => {
  let folder = '';
  let vault: TestVault;
  let places: SecretPlaces;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'doaas-secrets-'));
    vault = await startVault();
    const environment = {
      DOAAS_SECRET_DB: 'hunter2-env',
      GITHUB_APP_PRIVATE_KEY: 'canary',
      DOAAS_SECRET_EMPTY: '',
    };
    const access = { address: vault.address, token: vault.token };
    places = { environment, folder, ageKeys: [], vault: access, fingerprintKey: KEY };
  });
  afterAll(async () => {
    await vault?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const read = async (
    ref: SecretRef,
    more: Partial<SecretPlaces> = {},
    content?: string,
  ): Promise<string> => {
    const bytes = content === undefined ? undefined : Buffer.from(content);
    const unsealing = createSecrets({ ...places, ...more }).open(async () => bytes);
    return Buffer.from((await unsealing.unseal(Buffer.from(NAME), use(ref))).bytes).toString();
  };
  const failure = async (...args: Parameters<typeof read>): Promise<string> =>
    read(...args).then(
      () => 'no error',
      (error: Error & { type?: string }) => `${error.type}: ${error.message}`,
    );

  describe('from the environment', () => {
    test('is one with the prefix', async () => {
      expect(await read({ from: 'env', name: 'DB' })).toBe('hunter2-env');
      expect(await failure({ from: 'env', name: 'NONE' })).toBe(
        'secret-unreadable: the environment variable DOAAS_SECRET_NONE is not set for the engine',
      );
      expect(await failure({ from: 'env', name: 'EMPTY' })).toMatch(/is empty/);
    });

    test("is none of the engine's own", async () => {
      for (const name of ['GITHUB_APP_PRIVATE_KEY', '../GITHUB_APP_PRIVATE_KEY', '__proto__'])
        expect(await failure({ from: 'env', name })).toMatch(/is not set for the engine/);
    });
  });

  describe('from a file', () => {
    test('is its content without the newline at its end', async () => {
      await mkdir(join(folder, 'app'), { mode: 0o700 });
      await writeFile(join(folder, 'app/key'), 'line 1\nline 2\n', { mode: 0o600 });
      expect(await read({ from: 'file', path: 'app/key' })).toBe('line 1\nline 2');
    });

    test('never goes through links, out of its folder, or to what others can read or write', async () => {
      await writeFile(join(folder, 'plain'), 'x', { mode: 0o600 });
      await symlink(join(folder, 'plain'), join(folder, 'link'));
      await mkdir(join(folder, 'real'), { mode: 0o700 });
      await writeFile(join(folder, 'real/a'), 'x', { mode: 0o600 });
      await symlink(join(folder, 'real'), join(folder, 'linked'));
      await writeFile(join(folder, 'open'), 'hunter2', { mode: 0o600 });
      await chmod(join(folder, 'open'), 0o640);
      await mkdir(join(folder, 'loose'));
      await chmod(join(folder, 'loose'), 0o777);
      await writeFile(join(folder, 'loose/a'), 'x', { mode: 0o600 });
      await writeFile(join(folder, 'binary'), Buffer.from([0xff, 0xfe]), { mode: 0o600 });
      await writeFile(join(folder, 'nul'), 'a\0b', { mode: 0o600 });
      await writeFile(join(folder, 'large'), 'x'.repeat(64 * 1024 + 1), { mode: 0o600 });
      const said = async (path: string) => failure({ from: 'file', path });
      expect(await said('link')).toMatch(/cannot be read \(ELOOP\)/);
      expect(await said('linked/a')).toMatch(/links are not followed/);
      expect(await said('../etc/shadow')).toMatch(/a name that is not allowed/);
      expect(await said('real/../plain')).toMatch(/a name that is not allowed/);
      expect(await said('open')).toMatch(/can be read by others.*chmod 600/);
      expect(await said('loose/a')).toMatch(/others than the engine's user can write to/);
      expect(await said('real')).toMatch(/is not a plain file/);
      expect(await said('binary')).toMatch(/is not UTF-8/);
      expect(await said('nul')).toMatch(/NUL/);
      expect(await said('large')).toMatch(/larger than the 64 KiB/);
      expect(await said('none')).toMatch(/ENOENT/);
      expect(await failure({ from: 'file', path: 'a' }, { folder: undefined })).toMatch(
        /needs DOAAS_SECRETS_DIR/,
      );
    });
  });

  describe('from age', () => {
    const ref: SecretRef = { from: 'age', path: 'secrets/app.age', key: 'db', sha256: 'f'.repeat(64) };

    test('is decrypted with the current or the previous key, YAML or JSON', async () => {
      const [old, current] = [await newAgeKey(), await newAgeKey()];
      const yaml = await encryptAge('db: "hunter2"\nother: x\n', [old.recipient]);
      expect(await read(ref, { ageKeys: [current.identity, old.identity] }, yaml)).toBe('hunter2');
      const json = await encryptAge('{"db": "a\\nb"}', [current.recipient]);
      expect(await read(ref, { ageKeys: [current.identity] }, json)).toBe('a\nb');
    });

    test('says what is wrong without what is in it', async () => {
      const [mine, foreign] = [await newAgeKey(), await newAgeKey()];
      const keys = { ageKeys: [mine.identity] };
      const sealed = (text: string) => encryptAge(text, [mine.recipient]);
      const said = [
        await failure(ref, keys, await encryptAge('db: hunter2', [foreign.recipient])),
        await failure(ref, keys, 'age-encryption.org/v1\nhunter2'),
        await failure(ref, {}, await sealed('db: hunter2')),
        await failure(ref, { ageKeys: ['AGE-SECRET-KEY-1HUNTER2'] }, await sealed('db: hunter2')),
        await failure(ref, keys, await sealed('other: hunter2')),
        await failure(ref, keys, await sealed('db: [hunter2')),
        await failure(ref, keys, await sealed('- hunter2')),
        await failure(ref, keys, await sealed('db: {hunter2: 1}')),
        await failure(ref, keys),
      ];
      expect(said.join('\n')).not.toMatch(/hunter2|AGE-SECRET-KEY-1[A-Z0-9]/i);
      expect(said).toEqual([
        expect.stringMatching(/cannot be decrypted with DOAAS_AGE_KEY/),
        expect.stringMatching(/cannot be decrypted with DOAAS_AGE_KEY/),
        expect.stringMatching(/DOAAS_AGE_KEY is not set/),
        expect.stringMatching(/is not a key of age/),
        expect.stringMatching(/secrets\/app.age has no "db"/),
        expect.stringMatching(/does not hold valid YAML/),
        expect.stringMatching(/does not hold a map/),
        expect.stringMatching(/db is not text/),
        expect.stringMatching(/is not in the store; plan again/),
      ]);
    });
  });

  describe('from Vault', () => {
    const ref: SecretRef = { from: 'vault', path: 'secret/data/app', key: 'db' };

    test('is read once for a piece of work', async () => {
      vault.entries.set('secret/data/app', { db: 'hunter2-vault', n: 1 });
      const before = vault.calls();
      const unsealing = createSecrets(places).open(async () => undefined);
      for (const _ of [1, 2]) await unsealing.unseal(Buffer.from(NAME), use(ref));
      expect(vault.calls() - before).toBe(1);
    });

    test('says what is wrong, without the token or an answer', async () => {
      vault.entries.set('secret/data/gone', null);
      const access = { address: vault.address, token: 'canary-wrong-token' };
      const said = [
        await failure({ ...ref, key: 'none' }),
        await failure({ ...ref, key: 'n' }),
        await failure({ ...ref, path: 'secret/data/none' }),
        await failure({ ...ref, path: 'secret/data/gone' }),
        await failure(ref, { vault: access }),
        await failure(ref, { vault: { ...access, address: 'http://127.0.0.1:1' } }),
        await failure(ref, { vault: undefined }),
      ];
      vault.failWith(302);
      said.push(await failure(ref));
      vault.failWith(503);
      said.push(await failure(ref));
      vault.failWith(undefined);
      expect(said.join('\n')).not.toMatch(/hunter2|canary|permission denied|on purpose/);
      expect(said).toEqual([
        expect.stringMatching(/has no "none"/),
        expect.stringMatching(/"n" is not text/),
        expect.stringMatching(/Vault has nothing at secret\/data\/none/),
        expect.stringMatching(/Vault has nothing at secret\/data\/gone/),
        expect.stringMatching(/VAULT_TOKEN may not read it/),
        expect.stringMatching(/VAULT_ADDR does not answer/),
        expect.stringMatching(/needs VAULT_ADDR and VAULT_TOKEN/),
        expect.stringMatching(/it answered 302/),
        expect.stringMatching(/it answered 503/),
      ]);
    });
  });

  describe('from a Vault whose answer does not come to its end', () => {
    const ref: SecretRef = { from: 'vault', path: 'secret/data/app', key: 'db' };

    test.each([
      ['cut', /^Vault secret\/data\/app cannot be read: its answer was cut short \(UND_ERR_SOCKET\)$/],
      ['stall', /^Vault secret\/data\/app cannot be read: its answer was cut short \(TimeoutError\)$/],
    ] as const)('%s passes, and is tried again', async (how, words) => {
      vault.entries.set('secret/data/app', { db: 'hunter2-vault' });
      vault.breakBody(how);
      const before = vault.calls();
      const access = { address: vault.address, token: vault.token, callMs: 300 };
      const unsealing = createSecrets({ ...places, vault: access }).open(async () => undefined);
      const error = await unsealing.learn(use(ref)).catch((thrown: unknown) => thrown);
      vault.breakBody(undefined);
      expect(error).toMatchObject({ type: 'secret-unreadable', passing: true });
      expect(error).toHaveProperty('message', expect.stringMatching(words));
      expect(vault.calls() - before).toBe(3);
    });
  });

  describe('unsealing', () => {
    const env: SecretRef = { from: 'env', name: 'DB' };
    const open = (environment: Readonly<Record<string, string>>, key: Uint8Array = KEY) =>
      createSecrets({ ...places, environment, fingerprintKey: key }).open(async () => undefined);

    test('fills a value in as it is, also one that reads like a placeholder', async () => {
      const uses = [
        { name: 'a', placeholder: '‹secret a›', ref: { from: 'env', name: 'A' } },
        { name: 'b', placeholder: '‹secret b›', ref: { from: 'env', name: 'B' } },
      ] as const;
      const unsealing = open({ DOAAS_SECRET_A: '$& ‹secret b›', DOAAS_SECRET_B: 'two' });
      const { bytes } = await unsealing.unseal(Buffer.from('<‹secret a›|‹secret b›|‹secret a›>'), uses);
      expect(Buffer.from(bytes).toString()).toBe('<$& ‹secret b›|two|$& ‹secret b›>');
    });

    test('gives a fingerprint that tells values, places and keys apart, and is no plain hash', async () => {
      const of = async (value: string, ref: SecretRef = env, key: Uint8Array = KEY) =>
        await open({ DOAAS_SECRET_DB: value, DOAAS_SECRET_OTHER: value }, key).unseal(
          Buffer.from(NAME),
          use(ref),
        );
      const first = await of('one');
      expect((await of('one')).fingerprint).toBe(first.fingerprint);
      const others = [
        await of('two'),
        await of('one', { from: 'env', name: 'OTHER' }),
        await of('one', env, derivedKey('a')),
      ];
      for (const other of others) expect(other.fingerprint).not.toBe(first.fingerprint);
      expect(others[1]?.sha256).toBe(first.sha256);
      expect(first.fingerprint).not.toBe(first.sha256);
    });

    test('is bounded', async () => {
      const unsealing = open({ DOAAS_SECRET_DB: 'x'.repeat(60_000) });
      await expect(unsealing.unseal(Buffer.from(NAME.repeat(20)), use(env))).rejects.toThrow(
        /larger than 1024 KiB/,
      );
    });

    test('masks what a host has put on one line, and what begins with half a character', async () => {
      const value = 'one\ttwo\nthré-tail-end';
      const unsealing = open({ DOAAS_SECRET_DB: value });
      await unsealing.learn(use(env));
      const cut = Buffer.from(value).subarray(Buffer.from(value).indexOf('é') + 1);
      for (const text of ['it has one two thré-tail-end', `${cut.toString()} is wrong`])
        expect(unsealing.mask(text)).not.toMatch(/two|tail/);
    });

    test('masks what it has read in what others say, whole, encoded and cut', async () => {
      const value = 'p"ss-word-é-123456';
      const unsealing = open({ DOAAS_SECRET_DB: value });
      await unsealing.learn(use(env));
      const texts = [
        value,
        JSON.stringify({ value }),
        encodeURIComponent(value),
        Buffer.from(value).toString('hex'),
        ...['', 'a', 'ab'].map((before) => Buffer.from(`${before}${value} and more`).toString('base64')),
        `bad value ${value.slice(0, 9)}...", 3 tries in 1 s`,
        `bad value ${value.slice(0, 9)}`,
        `${value.slice(-9)} is bad`,
      ];
      for (const text of texts) {
        const masked = unsealing.mask(`${text}`);
        expect(masked).toContain(NAME);
        expect(masked).not.toMatch(/ss-w|word|12345/);
      }
      expect(unsealing.mask('nothing to hide...')).toBe('nothing to hide...');
    });
  });
});
