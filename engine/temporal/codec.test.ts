import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { expect, test } from 'vitest';
import { secret } from '../config/secret.ts';
import { encryptionCodec } from './codec.ts';

const key = () => secret(randomBytes(32).toString('base64'));
const payload = () => defaultPayloadConverter.toPayload({ digest: 'nobody should read this' });

async function encoded(codec = encryptionCodec({ current: key() })): Promise<Payload> {
  const [out] = await codec.encode([payload()]);
  if (out === undefined) throw new Error('no payload');
  return out;
}

test('what is encoded is read back and cannot be read without the key', async () => {
  const codec = encryptionCodec({ current: key() });
  const out = await encoded(codec);
  expect(Buffer.from(out.data ?? []).toString('latin1')).not.toContain('nobody');
  const [back] = await codec.decode([out]);
  expect(back && defaultPayloadConverter.fromPayload(back)).toEqual({ digest: 'nobody should read this' });
});

test('the same payload looks different every time', async () => {
  const codec = encryptionCodec({ current: key() });
  expect(await encoded(codec)).not.toEqual(await encoded(codec));
});

test('after a rotation what the previous key wrote is still read', async () => {
  const [old, current] = [key(), key()];
  const out = await encoded(encryptionCodec({ current: old }));
  const [back] = await encryptionCodec({ current, previous: old }).decode([out]);
  expect(back && defaultPayloadConverter.fromPayload(back)).toEqual({ digest: 'nobody should read this' });
});

test('an unknown key is named, with what to do', async () => {
  const out = await encoded();
  await expect(encryptionCodec({ current: key() }).decode([out])).rejects.toThrow(
    /key [0-9a-f]{16}, which is not configured\. Set DOAAS_ENCRYPTION_KEY_PREVIOUS/,
  );
});

test.each(['first', 'middle', 'last'])('a payload whose %s byte was altered is refused', async (which) => {
  const codec = encryptionCodec({ current: key() });
  const out = await encoded(codec);
  const data = Buffer.from(out.data ?? []);
  const at = which === 'first' ? 0 : which === 'last' ? data.length - 1 : data.length >> 1;
  data.writeUInt8(data.readUInt8(at) ^ 1, at);
  await expect(codec.decode([{ ...out, data }])).rejects.toThrow(/was altered or is damaged/);
});

test('a payload that nobody encrypted is refused, unless it is to be taken while encryption is turned on', async () => {
  const current = key();
  const marked = { ...payload(), metadata: { encoding: Buffer.from('binary/encrypted ') } };
  for (const plain of [payload(), marked, {}])
    await expect(encryptionCodec({ current }).decode([plain])).rejects.toThrow('not encrypted');
  await expect(encryptionCodec({ current }).decode([payload()])).rejects.toThrow(
    /not encrypted, though DOAAS_ENCRYPTION_KEY is set, .* DOAAS_ENCRYPTION_ACCEPT_PLAIN=yes until/,
  );
  const codec = encryptionCodec({ current, acceptPlain: true });
  expect(await codec.decode([payload()])).toEqual([payload()]);
  const [out] = await codec.encode([payload()]);
  expect(out).not.toEqual(payload());
});

test('a payload that was cut is refused', async () => {
  const codec = encryptionCodec({ current: key() });
  const out = await encoded(codec);
  await expect(codec.decode([{ ...out, data: Buffer.alloc(5) }])).rejects.toThrow(/cut short/);
});
