import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import type { LabHost } from '../../lab/hosts.ts';

/** The least that any tool with this library needs: log in to all hosts at once, run one command, leave. */
export async function login(hosts: readonly LabHost[]): Promise<void> {
  const key = await readFile(hosts[0]?.privateKeyPath ?? '');
  await Promise.all(hosts.map((host) => loginTo(host, key)));
}

function loginTo(host: LabHost, privateKey: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.on('error', reject);
    client.on('ready', () =>
      client.exec('uname -n', (error, channel) => {
        if (error !== undefined) return reject(error);
        channel.resume();
        channel.on('close', () => {
          client.end();
          resolve();
        });
      }),
    );
    client.connect({ host: host.address, port: host.port, username: host.user, privateKey });
  });
}
