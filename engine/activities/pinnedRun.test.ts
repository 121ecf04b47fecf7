import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changedItems } from '../plan/changedItems.ts';
import { checkRepository } from '../spec/check.ts';
import type { Resolution } from '../spec/resolution.ts';
import { configuration, repository, sentences, server } from '../spec/testing.ts';
import { RUN_HOST_MAX_BYTES } from '../store/runHosts.ts';
import { openStore, type Store } from '../store/store.ts';
import { contentsIn, knownOn, knownTo, sealedOn, secretFiles } from './hostMask.ts';
import { pinnedRun, pinRun, withContents } from './pinnedRun.ts';
import type { DesiredHosts } from './revisions.ts';
import { contentsOf } from './sealing.ts';
import type { RunRef } from './types.ts';

let dir = '';
let store: Store;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'doaas-pinned-'));
  store = await openStore({ file: join(dir, 'store.sqlite') });
});
afterAll(async () => {
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

const AGE = 'age-encryption.org/v1\n-> X25519 abc\n';

/** Two servers with a secret each, of which the first one's file is changed. */
function resolved(content: string): Resolution {
  const own = (name: string): Readonly<Record<string, string>> => ({
    [`${name}.yaml`]: configuration(
      name,
      `  targets: {hosts: [${name}]}
  variables: {password: {type: secret}}
  files: {/etc/app.env: {template: app.env}, /etc/plain: {content: "${name === 'one' ? content : 'same'}"}}
  units: {app.service: {content: "[Service]"}}
`,
    ),
    [`values-${name}.yaml`]: `apiVersion: doaas/v1
kind: Variables
metadata: {name: ${name}}
spec: {targets: {hosts: [${name}]}, values: {password: {secretRef: {age: secrets/${name}.age, key: db}}}}
`,
    [`secrets/${name}.age`]: `${AGE}${name}${content}`,
  });
  const { resolution, errors } = checkRepository(
    repository({
      'hosts.yaml': ['one', 'two'].map((name) => server(name)).join('---\n'),
      'app.env': 'A={{password}}\n',
      ...own('one'),
      ...own('two'),
    }),
  );
  expect(sentences(errors)).toEqual([]);
  return resolution;
}

function revision(): DesiredHosts {
  const [base, merged] = [resolved('before'), resolved('after')];
  return {
    merged,
    base,
    changed: merged.hosts.slice(0, 1),
    changedItems: (host) => changedItems(base, merged, host),
  };
}

const run = { run: 'pr1-a', plan: { digest: 'd' } } as RunRef;

test('what is kept of a run says of its hosts what git says, and nothing of the others', async () => {
  const inGit = revision();
  await pinRun({ store }, run, inGit);
  const kept = await pinnedRun(store, run);
  if (kept === undefined) throw new Error('nothing was kept');
  expect(kept.changed).toEqual(inGit.changed);
  expect([kept.merged, kept.base].map(({ hosts }) => hosts.map(({ name }) => name))).toEqual([
    ['one'],
    ['one'],
  ]);
  expect(kept.changedItems('one')).toEqual(inGit.changedItems('one'));
  expect([...kept.changedItems('one')]).toContain('path:/etc/plain');
  expect(await pinnedRun(store, { run: 'pr1-b', undoes: 'pr1-a' }, 'one')).toMatchObject({
    changed: kept.changed,
  });
  expect(await pinnedRun(store, run, 'two')).toBeUndefined();

  const [one] = inGit.changed;
  if (one === undefined) throw new Error('nothing is changed');
  const sealed = sealedOn(one, knownOn(one, knownTo(kept)));
  expect(sealed).toEqual(sealedOn(one, knownTo(inGit)));
  const secrets = sealed.flatMap((payload) => payload.sealed ?? []);
  // the encrypted files of before and after, from the store alone
  const read = contentsIn(knownTo(kept), store.blobs.get);
  const files = await Promise.all(secrets.map(({ ref }) => read(ref.from === 'age' ? ref.sha256 : '')));
  expect(files.map((bytes) => Buffer.from(bytes ?? []).toString()).sort()).toEqual([
    `${AGE}oneafter`,
    `${AGE}onebefore`,
  ]);
  const { merged } = await withContents({ store }, kept);
  const needed = [...contentsOf(one).map(({ sha256 }) => sha256), ...secretFiles(one)];
  const wanted = needed.map((sha256) => [sha256, inGit.merged.payloads.get(sha256)]);
  expect(wanted).toHaveLength(4);
  for (const [sha256, bytes] of wanted)
    expect(Buffer.from(merged.payloads.get(String(sha256)) ?? [])).toEqual(Buffer.from(bytes ?? '?'));
});

test('how a server is reached that stands in for one of the run is kept too', async () => {
  const rollout = { apart: [['two', 'one']] };
  const apart = { run: 'pr4-a', plan: { digest: 'd', rollout } } as unknown as RunRef;
  await pinRun({ store }, apart, revision());
  const kept = await pinnedRun(store, apart);
  expect(kept?.merged.hosts.map(({ name, documents }) => [name, documents.length > 0])).toEqual([
    ['one', true],
    ['two', false],
  ]);
  expect(kept?.changed.map(({ name }) => name)).toEqual(['one']);
});

test('what another engine kept in another way is not read: it is in git', async () => {
  await store.runHosts.save({
    runId: 'pr2-a',
    digest: 'd',
    hosts: [{ host: 'one', body: { format: 0 } }],
    payloads: [],
  });
  expect(await pinnedRun(store, { run: 'pr2-a' })).toBeUndefined();
});

test('what is too large to be kept ends the run before its first effect, and is not tried again', async () => {
  const { merged, base, ...rest } = revision();
  const hosts = merged.hosts.map((host) => {
    return { ...host, server: { ...host.server, labels: { long: 'x'.repeat(RUN_HOST_MAX_BYTES) } } };
  });
  const large = { ...rest, base, merged: { ...merged, hosts } };
  await expect(pinRun({ store }, { ...run, run: 'pr3-a' }, large)).rejects.toMatchObject({
    type: 'permanent',
    nonRetryable: true,
    message: expect.stringMatching(/^What is wanted of one takes \d+ bytes, over the store's 8388608\./),
  });
  expect(await pinnedRun(store, { run: 'pr3-a' })).toBeUndefined();
});
