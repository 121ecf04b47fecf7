import { expect, test } from 'vitest';
import { hostPlan, step } from '../github/render/testing.ts';
import type { Transport } from '../hosts/session.ts';
import { MESSAGE_MAX } from '../plan/bounds.ts';
import { createSecrets } from '../secrets/secrets.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { planHosts, requireBounded } from './planning.ts';

const secrets = createSecrets({
  environment: {},
  folder: undefined,
  ageKeys: [],
  vault: undefined,
  fingerprintKey: Buffer.alloc(32, 7),
});
const host: ResolvedHost = {
  kind: 'resolved-host',
  name: 'web-1',
  server: {
    name: 'web-1',
    address: '192.0.2.1',
    port: 22,
    user: 'root',
    become: 'none',
    site: 'default',
    hostKeys: ['ssh-ed25519 AAAA'],
    labels: {},
  },
  documents: [],
};

/** A server that only complains. */
function complaining(words: string): Transport {
  const refuse = () => Promise.reject(new Error(words));
  const end = () => Promise.resolve();
  return { withSession: refuse, withFreshSession: refuse, empty: end, close: end };
}

test('what a server says instead of answering is cut', async () => {
  const [planning] = await planHosts(
    { transport: complaining('x'.repeat(1_000_000)), secrets },
    { hosts: [host], payloads: new Map(), repository: 'acme/infra', changedItems: () => undefined },
  );
  expect(planning).toMatchObject({
    kind: 'problem',
    message: `${'x'.repeat(MESSAGE_MAX)}\n... cut at ${MESSAGE_MAX} characters`,
  });
});

test('one server leaves the others room for their plans', () => {
  const diffs = (count: number) =>
    hostPlan(
      'web-1',
      Array.from({ length: count }, () => step({ diff: 'x'.repeat(64_000) })),
    );
  expect(() => requireBounded(diffs(200))).not.toThrow();
  expect(() => requireBounded(diffs(300))).toThrow(
    /^the plan of web-1 has \d+ bytes, and one server's may have 16777216\. Split the change/,
  );
});
