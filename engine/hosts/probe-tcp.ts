import type { Duplex } from 'node:stream';
import type { TcpProbe } from '../kinds/kind.ts';
import { HostError } from './host-error.ts';
import type { Attempt } from './probe.ts';
import type { Session } from './session.ts';

export async function tryTcp(session: Session, probe: TcpProbe, timeoutMs: number): Promise<Attempt> {
  const where = `TCP ${probe.address}:${probe.port}`;
  const stream = await connectWithin(session, probe.address, probe.port, timeoutMs);
  if (typeof stream === 'string') return { passed: false, detail: `${where} ${stream}` };
  stream.destroy();
  return { passed: true, detail: `${where} accepted a connection` };
}

/** The stream, or why there is none in words that follow an address. Throws when the host itself is lost. */
export async function connectWithin(
  session: Session,
  address: string,
  port: number,
  timeoutMs: number,
): Promise<Duplex | string> {
  const opening = session.connect(address, port);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), timeoutMs);
  });
  try {
    const first = await Promise.race([opening, late]);
    if (first !== 'late') return first;
    // Whatever comes after the time limit is closed again.
    opening.then((stream) => stream.destroy()).catch(() => {});
    return `did not accept a connection within ${Math.round(timeoutMs / 100) / 10} s`;
  } catch (error) {
    if (error instanceof HostError && error.type === 'port-closed') return 'refused the connection';
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
