import { expect, it } from 'vitest';
import { secret } from '../../engine/config/secret.ts';
import { mapEvent } from '../../engine/github/map-event.ts';
import { verifySignature } from '../../engine/http/signature.ts';
import { prepare, type Sender } from './deliveries.ts';

const pulls = Array.from({ length: 200 }, (_, n) => ({
  number: n + 1,
  headSha: 'a'.repeat(40),
  branch: `b-${n}`,
}));
const sender: Sender = {
  owner: 'o',
  repositoryId: 7,
  repo: 'r',
  installationId: 1,
  appId: 2,
  secret: 'a secret of tests',
  pulls,
};

it('sends signed events that the engine must make durable, of every kind to every pull request in turn', () => {
  const all = Array.from({ length: 4000 }, (_, n) => prepare(sender, n));
  const kinds = new Map<string, Set<number>>();
  for (const [n, { event, body, headers }] of all.entries()) {
    const mapped = mapEvent(event, JSON.parse(body), { appId: 2 });
    if (mapped.kind === 'ignored') throw new Error(`${event} is ignored: ${mapped.reason}`);
    kinds.set(event, (kinds.get(event) ?? new Set()).add(n % pulls.length));
    const signed = headers['x-hub-signature-256'];
    expect(verifySignature(Buffer.from(body), signed, undefined, [secret(sender.secret)]).valid).toBe(true);
  }
  expect([...kinds].map(([event, each]) => [event, each.size]).sort()).toEqual([
    ['check_run', 200],
    ['issue_comment', 200],
    ['pull_request', 200],
    ['pull_request_review', 200],
    ['push', 200],
  ]);
  expect(new Set(all.map((each) => each.guid)).size).toBe(4000);
});
