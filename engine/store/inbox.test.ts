import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inboxSuite } from './inbox.suite.ts';
import { openInbox } from './inbox.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-inbox-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

inboxSuite('SQLite', () => ({ file: join(dir, 'inbox.sqlite') }));

it('is private, and one that is opened again gives what its last owner had claimed, at once', async () => {
  const file = join(dir, 'again.sqlite');
  const arrival = { guid: randomUUID(), lane: 'a', event: '{}' };
  const first = await openInbox({ file });
  await first.accept(arrival);
  expect(await first.claim(1)).toHaveLength(1);
  await first.close();
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const second = await openInbox({ file });
  expect(await second.claim(1)).toMatchObject([{ ...arrival, tries: 2 }]);
  await second.close();
});
