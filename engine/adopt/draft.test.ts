import { describe, expect, test } from 'vitest';
import { type ItemKey, type Reading, splitItemKey } from '../facts/fact.ts';
import { planHost } from '../plan/planHost.ts';
import { checkRepository } from '../spec/check.ts';
import { repository, server } from '../spec/testing.ts';
import { type AdoptionPart, draftAdoption, partOf, type ReadHost } from './draft.ts';

const WEB = `# every web server
apiVersion: doaas/v1
kind: Configuration
metadata: { name: web }
spec:
  targets: { all: true }
  drift: { ignore: [/etc/quiet] }
  files:
    /etc/motd: { content: "a\\n" } # the greeting
    /etc/banner: { source: files/banner }
    /etc/quiet: { content: "q\\n" }
`;
const TWICE = `apiVersion: doaas/v1
kind: Configuration
metadata: { name: twice }
spec:
  targets: { hosts: [web-1] }
  files:
    /etc/banner2: { source: files/banner }
`;
const FILES = {
  'servers.yaml': `${server('web-1')}---\n${server('web-2')}`,
  'web.yaml': WEB,
  'files/banner': 'hi\n',
};

type Texts = Readonly<Record<string, string | undefined>>;

/** Hosts on which these files stand; undefined: not there. */
function adopting(
  files: Readonly<Record<string, string>>,
  hosts: Readonly<Record<string, Texts>>,
  mask = (text: string) => text,
) {
  const all = repository(files);
  const { resolution, errors } = checkRepository(all);
  expect(errors).toEqual([]);
  const read = Object.entries(hosts).map(([name, texts]): ReadHost => {
    const host = resolution.hosts.find((each) => each.name === name);
    if (host === undefined) throw new Error(`there is no ${name}`);
    const readings = new Map([
      ['owned:all' as ItemKey, { query: splitItemKey('owned:all'), state: [], raw: '' }],
      ['user:root' as ItemKey, reading('user:root', { present: true })],
      ['group:root' as ItemKey, reading('group:root', { present: true })],
      ...Object.entries(texts).map(
        ([path, text]) => [`path:${path}` as ItemKey, fileReading(path, text)] as const,
      ),
    ]);
    const plan = planHost({
      host,
      readings,
      payloads: resolution.payloads,
      repository: 'acme/infra',
      changedItems: new Set(),
    });
    return { host, plan, readings, seals: new Map(), mask };
  });
  return { repository: 'acme/infra', document: 'Configuration/web', files: all, options: {}, hosts: read };
}

function reading(item: ItemKey, state: unknown): Reading {
  return { query: splitItemKey(item), state, raw: JSON.stringify(state) };
}

function fileReading(path: string, text: string | undefined): Reading {
  if (text === undefined) return reading(`path:${path}`, { type: 'absent', present: false });
  const bytes = repository({ x: text }).get('x') ?? new Uint8Array();
  const owned = { mode: '0644', uid: 0, gid: 0, owner: 'root', group: 'root' };
  const content = Buffer.from(bytes).toString('base64');
  return reading(`path:${path}`, {
    type: 'file',
    present: true,
    ...owned,
    sha256: sha256(text),
    links: 1,
    size: 1,
    content,
  });
}

function sha256(text: string): string {
  const { resolution } = checkRepository(
    repository({
      's.yaml': server('x'),
      'c.yaml': `{apiVersion: doaas/v1, kind: Configuration, metadata: {name: c}, spec: {targets: {all: true}, files: {/x: {content: ${JSON.stringify(text)}}}}}`,
    }),
  );
  return [...resolution.payloads.keys()][0] ?? '';
}

const AS_IT_IS: Texts = { '/etc/motd': 'a\n', '/etc/banner': 'hi\n', '/etc/quiet': 'q\n' };
const textOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

test('the document and the file it copies are changed, and nothing else of them', () => {
  const { files, adopted, cannot } = draftAdoption(
    adopting(FILES, {
      'web-1': { ...AS_IT_IS, '/etc/motd': 'b: }\n', '/etc/banner': 'ho\n' },
      'web-2': AS_IT_IS,
    }),
  );
  expect(cannot).toEqual([]);
  expect([...files.keys()].sort()).toEqual(['files/banner', 'web.yaml']);
  expect(textOf(files.get('web.yaml'))).toBe(WEB.replace('"a\\n"', '"b: }\\n"'));
  expect(textOf(files.get('files/banner'))).toBe('ho\n');
  expect(adopted.map(({ item, hosts, others }) => [item, hosts, others])).toEqual([
    ['path:/etc/motd', ['web-1'], ['web-2']],
    ['path:/etc/banner', ['web-1'], ['web-2']],
  ]);
});

test('all hosts that differ alike are one change, and those that differ in their own way none', () => {
  const alike = { ...AS_IT_IS, '/etc/motd': 'b\n' };
  expect(draftAdoption(adopting(FILES, { 'web-1': alike, 'web-2': alike })).adopted).toMatchObject([
    { hosts: ['web-1', 'web-2'], others: [] },
  ]);
  const other = { ...AS_IT_IS, '/etc/motd': 'c\n' };
  const { files, cannot } = draftAdoption(adopting(FILES, { 'web-1': alike, 'web-2': other }));
  expect(files.size).toBe(0);
  expect(cannot).toMatchObject([
    { item: 'path:/etc/motd', hosts: ['web-1', 'web-2'], why: /^it is different on each/ },
  ]);
});

test('the value of a secret stays out of the repository, whatever it looks like, and of what sites keep', () => {
  const mask = (text: string) => text.replaceAll('plain words', '‹secret a›');
  const on = { 'web-1': { ...AS_IT_IS, '/etc/motd': 'with plain words\n', '/etc/banner': 'plain words' } };
  const given = adopting(FILES, on, mask);
  const { files, adopted, cannot } = draftAdoption(given);
  expect([files.size, adopted.length]).toEqual([0, 0]);
  expect(cannot.map(({ item }) => item)).toEqual(['path:/etc/motd', 'path:/etc/banner']);
  for (const { why } of cannot) expect(why).toMatch(/ holds the value of a secret/);
  expect(JSON.stringify(partOf(given))).not.toContain('plain words');
});

test('what is gone is said to be absent; what is ignored is left out', () => {
  const { files, adopted } = draftAdoption(
    adopting(FILES, { 'web-1': { ...AS_IT_IS, '/etc/motd': undefined, '/etc/quiet': 'loud\n' } }),
  );
  expect(adopted.map(({ item }) => item)).toEqual(['path:/etc/motd']);
  expect(textOf(files.get('web.yaml'))).toContain('/etc/motd: { state: "absent" } # the greeting');
});

test('what a merged change is still to bring is not taken back, on no server of the document', () => {
  const bothOld = { ...AS_IT_IS, '/etc/motd': 'old\n' };
  const given = adopting(FILES, { 'web-1': { ...bothOld, '/etc/banner': 'ho\n' }, 'web-2': bothOld });
  const [one] = given.hosts;
  if (one === undefined) throw new Error('there is no host');
  const steps = one.plan.steps.filter(({ before }) => 'path:/etc/motd' in before);
  const pending = [{ kind: 'plan' as const, hosts: [{ ...one.plan, steps }], digest: '' }];
  const { files, adopted, cannot } = draftAdoption({ ...given, pending });
  expect([...files.keys()]).toEqual(['files/banner']);
  expect(adopted.map(({ item }) => item)).toEqual(['path:/etc/banner']);
  const why = 'a merged pull request is still to change it, once its window opens';
  expect(cannot).toEqual([{ item: 'path:/etc/motd', hosts: ['web-1', 'web-2'], why }]);
  const { differing } = partOf({ ...given, pending });
  expect(differing).toMatchObject([{ adoption: { kind: 'cannot', why } }, { adoption: { kind: 'adopt' } }]);
});

describe('servers that somebody else has read', () => {
  const MOTD = { ...AS_IT_IS, '/etc/motd': 'b\n' };
  /** As it comes through the store. */
  const partOn = (name: string, texts: Texts): AdoptionPart =>
    JSON.parse(JSON.stringify(partOf(adopting(FILES, { [name]: texts }))));

  test.each<[string, Texts, Texts]>([
    ['differ alike', MOTD, MOTD],
    ['differ in another way', MOTD, { ...AS_IT_IS, '/etc/motd': 'c\n' }],
    ['differ where the others do not', AS_IT_IS, MOTD],
    ['do not differ where the others do', MOTD, AS_IT_IS],
    ['differ in another item', MOTD, { ...AS_IT_IS, '/etc/banner': 'ho\n' }],
    ['have what cannot be adopted', MOTD, { ...AS_IT_IS, '/etc/motd': '-----BEGIN PRIVATE KEY-----\n' }],
  ])('and that %s make the same draft', (_, here, there) => {
    const whole = draftAdoption(adopting(FILES, { 'web-1': here, 'web-2': there }));
    const parts = draftAdoption(adopting(FILES, { 'web-1': here }), [partOn('web-2', there)]);
    expect(parts).toEqual(whole);
    expect(parts.adopted.length + parts.cannot.length).toBeGreaterThan(0);
    // also where nobody has read any here
    const none = draftAdoption(adopting(FILES, {}), [partOn('web-1', here), partOn('web-2', there)]);
    expect(none).toEqual(whole);
  });

  test('what is said of them holds nothing that is not to be adopted', () => {
    const part = partOn('web-2', { ...AS_IT_IS, '/etc/motd': '-----BEGIN PRIVATE KEY-----\n' });
    expect(JSON.stringify(part)).not.toContain('BEGIN PRIVATE KEY');
    expect(part).toMatchObject({ hosts: ['web-2'], differing: [{ adoption: { kind: 'cannot' } }] });
  });
});

describe('cannot be adopted', () => {
  test('a file that something else copies too', () => {
    const hosts = { 'web-1': { ...AS_IT_IS, '/etc/banner': 'ho\n', '/etc/banner2': 'hi\n' } };
    const { cannot } = draftAdoption(adopting({ ...FILES, 'twice.yaml': TWICE }, hosts));
    expect(cannot).toMatchObject([{ why: expect.stringMatching(/^files\/banner is used 2 times/) }]);
  });

  test('a value that an alias shares', () => {
    const shared = WEB.replace('{ content: "a\\n" }', '&x { content: "a\\n" }').replace(
      '{ content: "q\\n" }',
      '*x',
    );
    const hosts = { 'web-1': { ...AS_IT_IS, '/etc/motd': 'b\n', '/etc/quiet': 'a\n' } };
    const { cannot } = draftAdoption(adopting({ ...FILES, 'web.yaml': shared }, hosts));
    expect(cannot).toMatchObject([{ why: expect.stringMatching(/no place for it/) }]);
  });

  test('what would make the document invalid', () => {
    const link: Reading = reading('path:/etc/motd', {
      type: 'link',
      present: true,
      mode: '0777',
      uid: 0,
      gid: 0,
      owner: 'root',
      group: 'root',
      target: '/a\u0001b',
    });
    const given = adopting(FILES, { 'web-1': { ...AS_IT_IS, '/etc/motd': 'b\n' } });
    const [host] = given.hosts;
    if (host === undefined) throw new Error('there is no host');
    const readings = new Map([...host.readings, ['path:/etc/motd' as ItemKey, link] as const]);
    const { cannot } = draftAdoption({ ...given, hosts: [{ ...host, readings }] });
    expect(cannot).toMatchObject([{ why: expect.stringMatching(/^the document would not be valid/) }]);
  });
});
