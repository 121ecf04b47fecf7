import { checkProbes } from '../../spec/checks/probes.ts';
import { errorAt, errorAtKey, type ServerDocument, serversByName } from '../../spec/documents.ts';
import type { SpecError } from '../../spec/manifest.ts';
import type { Checking } from '../../spec/resolving.ts';
import { addressesOf, contains } from './addresses.ts';
import { judged, managementPorts } from './judged.ts';
import { checkReach } from './outside.ts';
import type { FirewallDocument } from './peers.ts';
import type { ReadFirewall } from './read.ts';

/** What the schema cannot say about a firewall. */
export function checkFirewall(
  document: FirewallDocument,
  { manifest, broken }: Checking,
): readonly SpecError[] {
  const servers = serversByName(manifest);
  const complete = !broken.some(({ kind }) => kind === '*' || kind === 'Server');
  const { firewall, errors, oddities, targets } = judged(document, servers, complete);
  const own = [
    ...errors,
    ...oddities
      .filter(({ severity }) => severity === 'error')
      .map(({ pointer, message }) => errorAtKey(document, 'contradiction', pointer, message)),
    ...checkProbes(document, document.spec.probes),
    ...checkReach(document, targets, [...servers.values()], complete),
  ];
  if (errors.length > 0) return own;
  return [
    ...own,
    ...checkForwards(document, firewall, targets),
    ...targets.flatMap((server) => checkJump(document, firewall, server, servers)),
  ];
}

/** A forward takes packets before any rule sees them. */
function checkForwards(
  document: FirewallDocument,
  firewall: ReadFirewall,
  targets: readonly ServerDocument[],
): readonly SpecError[] {
  const managed = [...managementPorts(firewall, targets)];
  return Object.entries(firewall.portForwards).flatMap(([name, { ports }]) => {
    const taken = managed.find((port) =>
      ports.some((r) => r.protocol === 'tcp' && r.first <= port && port <= r.last),
    );
    if (taken === undefined) return [];
    const message = `The port forward ${name} would lead port ${taken} elsewhere, by which the engine gets to the server; choose another port.`;
    return [errorAtKey(document, 'contradiction', `/spec/portForwards/${name}`, message)];
  });
}

/** The host sees the engine come from the jump host. */
function checkJump(
  document: FirewallDocument,
  { management }: ReadFirewall,
  server: ServerDocument,
  servers: ReadonlyMap<string, ServerDocument>,
): readonly SpecError[] {
  const jump = server.spec.jump === undefined ? undefined : servers.get(server.spec.jump);
  if (jump === undefined || management.from === null) return [];
  const { address, addresses = [address] } = jump.spec;
  const own = addressesOf(addresses);
  const known = own.v4.length + own.v6.length > 0;
  if (!known || contains(addressesOf(management.from), own)) return [];
  const message = `"management" does not let in ${jump.ref} (${addresses.join(', ')}), through which the engine gets to ${server.metadata.name}; add {hosts: [${jump.metadata.name}]}.`;
  return [errorAt(document, 'cuts-access', '/spec/management/from', message)];
}
