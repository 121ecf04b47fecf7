import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { excerpt, HostError, messageOf } from './host-error.ts';
import { NO_ANSWER, type RelayLimits, relay } from './relay.ts';
import { describeTarget, type HostTarget } from './target.ts';

/** RFC 4254, 5.1: SSH_OPEN_ADMINISTRATIVELY_PROHIBITED. */
const PROHIBITED = 1;

/** A TCP connection that the host makes: direct-tcpip, or through its bash where sshd forbids forwarding. */
export async function forward(
  client: Client,
  target: HostTarget,
  address: string,
  port: number,
  limits: RelayLimits,
): Promise<Duplex> {
  const { timeoutMs } = limits;
  try {
    const opening = directTcpip(client, target, address, port);
    return await (timeoutMs === undefined
      ? opening
      : within(opening, target, `${address}:${port}`, timeoutMs));
  } catch (error) {
    if (!(error instanceof HostError) || error.type !== 'forwarding-forbidden') throw error;
    return relay(client, address, port, limits).catch((cause: unknown) => {
      const problem = messageOf(cause);
      const text = `${address}:${port} does not answer as seen from ${target.name}: ${problem} (asked through bash, because sshd there forbids TCP forwarding).`;
      throw new HostError('port-closed', target.name, text, { cause, problem });
    });
  }
}

/** Whatever comes after the time limit is closed again. */
function within(
  opening: Promise<Duplex>,
  target: HostTarget,
  where: string,
  timeoutMs: number,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      const text = `${where} does not answer as seen from ${target.name}: ${NO_ANSWER}.`;
      reject(new HostError('port-closed', target.name, text, { problem: NO_ANSWER }));
    }, timeoutMs);
    opening
      .then((stream) => (late ? stream.destroy() : resolve(stream)), reject)
      .finally(() => clearTimeout(timer));
  });
}

function directTcpip(client: Client, target: HostTarget, address: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => reject(forwardError(target, address, port, cause));
    try {
      client.forwardOut('127.0.0.1', 0, address, port, (error, channel) => {
        if (error === undefined) resolve(channel);
        else fail(error);
      });
    } catch (error) {
      fail(error); // ssh2 throws when the socket is closed already
    }
  });
}

function forwardError(target: HostTarget, address: string, port: number, cause: unknown): HostError {
  const reason = cause instanceof Error && 'reason' in cause ? cause.reason : undefined;
  const where = `${address}:${port}`;
  if (reason === PROHIBITED) {
    const text = `${describeTarget(target)} forbids TCP forwarding (to ${where}). Set "AllowTcpForwarding local" in its sshd_config.`;
    return new HostError('forwarding-forbidden', target.name, text, { cause });
  }
  if (reason !== undefined) {
    const problem = excerpt(messageOf(cause).replace('(SSH) Channel open failure: ', ''));
    const text = `${where} does not answer as seen from ${target.name}: ${problem}.`;
    return new HostError('port-closed', target.name, text, { cause, problem });
  }
  const text = `The connection to ${describeTarget(target)} was lost while it opened a connection to ${where}.`;
  return new HostError('connection-lost', target.name, text, { cause });
}
