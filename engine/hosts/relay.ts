import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { openSession } from './openSession.ts';

/**
 * A TCP connection for a host that forbids forwarding, made by bash's /dev/tcp (bash is essential on Debian). The
 * command is a constant; address and port travel on standard input. Whichever side ends first ends both, also while
 * nothing answers, so no process stays behind, and none keeps its session from others.
 */
const RELAY_COMMAND = `exec env LC_ALL=C bash -c '${[
  'read -r host port',
  // Nothing is sent before we say that it is connected: what ends this is the end of the channel.
  'exec 4<&0',
  '{ read -r gone <&4; kill $$; } 2>/dev/null &',
  'exec 3<>"/dev/tcp/$host/$port" || { kill $!; exit 1; }',
  'exec 2>/dev/null',
  'kill $!; wait $!',
  'echo connected',
  // No output of ours may hold the channel open once the relay's reading end is gone.
  'set -m',
  '{ cat <&3; kill $$; } & cat >&3',
  'kill -- -$!',
].join('\n')}'`;

const CONNECTED = 'connected\n';
/** The kernel alone would try for two minutes. */
const RELAY_TIMEOUT_MS = 10_000;
/** For the host to end the relay by itself; then its channel is closed all the same. */
const END_TIMEOUT_MS = 2_000;
/** bash's own words come first; what else a login shell prints there is not kept. Characters. */
const SAID_MAX = 2_048;

/** What is said of a port that neither accepts nor refuses. */
export const NO_ANSWER = 'no answer';

export interface RelayLimits {
  /** Of the answer, once there is a place; and of the wait for a session of sshd's. */
  readonly timeoutMs?: number | undefined;
  /** Each relay is a session of sshd's, whose number is bounded (MaxSessions); it holds its place until the host has ended it. */
  readonly places: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Rejects with a plain Error when the host cannot connect or has no bash. */
export function relay(
  client: Client,
  address: string,
  port: number,
  { timeoutMs = RELAY_TIMEOUT_MS, places }: RelayLimits,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    places(async () => {
      const channel = await openSession(client, RELAY_COMMAND, timeoutMs);
      const closed = new Promise<void>((over) => channel.once('close', () => over()));
      endGently(channel);
      channel.write(`${address} ${port}\n`);
      answered(channel, timeoutMs).then(() => resolve(channel), reject);
      await closed;
    }).catch(reject);
  });
}

/** sshd counts a session until its process has ended, which a closed channel does not wait for. */
function endGently(channel: ClientChannel): void {
  channel.destroy = () => {
    channel.end();
    channel.resume();
    const timer = setTimeout(() => channel.close(), END_TIMEOUT_MS).unref();
    channel.once('close', () => clearTimeout(timer));
    return channel;
  };
}

function answered(channel: ClientChannel, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (problem: string) => {
      clearTimeout(timer);
      channel.destroy();
      reject(new Error(problem));
    };
    const timer = setTimeout(() => fail(NO_ANSWER), timeoutMs);
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
  const [, problem = 'no connection came about'] = /\/dev\/tcp\/\S{1,100}: ([\w ]{1,100})$/m.exec(said) ?? [];
  return problem;
}
