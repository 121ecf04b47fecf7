import { expect, test } from 'vitest';
import { checkRepository } from '../spec/check.ts';
import { configuration, repository, sentences, server } from '../spec/testing.ts';
import { contentsIn, knownOn, sealedOn } from './hostMask.ts';

const AGE = 'age-encryption.org/v1\n-> X25519 abc\n';

/** Two servers, each with a secret of its own and a large file. */
function known() {
  const own = (name: string): Readonly<Record<string, string>> => ({
    [`${name}.yaml`]: configuration(
      name,
      `  targets: {hosts: [${name}]}
  variables: {password: {type: secret}}
  files: {/etc/app.env: {template: app.env}, /etc/large: {source: ${name}.large}}
`,
    ),
    [`values-${name}.yaml`]: `apiVersion: doaas/v1
kind: Variables
metadata: {name: ${name}}
spec: {targets: {hosts: [${name}]}, values: {password: {secretRef: {age: secrets/${name}.age, key: db}}}}
`,
    [`secrets/${name}.age`]: `${AGE}${name}`,
    [`${name}.large`]: name.repeat(1_000),
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
  const [one] = resolution.hosts;
  if (one === undefined) throw new Error('there is no host');
  return { one, resolution };
}

test('what concerns one server has its secrets and the files that hold them, and nothing else', async () => {
  const { one, resolution } = known();
  const narrow = knownOn(one, [resolution]);
  const [sealed] = sealedOn(one, narrow);
  expect(sealedOn(one, narrow)).toEqual(sealedOn(one, [resolution]));
  const use = sealed?.sealed?.[0];
  if (use?.ref.from !== 'age') throw new Error('no secret of a file');
  const content = await contentsIn(narrow, async () => undefined)(use.ref.sha256);
  expect(Buffer.from(content ?? []).toString()).toBe(`${AGE}one`);
  const held = narrow.map(({ hosts, payloads }) => [hosts.map(({ name }) => name), [...payloads.keys()]]);
  expect(held).toEqual([[['one'], [use.ref.sha256, sealed?.sha256]]]);
});
