import type { Probe } from '../kinds/kind.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { permanent } from './failure.ts';

/** The host on which a probe of a host runs: itself, but for what only shows from outside. */
export function triedFrom(host: ResolvedHost, probe: Probe, all: readonly ResolvedHost[]): ResolvedHost {
  if (probe.kind !== 'reach') return host;
  const other = all.find(({ name }) => name === probe.from);
  if (other === undefined)
    throw permanent(`there is no server ${probe.from} that could try to reach ${host.name}`);
  return other;
}
