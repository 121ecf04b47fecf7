import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../config/secret.ts';

export type Verdict = { readonly valid: true } | { readonly valid: false; readonly reason: string };

const SHA256 = /^sha256=([0-9a-f]{64})$/;

/** What is wrong with the headers alone, so before a body is read; undefined: a signature to compare. */
export function signatureProblem(header: string | undefined, sha1: string | undefined): string | undefined {
  if (header !== undefined)
    return SHA256.test(header)
      ? undefined
      : 'X-Hub-Signature-256 is not `sha256=` and 64 hexadecimal digits.';
  return sha1 === undefined
    ? 'The header X-Hub-Signature-256 is missing. Set a secret in the webhook of the GitHub App.'
    : 'Only the old SHA-1 signature was sent. DOaaS needs X-Hub-Signature-256, which GitHub sends since 2020.';
}

/**
 * Whether GitHub signed these bytes with one of the live secrets. Every secret is compared, in constant time, so that time tells neither which one
 * nor how much of it matched. Source: GitHub, "Validating webhook deliveries".
 */
export function verifySignature(
  body: Buffer,
  header: string | undefined,
  sha1: string | undefined,
  secrets: readonly Secret[],
): Verdict {
  const problem = signatureProblem(header, sha1);
  if (problem !== undefined) return { valid: false, reason: problem };
  const given = SHA256.exec(header ?? '')?.[1] ?? '';
  const signature = Buffer.from(given, 'hex');
  const matches = secrets.map((secret) =>
    timingSafeEqual(signature, createHmac('sha256', secret.reveal()).update(body).digest()),
  );
  if (matches.includes(true)) return { valid: true };
  return {
    valid: false,
    reason: 'The signature does not match. The secret of the webhook and GITHUB_WEBHOOK_SECRET differ.',
  };
}
