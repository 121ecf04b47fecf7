import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AptArchive, openAptArchive } from '../../lab/apt-archive.ts';
import { compareInventories, inventoryOf } from '../../lab/inventory.ts';
import { BRIDGE_ADDRESS } from '../../lab/settings.ts';
import type { ResolvedAptRepository, ResolvedConfiguration } from '../spec/configuration.ts';
import { useTestHost } from './testing/cycle.ts';

/** A signed archive with one package. */
async function serveRepository(): Promise<AptArchive> {
  const archive = await openAptArchive();
  const files = { 'usr/share/doaas-hello/hi': 'hi\n' };
  await archive.publish({ name: 'doaas-hello', version: '1.0', files });
  return archive;
}

/** Operations: apt-repository.add */
describe('apt repositories on a real host', () => {
  const t = useTestHost();
  let repository: AptArchive | undefined;
  beforeAll(async () => {
    repository = await serveRepository();
  });
  afterAll(() => repository?.close());

  const served = (): AptArchive => {
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
