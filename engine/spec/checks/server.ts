import { isIP, isIPv6 } from 'node:net';
import { errorAt, isServer, type ServerDocument } from '../documents.ts';
import type { Manifest, SpecError } from '../manifest.ts';

/** What the schema of a server cannot say: its address and its host keys. */
export function checkServer(document: ServerDocument): readonly SpecError[] {
  return [...checkAddress(document), ...checkAddresses(document), ...checkKeys(document)];
}

/** The schema allows ":" for IPv6. */
function checkAddress(document: ServerDocument): readonly SpecError[] {
  const { address } = document.spec;
  if (!address.includes(':') || isIPv6(address)) return [];
  const [, host, port] = /^([^:]+):([0-9]{1,5})$/.exec(address) ?? [];
  const advice = host === undefined ? '' : `; write "address: ${host}" and "port: ${port}"`;
  const message = `${JSON.stringify(address)} is neither a host name nor an IP address${advice}.`;
  return [errorAt(document, 'wrong-value', '/spec/address', message)];
}

function checkAddresses(document: ServerDocument): readonly SpecError[] {
  return (document.spec.addresses ?? []).flatMap((address, index) => {
    if (isIP(address) !== 0) return [];
    const message = `${JSON.stringify(address)} is not an IP address.`;
    return [errorAt(document, 'wrong-value', `/spec/addresses/${index}`, message)];
  });
}

function checkKeys(document: ServerDocument): readonly SpecError[] {
  const { hostKey, hostKeys } = document.spec;
  if (hostKey !== undefined && hostKeys !== undefined) {
    return [
      errorAt(document, 'wrong-value', '/spec/hostKeys', 'Give either "hostKey" or "hostKeys", not both.'),
    ];
  }
  return [
    ...(hostKey === undefined ? [] : checkKey(document, '/spec/hostKey', hostKey)),
    ...(hostKeys ?? []).flatMap((key, index) => checkKey(document, `/spec/hostKeys/${index}`, key)),
  ];
}

/** A server without a key of its own in the repository. Whether that is a mistake, the policy says that holds. */
export interface UnpinnedServer {
  readonly name: string;
  /** What to say where it is one. */
  readonly error: SpecError;
}

export function unpinnedServers({ documents }: Manifest): readonly UnpinnedServer[] {
  return documents.filter(isServer).flatMap((document) => {
    const { address, hostKey, hostKeys } = document.spec;
    if (hostKey !== undefined || hostKeys !== undefined) return [];
    const { name } = document.metadata;
    const message =
      `Server ${name} has no "hostKey", without which the engine cannot know the machine; ` +
      `\`doaas scan ${address}\` prints it.`;
    return [{ name, error: errorAt(document, 'missing-property', '/spec', message) }];
  });
}

/** A public key's base64 begins with its type's length and name (RFC 4253, 6.6): a cut or mixed-up key shows there. */
function checkKey(document: ServerDocument, pointer: string, key: string): readonly SpecError[] {
  const [type = '', base64 = ''] = key.split(' ');
  const bytes = Buffer.from(base64, 'base64');
  const length = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0;
  if (bytes.subarray(4, 4 + length).toString('latin1') === type) return [];
  const message = `This host key is damaged: its base64 text is not a key of the type ${type}; copy it again from \`doaas scan\`.`;
  return [errorAt(document, 'wrong-value', pointer, message)];
}
