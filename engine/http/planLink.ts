import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../config/secret.ts';

/** How long a link to a whole plan works. Seconds. */
export const PLAN_LINK_SECONDS = 7 * 24 * 3600;

/** Names the use of the derived key, so that it is good for nothing else (RFC 5869, 3.2). */
const KEY_USE = 'doaas plan links v1';
const KEY_BYTES = 32;

export type LinkVerdict = 'valid' | 'expired' | 'forged';

/**
 * `/plans/DIGEST?expires=EPOCH&signature=HEX`. The key is derived (HKDF-SHA256) from the webhook secret, which every
 * receiver and worker has: any worker signs what any receiver can check, without another secret to spread and rotate.
 */
export function signedPlanPath(digest: string, secret: Secret, nowMs: number): string {
  const expires = String(Math.floor(nowMs / 1000) + PLAN_LINK_SECONDS);
  return `/plans/${digest}?expires=${expires}&signature=${signatureOf(digest, expires, secret).toString('hex')}`;
}

/** Compared in constant time with every live secret. Nothing is said about a time that nobody signed. */
export function judgePlanLink(
  link: { readonly digest: string; readonly expires: string; readonly signature: string },
  secrets: readonly Secret[],
  nowMs: number,
): LinkVerdict {
  if (!/^\d{1,12}$/.test(link.expires) || !/^[0-9a-f]{64}$/.test(link.signature)) return 'forged';
  const given = Buffer.from(link.signature, 'hex');
  const matches = secrets.map((secret) =>
    timingSafeEqual(given, signatureOf(link.digest, link.expires, secret)),
  );
  if (!matches.includes(true)) return 'forged';
  const left = Number(link.expires) - nowMs / 1000;
  if (left > PLAN_LINK_SECONDS) return 'forged';
  return left > 0 ? 'valid' : 'expired';
}

function signatureOf(digest: string, expires: string, secret: Secret): Buffer {
  const key = hkdfSync('sha256', secret.reveal(), '', KEY_USE, KEY_BYTES);
  return createHmac('sha256', Buffer.from(key)).update(`${digest}\n${expires}`).digest();
}
