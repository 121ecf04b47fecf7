import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { trackedSource } from './debian.ts';
import { membersOf } from './members.ts';
import { createTracker } from './tracker.ts';

const release = (status: string, more: Readonly<Record<string, unknown>> = {}) => ({
  status,
  repositories: { bookworm: '1' },
  urgency: 'not yet assigned',
  ...more,
});
const CURL = {
  'CVE-2026-0001': {
    description: 'a "quoted" {brace} \\ back',
    releases: {
      bookworm: release('resolved', { fixed_version: '7.88.1-10+deb12u5' }),
      sid: release('resolved', { fixed_version: '8.0-1' }),
    },
  },
  'CVE-2026-0002': { releases: { bookworm: release('open') } },
  'CVE-2026-0003': { releases: { bookworm: release('open', { urgency: 'unimportant' }) } },
  'CVE-2026-0004': { releases: { bookworm: release('resolved', { fixed_version: '0' }) } },
  'CVE-2026-0005': { releases: { bookworm: release('undetermined') } },
  'TEMP-0000001-ABCDEF': { releases: { bookworm: release('open') } },
};

it("of Debian's list what concerns a release is taken, and nothing that is not understood", () => {
  expect(trackedSource(['curl', CURL])).toEqual([
    'curl',
    {
      bookworm: [{ cve: 'CVE-2026-0001', fixed: '7.88.1-10+deb12u5' }, { cve: 'CVE-2026-0002' }],
      sid: [{ cve: 'CVE-2026-0001', fixed: '8.0-1' }],
    },
  ]);
  for (const odd of [null, 1, [], { 'CVE-2026-0001': null }, { 'CVE-2026-0001': { releases: [1] } }])
    expect(trackedSource(['odd', odd])).toEqual(['odd', {}]);
});

async function* pieces(text: string, size: number) {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

async function all(text: string, size: number, max = 10_000) {
  const members = [];
  for await (const member of membersOf(pieces(text, size), max)) members.push(member);
  return members;
}

describe('members of a large object', () => {
  it('are found wherever its text is cut', async () => {
    const object = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue(), { maxKeys: 6 });
    await fc.assert(
      fc.asyncProperty(object, fc.integer({ min: 1, max: 9 }), fc.boolean(), async (given, size, spaced) => {
        const text = JSON.stringify(given, undefined, spaced ? 2 : 0);
        expect(Object.fromEntries(await all(text, size))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('that is cut off, too large or none are refused', async () => {
    await expect(all('{"a": 1', 3)).rejects.toThrow('cut off');
    await expect(all('', 3)).rejects.toThrow('cut off');
    await expect(all('<html>no</html>', 3)).rejects.toThrow('cut off');
    await expect(all(`{"a": "${'x'.repeat(50)}"}`, 7, 20)).rejects.toThrow('more than 20 characters');
  });
});

describe('the tracker', () => {
  let server: Server;
  let url = '';
  let folder = '';
  let answers: { status: number; body: string }[] = [];
  const asked: (string | undefined)[] = [];
  const failures: string[] = [];
  beforeAll(async () => {
    server = createServer((req, res) => {
      asked.push(req.headers['if-none-match']);
      const { status, body } = answers.shift() ?? { status: 500, body: '' };
      res.writeHead(status, { etag: '"one"', 'last-modified': 'Thu, 26 Nov 2026 12:00:00 GMT' });
      res.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/json`;
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'doaas-tracker-'));
    asked.length = 0;
    failures.length = 0;
    return () => rm(folder, { recursive: true, force: true });
  });

  const HOUR = 60 * 60 * 1000;
  let time = Date.UTC(2026, 10, 27);
  const tracker = (of: string | undefined = url) =>
    createTracker({ url: of, folder, failed: (reason) => failures.push(reason), now: () => time });
  const list = JSON.stringify({ curl: CURL, 'curl-other': {}, zlib: CURL });
  const curl = new Set(['curl']);

  it('is asked once, kept with its date, and asked again by its tag', async () => {
    answers = [
      { status: 200, body: list },
      { status: 304, body: '' },
    ];
    const first = tracker();
    const [one, same] = await Promise.all([first.of(curl), first.of(new Set(['zlib', 'none']))]);
    expect(one).toMatchObject({ date: '2026-11-26T12:00:00.000Z', from: "Debian's security tracker" });
    expect([...(one?.sources.keys() ?? [])]).toEqual(['curl']);
    expect([...(same?.sources.keys() ?? [])]).toEqual(['zlib']);
    expect(asked).toEqual([undefined]);
    time += 7 * HOUR;
    expect((await tracker().of(curl))?.sources.get('curl')?.bookworm).toHaveLength(2);
    await tracker().of(curl);
    expect(asked).toEqual([undefined, '"one"']);
    expect(await readdir(folder)).toHaveLength(2);
  });

  it('that cannot be had leaves what is kept, and is not asked again at once', async () => {
    answers = [{ status: 200, body: list }];
    await tracker().of(curl);
    time += 7 * HOUR;
    answers = [
      { status: 200, body: list.slice(0, -9) },
      { status: 500, body: '' },
    ];
    const later = tracker();
    expect((await later.of(curl))?.sources.get('curl')?.bookworm).toHaveLength(2);
    await later.of(curl);
    expect(failures).toEqual(['the JSON object is cut off']);
    expect(await readdir(folder)).toHaveLength(2);
    time += HOUR;
    await later.of(curl);
    expect(failures[1]).toBe(`${url} answered 500`);
  });

  it('that is still coming is waited for so long, and there the next time', async () => {
    const slow = createServer();
    const asked = once(slow, 'request') as Promise<[unknown, ServerResponse]>;
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const late = tracker(`http://127.0.0.1:${(slow.address() as AddressInfo).port}/`);
    expect(await late.of(curl, 50)).toBeUndefined();
    (await asked)[1].end(list);
    expect((await late.of(curl, 10_000))?.sources.get('curl')?.bookworm).toHaveLength(2);
    slow.close();
  });

  it('that never could be had says nothing', async () => {
    answers = [];
    expect(await tracker().of(curl)).toBeUndefined();
    expect(await tracker('http://127.0.0.1:1/').of(curl)).toBeUndefined();
    expect(failures[1]).toContain('fetch failed');
    expect(await createTracker({ url: undefined, folder, failed: () => undefined }).of(curl)).toBeUndefined();
  });
});
