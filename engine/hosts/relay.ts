import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';

/**
 * A TCP connection for a host that forbids forwarding, made by bash's /dev/tcp (bash is essential on Debian). The
 * command is a constant; address and port travel on standard input. Whichever side ends first ends both, so no
 * process stays behind.
 */
const RELAY_COMMAND = `exec env LC_ALL=C bash -c '${[
  'read -r host port',
  'exec 3<>"/dev/tcp/$host/$port" || exit 1',
  'echo connected',
  'exec 2>/dev/null',
  // No output of ours may hold the channel open once the relay's reading end is gone.
  '{ cat <&3; kill $$; } & cat >&3',
  'kill $!',
].join('\n')}'`;

const CONNECTED = 'connected\n';
/** The kernel alone would try for two minutes. */
const RELAY_TIMEOUT_MS = 10_000;
/** bash's own words come first; what else a login shell prints there is not kept. Characters. */
const SAID_MAX = 2_048;

/** Rejects with a plain Error when the host cannot connect or has no bash. */
export async function relay(client: Client, address: string, port: number): Promise<Duplex> {
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.exec(RELAY_COMMAND, (error, opened) => (error === undefined ? resolve(opened) : reject(error)));
  });
  channel.write(`${address} ${port}\n`);
  await answered(channel);
  return channel;
}

function answered(channel: ClientChannel): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (problem: string) => {
      clearTimeout(timer);
      channel.destroy();
      reject(new Error(problem));
    };
    const timer = setTimeout(() => fail('no answer'), RELAY_TIMEOUT_MS);
    let said = '';
    channel.stderr.on('data', (chunk: Buffer) => {
      if (said.length < SAID_MAX) said += chunk.toString('latin1');
    });
    const onClose = () => fail(problemIn(said));
    channel.on('error', () => {});
    channel.once('close', onClose);
    channel.once('readable', () => {
      const first: Buffer | null = channel.read(CONNECTED.length) ?? channel.read();
      if (first === null) return; // ended; `close` follows
      if (first.toString('latin1') !== CONNECTED) return fail('the login shell prints to its output');
      clearTimeout(timer);
      channel.off('close', onClose);
      resolve();
    });
  });
}

/** `bash: line 2: /dev/tcp/10.0.0.5/80: Connection refused` */
function problemIn(said: string): string {
  const [, problem = 'no connection came about'] = /\/dev\/tcp\/\S+: ([\w ]+)$/m.exec(said) ?? [];
  return problem;
}
