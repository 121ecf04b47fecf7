import { isIP } from 'node:net';
import { checkSelector } from '../../spec/checks/targets.ts';
import { errorAt, type PlannedDocument, type ServerDocument, targetsServer } from '../../spec/documents.ts';
import type { SpecError } from '../../spec/manifest.ts';
import { didYouMean } from '../../spec/nearest.ts';
import { childPointer } from '../../spec/pointer.ts';
import type { PeerSource } from '../../spec/types.generated.ts';
import { addressesOf, blocksOf, readCidr } from './addresses.ts';
import type { Peers } from './spec.ts';

export type FirewallDocument = PlannedDocument<'Firewall'>;

/** What is known while a document is read; mistakes go into `errors`, and what has one is left out. */
export interface Reader {
  readonly document: FirewallDocument;
  readonly servers: ReadonlyMap<string, ServerDocument>;
  /** False where a server that seems to be missing may stand in a document with mistakes. */
  readonly complete: boolean;
  readonly sets: ReadonlyMap<string, readonly string[]>;
  readonly errors: SpecError[];
  /** Servers that selectors have meant so far. */
  readonly meant: Map<string, readonly string[]>;
}

/** Addresses and blocks of a list, in one canonical form; left out: anybody. */
export function readPeers(
  reader: Reader,
  sources: readonly PeerSource[] | undefined,
  pointer: string,
): Peers {
  if (sources === undefined) return null;
  const all = sources.flatMap((source, index) => readPeer(reader, source, childPointer(pointer, index)));
  return blocksOf(addressesOf(all));
}

function readPeer(reader: Reader, source: PeerSource, pointer: string): readonly string[] {
  if (typeof source === 'string') return readBlock(reader, source, pointer);
  if (Object.keys(source).length !== 1)
    return failed(reader, 'wrong-value', pointer, 'Give exactly one of set, labels and hosts.');
  if (source.set !== undefined) return readSet(reader, source.set, `${pointer}/set`);
  return readServers(reader, source, pointer);
}

function readBlock(reader: Reader, source: string, pointer: string): readonly string[] {
  const cidr = readCidr(source);
  switch (cidr.kind) {
    case 'cidr':
      return [cidr.text];
    case 'host-bits': {
      const message = `${source} has host bits; write ${cidr.text} for the block, or ${source.replace(/\/.*/, '')} for the one address.`;
      return failed(reader, 'host-bits', pointer, message);
    }
    case 'no-cidr': {
      const message = `${JSON.stringify(source)} is neither an IP address nor a block such as 10.0.0.0/8; for servers of the repository write {labels: ...} or {hosts: [...]}.`;
      return failed(reader, 'wrong-value', pointer, message);
    }
  }
}

function readSet(reader: Reader, name: string, pointer: string): readonly string[] {
  const set = reader.sets.get(name);
  if (set !== undefined) return set;
  const message = `There is no set ${JSON.stringify(name)} in this document${didYouMean(name, reader.sets.keys())}`;
  return failed(reader, 'unknown-reference', pointer, message);
}

/** The addresses of other servers: they follow when those change. */
function readServers(
  reader: Reader,
  selector: Exclude<PeerSource, string>,
  pointer: string,
): readonly string[] {
  const servers = [...reader.servers.values()];
  const problem = checkSelector(selector, servers);
  if (problem !== undefined) return reader.complete ? failed(reader, 'wrong-targets', pointer, problem) : [];
  return servers
    .filter((server) => targetsServer(selector, server))
    .flatMap((server) => addressesOfServer(reader, server, pointer));
}

function addressesOfServer(reader: Reader, server: ServerDocument, pointer: string): readonly string[] {
  const { address, addresses = [address] } = server.spec;
  const unknown = addresses.find((one) => isIP(one) === 0);
  if (unknown === undefined) {
    reader.meant.set(server.metadata.name, addresses);
    return addresses;
  }
  const { name } = server.metadata;
  const message = `The server ${name} has the address ${unknown}, and a firewall needs IP addresses; add them to Server/${name} as "addresses: [...]".`;
  return failed(reader, 'unknown-address', pointer, message);
}

export function failed(reader: Reader, code: string, pointer: string, message: string): readonly never[] {
  reader.errors.push(errorAt(reader.document, code, pointer, message));
  return [];
}
