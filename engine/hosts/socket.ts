import { connect, type Socket } from 'node:net';
import { HostError, messageOf } from './host-error.ts';
import { describeTarget, type HostTarget } from './target.ts';

/** A host in the same network answers in milliseconds; a blackhole must not hold a run for the kernel's two minutes. */
export const CONNECT_TIMEOUT_MS = 10_000;

/** A TCP connection without Nagle's delay. Throws `unreachable`. */
export function openSocket(target: HostTarget, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.address, port: target.port, noDelay: true });
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
    const fail = (problem: string, cause?: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      const text = `${describeTarget(target)} cannot be reached: ${problem}. Check address, port and firewall, and that sshd runs.`;
      reject(new HostError('unreachable', target.name, text, { cause }));
    };
    const onError = (error: Error) => fail(socketProblem(error), error);
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens on that port (connection refused)',
  EHOSTUNREACH: 'there is no route to it, or it is down',
  ENETUNREACH: 'there is no route to its network',
  ETIMEDOUT: 'no answer',
  ENOTFOUND: 'its name does not resolve',
  EAI_AGAIN: 'its name cannot be resolved now',
  ECONNRESET: 'it closed the connection',
};

function socketProblem(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return PROBLEMS[code] ?? messageOf(error);
}
