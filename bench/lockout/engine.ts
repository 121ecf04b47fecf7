/** One apply, in a process that can be killed. Says its end, then waits for that. */
import type { LabHost } from '../../lab/hosts.ts';
import { guardedHost } from '../../test/guardedHost.ts';
import { MECHANISMS, type Mechanism } from './mechanisms.ts';
import { WINDOW_SECONDS } from './strikes.ts';

interface Work {
  readonly host: Pick<LabHost, 'name' | 'address' | 'port' | 'hostKeys' | 'privateKeyPath'>;
  readonly run: string;
  readonly mechanism: Mechanism;
}

const { host, run, mechanism } = JSON.parse(process.argv[2] ?? '') as Work;
const guarded = guardedHost(host);
const { end } = await guarded.apply(MECHANISMS[mechanism](guarded.payload), run, WINDOW_SECONDS);
process.stdout.write(`${end}\n`);
setInterval(() => {}, 1_000);
