import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareInventories, inventoryOf } from '../../lab/inventory.ts';
import { BRIDGE_ADDRESS } from '../../lab/settings.ts';
import type { ResolvedAptRepository, ResolvedConfiguration } from '../spec/configuration.ts';
import { useTestHost } from './testing/cycle.ts';

const run = promisify(execFile);

interface Repository {
  readonly uri: string;
  readonly key: string;
  readonly close: () => Promise<void>;
}

/** A signed repository with one package, served on the lab's bridge. */
async function serveRepository(): Promise<Repository> {
  const dir = await mkdtemp(join(tmpdir(), 'doaas-apt-'));
  const sh = (script: string) =>
    run('sh', ['-euc', script], { cwd: dir, env: { ...process.env, GNUPGHOME: join(dir, 'gnupg') } });
  await mkdir(join(dir, 'gnupg'), { mode: 0o700 });
  await mkdir(join(dir, 'hello/DEBIAN'), { recursive: true });
  await mkdir(join(dir, 'www'));
  const control =
    'Package: doaas-hello\nVersion: 1.0\nArchitecture: all\nMaintainer: test <test@example.org>\nDescription: test\n';
  await writeFile(join(dir, 'hello/DEBIAN/control'), control);
  await sh(`mkdir -p hello/usr/share/doaas-hello; echo hi > hello/usr/share/doaas-hello/hi
dpkg-deb --root-owner-group -b hello www/doaas-hello_1.0_all.deb >/dev/null
cd www; apt-ftparchive packages . > Packages; apt-ftparchive release . > Release.new; mv Release.new Release
gpg -q --batch --passphrase '' --quick-gen-key test@example.org ed25519 sign never
gpg -q --batch --clearsign -o InRelease Release; gpg -q --armor --export test@example.org > ../key.asc; gpgconf --kill all`);
  const server = await serve(join(dir, 'www'));
  const close = async () => {
    await new Promise((done) => server.close(done));
    await rm(dir, { recursive: true, force: true });
  };
  const { port } = server.address() as AddressInfo;
  return {
    uri: `http://${BRIDGE_ADDRESS}:${port}/`,
    key: await readFile(join(dir, 'key.asc'), 'utf8'),
    close,
  };
}

function serve(root: string): Promise<Server> {
  const server = createServer(async (request, response) => {
    const name = (request.url ?? '').split('/').pop() ?? '';
    const bytes = await readFile(join(root, name || 'none')).catch(() => undefined);
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  return new Promise((resolve) => server.listen(0, BRIDGE_ADDRESS, () => resolve(server)));
}

/** Operations: apt-repository.add */
describe('apt repositories on a real host', () => {
  const t = useTestHost();
  let repository: Repository | undefined;
  beforeAll(async () => {
    repository = await serveRepository();
  });
  afterAll(() => repository?.close());

  const served = (): Repository => {
    if (repository === undefined) throw new Error('the repository is not served yet');
    return repository;
  };
  const entry = (key: string): ResolvedAptRepository => ({
    uris: [served().uri],
    suites: ['./'],
    components: [],
    architectures: [],
    key: t.harness().payload(key),
    armored: true,
  });
  const hello: Partial<ResolvedConfiguration> = {
    packages: { 'doaas-hello': { state: 'present', hold: false } },
  };

  it('adds a signed repository, installs from it in the same run, and undoes both', async () => {
    // The lab's proxy for apt is not asked for this address.
    await t.outside(
      `echo 'Acquire::http::Proxy::${BRIDGE_ADDRESS} "DIRECT";' > /etc/apt/apt.conf.d/99direct`,
    );
    const spec = { ...hello, aptRepositories: { hello: entry(served().key) } };
    const before = await inventoryOf(t.host());
    const lists = await t.outside('ls /var/lib/apt/lists');
    const plan = await t.harness().plan(spec);
    expect(plan.steps.map((step) => step.id)).toEqual([
      'apt-repository:hello',
      'packages:install:doaas-hello',
    ]);
    expect(plan.findings).toMatchObject([
      { severity: 'info', message: 'doaas-hello: origin and version are known once the repository is added' },
    ]);
    await t.cycle(spec, async () => {
      expect(
        await t.outside('cat /usr/share/doaas-hello/hi; stat -c %a /etc/apt/keyrings/doaas-hello.asc'),
      ).toBe('hi\n644\n');
      expect(await t.outside('cat /etc/apt/sources.list.d/doaas-hello.sources')).toBe(
        `Types: deb\nURIs: ${served().uri}\nSuites: ./\nSigned-By: /etc/apt/keyrings/doaas-hello.asc\n`,
      );
    });
    expect(compareInventories(before, await inventoryOf(t.host()))).toEqual([]);
    expect(await t.outside('ls /var/lib/apt/lists')).toBe(lists);
  });

  it('refuses a repository that another key signed', async () => {
    const other = await serveRepository();
    const result = await t
      .harness()
      .apply({ aptRepositories: { hello: entry(other.key) } })
      .finally(() => other.close());
    expect(result.end).toBe('failed');
    expect(result.output).toMatch(/apt cannot use this repository: .*(NO_PUBKEY|not signed)/);
    await t.undone(result.run);
    expect(await t.outside('ls /etc/apt/keyrings')).toBe('');
  });
});
