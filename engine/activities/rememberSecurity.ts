import type { HostSecurity } from '../security/host.ts';
import { isPartlyUnknown, partsOf } from '../security/known.ts';
import type { Store } from '../store/store.ts';

/** Keeps what later readings may fall back on. */
export async function rememberSecurity(
  securityHosts: Store['securityHosts'],
  repository: string,
  at: number,
  read: readonly HostSecurity[],
): Promise<void> {
  const partly = read.filter(isPartlyUnknown).map(({ host }) => host);
  const earlier = await securityHosts.remembered(repository, partly);
  const known = read.map((host) => ({ host: host.host, parts: partsOf(host, earlier.get(host.host) ?? []) }));
  await securityHosts.remember(repository, at, known);
}
