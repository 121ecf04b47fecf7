import { type ServerDocument, targetsServer } from '../../spec/documents.ts';
import type { SpecError } from '../../spec/manifest.ts';
import { type Oddity, oddities } from './findings.ts';
import type { FirewallDocument } from './peers.ts';
import { type ReadFirewall, readFirewall } from './read.ts';
import type { NamedServers } from './spec.ts';

/** A document with all that can be said of it alone. */
export interface Judged {
  readonly firewall: ReadFirewall;
  readonly errors: readonly SpecError[];
  readonly servers: NamedServers;
  readonly oddities: readonly Oddity[];
  /** The servers that it is for. */
  readonly targets: readonly ServerDocument[];
}

/** Checked and then resolved, a document is looked at twice, and this is the dear part. */
const known = new WeakMap<FirewallDocument, Judged>();

/** `complete`: no Server document has mistakes. */
export function judged(
  document: FirewallDocument,
  servers: ReadonlyMap<string, ServerDocument>,
  complete: boolean,
): Judged {
  const found = known.get(document) ?? judge(document, servers, complete);
  known.set(document, found);
  return found;
}

function judge(
  document: FirewallDocument,
  servers: ReadonlyMap<string, ServerDocument>,
  complete: boolean,
): Judged {
  const read = readFirewall(document, servers, complete);
  const { firewall, errors } = read;
  const targets = [...servers.values()].filter((server) => targetsServer(document.spec.targets, server));
  // A rule with a mistake would contradict others by chance.
  const odd = errors.length > 0 ? [] : oddities(firewall, managementPorts(firewall, targets));
  return { ...read, oddities: odd, targets };
}

/** Ports by which the engine gets to the servers. */
export function managementPorts(
  { management }: ReadFirewall,
  servers: readonly ServerDocument[],
): ReadonlySet<number> {
  return new Set(servers.map(({ spec }) => management.port ?? spec.port ?? 22));
}
