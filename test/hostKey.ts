import { createHash } from 'node:crypto';

/** A public host key, another one for each machine; all are of one length. */
export function hostKeyOf(machine: string): string {
  const type = 'ssh-ed25519';
  const key = createHash('sha256').update(machine).digest();
  const blob = Buffer.concat([
    Buffer.of(0, 0, 0, type.length),
    Buffer.from(type),
    Buffer.of(0, 0, 0, key.length),
    key,
  ]);
  return `${type} ${blob.toString('base64')}`;
}
