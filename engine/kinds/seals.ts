import type { Payload } from '../spec/configuration.ts';
import { sealKey } from '../spec/secrets.ts';
import type { Seals } from './kind.ts';

/** Of a content with secrets, the fingerprint of the whole; undefined where they cannot be read. */
export function fingerprintIn(seals: Seals, payload: Pick<Payload, 'sha256' | 'sealed'>): string | undefined {
  const seal = seals.get(sealKey(payload));
  return seal?.kind === 'seal' ? seal.fingerprint : undefined;
}
