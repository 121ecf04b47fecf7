import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { secret } from '../config/secret.ts';
import { createLogger } from '../log.ts';
import { connectionOptions, connectTemporal, dataConverter, type TemporalConfig } from './client.ts';

const config: TemporalConfig = {
  temporalNamespace: 'default',
  temporalApiKey: undefined,
  temporalTlsCa: undefined,
  temporalTlsCert: undefined,
  temporalTlsKey: undefined,
  temporalTlsServerName: undefined,
  encryptionKey: undefined,
  encryptionKeyPrevious: undefined,
  encryptionAcceptPlain: 'no',
};

/** A port that nothing listens on: taken and given back. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test('a server that is not there is said in words, after a bounded number of tries', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const lines: string[] = [];
  const log = createLogger('info', { write: (line) => void lines.push(line) });
  await expect(connectTemporal(config, address, log, 2)).rejects.toMatchObject({
    type: 'temporal-unavailable',
    message: expect.stringMatching(
      new RegExp(
        `^Temporal does not answer at ${address} after 2 tries .*correct TEMPORAL_ADDRESS, or unset it to use the embedded server\\.$`,
      ),
    ),
  });
  expect(lines.join('')).toContain('Temporal does not answer yet');
}, 20_000);

test('plain by default; a key, a CA or a name turns TLS on', async () => {
  expect(await connectionOptions(config, 'h:1')).toEqual({ address: 'h:1' });
  expect(await connectionOptions({ ...config, temporalApiKey: secret('k') }, 'h:1')).toEqual({
    address: 'h:1',
    tls: {},
    apiKey: 'k',
  });
  expect(await connectionOptions({ ...config, temporalTlsServerName: 'x' }, 'h:1')).toEqual({
    address: 'h:1',
    tls: { serverNameOverride: 'x' },
  });
});

test('a certificate that cannot be read is named', async () => {
  const broken = { ...config, temporalTlsCa: '/does/not/exist.pem' };
  await expect(connectionOptions(broken, 'h:1')).rejects.toThrow(
    'The file that TEMPORAL_TLS_CA names cannot be read: /does/not/exist.pem (ENOENT).',
  );
});

test('payloads are encrypted only when a key is set', () => {
  expect(dataConverter(config)).toBeUndefined();
  expect(
    dataConverter({ ...config, encryptionKey: secret(Buffer.alloc(32, 1).toString('base64')) })
      ?.payloadCodecs,
  ).toHaveLength(1);
});
