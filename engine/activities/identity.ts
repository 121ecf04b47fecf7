import { createHash } from 'node:crypto';
import type { ResolvedServer } from '../spec/resolution.ts';

/**
 * What a lock is taken on: the machine itself, whatever repositories call it. Address and port within the site, and the
 * fingerprints of all pinned keys, sorted: by any of them it is known again (store/machine.ts).
 */
export function identityOf({
  address,
  port,
  hostKeys,
}: Pick<ResolvedServer, 'address' | 'port' | 'hostKeys'>): string {
  const keys = hostKeys.length === 0 ? [''] : [...hostKeys].sort();
  return [`${address}:${port}`, ...keys.map(fingerprint)].join(' ');
}

function fingerprint(key: string): string {
  const bytes = Buffer.from(key.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(bytes).digest('base64').replace(/=+$/, '')}`;
}
