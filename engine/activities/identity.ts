import { createHash } from 'node:crypto';
import type { ResolvedServer } from '../spec/resolution.ts';

/**
 * What a lock is taken on: the machine itself, whatever repositories call it. Address and port within the site, and
 * the fingerprint of the first pinned key in sorted order.
 */
export function identityOf(server: Pick<ResolvedServer, 'address' | 'port' | 'hostKeys'>): string {
  const key = [...server.hostKeys].sort()[0] ?? '';
  const fingerprint = createHash('sha256')
    .update(Buffer.from(key.split(' ')[1] ?? '', 'base64'))
    .digest('base64');
  return `${server.address}:${server.port} SHA256:${fingerprint.replace(/=+$/, '')}`;
}
