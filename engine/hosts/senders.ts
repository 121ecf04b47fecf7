import { isIP } from 'node:net';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Session } from './session.ts';

/** By which address of its own a host goes to another one; left out where it does not say, as of a host name. */
export type Senders = ReadonlyMap<string, string>;

/** As the host's own routes say (ip-route(8)). Throws HostError when it is lost. */
export async function sendersTo(session: Session, addresses: readonly string[]): Promise<Senders> {
  const asked = addresses.filter((address) => isIP(address) !== 0);
  if (asked.length === 0) return new Map();
  const ran = await session.run(routes(asked), { timeoutSeconds: 20, become: false });
  return readRoutes(ran.stdout, asked);
}

function routes(addresses: readonly string[]): Sh {
  return lines(...addresses.map((one) => sh`echo ${`~ ${one}`}; ip -o route get ${one} 2>/dev/null`));
}

/** `10.77.0.3 dev host0 src 10.77.0.2 uid 0`: exactly one source of the address's own family is taken, whatever else stands there. */
export function readRoutes(output: string, asked: readonly string[]): Senders {
  const told = new Map<string, string>();
  for (const part of output.split(/^~ /m).slice(1)) {
    const [address = '', ...answer] = part.trimEnd().split('\n');
    const found = [...answer.join('\n').matchAll(/ src ([0-9a-fA-F.:]+)(?= |$)/gm)].map(
      ([, one = '']) => one,
    );
    const [source = ''] = found;
    const isOwn = isIP(source) !== 0 && isIP(source) === isIP(address);
    if (asked.includes(address) && answer.length === 1 && found.length === 1 && isOwn)
      told.set(address, source);
  }
  return told;
}
