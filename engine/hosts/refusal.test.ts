import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import { afterEach, expect, test } from 'vitest';
import { sh } from '../shell/sh.ts';
import { runScript } from './run.ts';
import type { HostTarget } from './target.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server of the same protocol whose commands say this and end; OpenSSH may close the channel before it tells the exit code. */
async function serverThatSays(stderr: string, exit: number | undefined | 'cut'): Promise<ssh2.Client> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const hostKeys = [privateKey.export({ type: 'pkcs1', format: 'pem' }) as string];
  const server = new ssh2.Server({ hostKeys }, (connection) => {
    connection.on('error', () => undefined);
    connection.on('authentication', (login) => login.accept());
    connection.on('session', (accept) =>
      accept().on('exec', (acceptExec) => {
        const channel = acceptExec();
        channel.stderr.write(stderr);
        if (exit === 'cut') return void connection.end();
        if (exit !== undefined) channel.exit(exit);
        channel.end();
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new ssh2.Client();
  client.connect({ host: '127.0.0.1', port, username: 'deploy', password: 'x' });
  await once(client, 'ready');
  closing.push(() => {
    client.end();
    server.close();
  });
  return client;
}

const target: HostTarget = {
  name: 'web-1',
  address: '127.0.0.1',
  port: 22,
  user: 'deploy',
  hostKeys: [],
  become: 'sudo',
  site: 'default',
};

test.each([1, undefined])('sudo that refuses is told so, with exit code %s', async (exit) => {
  const client = await serverThatSays('sudo: a password is required\n', exit);
  const running = runScript(client, target, sh`true`, { timeoutSeconds: 10 });
  await expect(running).rejects.toMatchObject({
    type: 'sudo-refused',
    message: expect.stringContaining('without a password (sudo: a password is required)'),
  });
});

test.each([1, undefined])(
  'a login shell that lets nobody in is not taken for sudo, with exit code %s',
  async (exit) => {
    const client = await serverThatSays('', exit);
    const running = runScript(client, target, sh`true`, { timeoutSeconds: 10 });
    await expect(running).rejects.toMatchObject({
      type: 'shell-unusable',
      message: expect.stringMatching(
        /gives no shell to deploy\. Give the user a login shell such as \/bin\/sh/,
      ),
    });
  },
);

test('a connection that is cut before the shell answered and said nothing is a lost one', async () => {
  const client = await serverThatSays('', 'cut');
  const running = runScript(client, target, sh`true`, { timeoutSeconds: 10 });
  await expect(running).rejects.toMatchObject({ type: 'connection-lost' });
});
