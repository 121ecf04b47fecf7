import type { ServerDocument } from './documents.ts';
import type { ResolvedServer } from './resolution.ts';

/** Jump hosts one behind the other. */
const MAX_JUMPS = 8;

/** A server with its defaults; jumps that are unknown or go in circles are errors of their own and are left out here. */
export function resolveServer(
  document: ServerDocument,
  servers: ReadonlyMap<string, ServerDocument>,
  jumps = 0,
): ResolvedServer {
  const { metadata, spec } = document;
  const user = spec.user ?? 'root';
  const jump = spec.jump === undefined || jumps >= MAX_JUMPS ? undefined : servers.get(spec.jump);
  return {
    name: metadata.name,
    address: spec.address,
    port: spec.port ?? 22,
    user,
    become: spec.become ?? (user === 'root' ? 'none' : 'sudo'),
    site: spec.site ?? 'default',
    hostKeys: (spec.hostKeys ?? (spec.hostKey === undefined ? [] : [spec.hostKey])).map(withoutComment),
    labels: metadata.labels,
    ...(jump === undefined ? {} : { jump: resolveServer(jump, servers, jumps + 1) }),
  };
}

/** `TYPE BASE64` */
function withoutComment(hostKey: string): string {
  return hostKey.split(' ', 2).join(' ');
}
