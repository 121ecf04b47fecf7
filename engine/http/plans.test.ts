import { createHmac, hkdfSync } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { secret } from '../config/secret.ts';
import { PLAN_LINK_SECONDS, signedPlanPath } from './planLink.ts';
import { registerPlans } from './plans.ts';

const DIGEST = 'ab'.repeat(32);
const CURRENT = secret('the-current-secret-of-16');
const PREVIOUS = secret('the-previous-secret-of-16');
const NOW = Date.UTC(2026, 10, 23);
const DAY_MS = 24 * 3600 * 1000;

const running: FastifyInstance[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function get(path: string, now = NOW) {
  const server = Fastify();
  running.push(server);
  registerPlans(server, {
    secrets: [CURRENT, PREVIOUS],
    now: () => now,
    text: async (digest) => (digest === DIGEST ? '+<script>alert(1)</script>\n' : undefined),
  });
  return server.inject(path);
}

describe('a signed link to a plan', () => {
  test('gives the whole plan as text that no browser runs', async () => {
    const answer = await get(signedPlanPath(DIGEST, CURRENT, NOW));
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe('+<script>alert(1)</script>\n');
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
      'referrer-policy': 'no-referrer',
    });
    expect(answer.headers['content-security-policy']).toMatch(/^default-src 'none';.*sandbox$/);
  });

  test('still works when it was signed with the secret before the present one', async () => {
    expect((await get(signedPlanPath(DIGEST, PREVIOUS, NOW))).statusCode).toBe(200);
    expect((await get(signedPlanPath(DIGEST, secret('another secret'), NOW))).statusCode).toBe(403);
  });

  test('expires after seven days, not before', async () => {
    const path = signedPlanPath(DIGEST, CURRENT, NOW);
    expect((await get(path, NOW + 7 * DAY_MS - 1)).statusCode).toBe(200);
    const late = await get(path, NOW + 7 * DAY_MS);
    expect(late.statusCode).toBe(410);
    expect(late.body).toContain('has expired');
  });

  test('names a plan that is not stored any more', async () => {
    const answer = await get(signedPlanPath('cd'.repeat(32), CURRENT, NOW));
    expect(answer.statusCode).toBe(404);
    expect(answer.body).toContain('not stored any more');
  });

  const path = signedPlanPath(DIGEST, CURRENT, NOW);
  test.each([
    ['no signature', `/plans/${DIGEST}`],
    ['another plan', path.replace(DIGEST, 'cd'.repeat(32))],
    ['a later end', path.replace(/expires=\d+/, `expires=${NOW / 1000 + 2 * PLAN_LINK_SECONDS}`)],
    ['one digit of the signature changed', path.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))],
    ['a signature cut short', path.slice(0, -2)],
    ['a signature given twice', `${path}&signature=${'0'.repeat(64)}`],
    ['no digest', path.replace(DIGEST, 'abc')],
    ['the same time written otherwise', path.replace('expires=', 'expires=0')],
  ])('is refused with %s', async (_, forged) => {
    const answer = await get(forged);
    expect(answer.statusCode).toBe(403);
    expect(answer.body).toContain('Take it again from the check');
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  test('that lasts longer than seven days is refused, though signed', async () => {
    expect((await get(signedPlanPath(DIGEST, CURRENT, NOW + DAY_MS))).statusCode).toBe(403);
  });

  test('the webhook secret itself signs no link', async () => {
    const expires = String(NOW / 1000 + 60);
    const sign = (key: string | Buffer) =>
      createHmac('sha256', key).update(`${DIGEST}\n${expires}`).digest('hex');
    const derived = Buffer.from(hkdfSync('sha256', CURRENT.reveal(), '', 'doaas plan links v1', 32));
    const link = (signature: string) => `/plans/${DIGEST}?expires=${expires}&signature=${signature}`;
    expect((await get(link(sign(CURRENT.reveal())))).statusCode).toBe(403);
    expect((await get(link(sign(derived)))).statusCode).toBe(200);
  });
});
