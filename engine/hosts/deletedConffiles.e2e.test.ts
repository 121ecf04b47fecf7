import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AptArchive, type LabPackage, openAptArchive, SECURITY_RELEASE } from '../../lab/apt-archive.ts';
import { testDocument, type Wanted } from '../../test/hostHarness.ts';
import { itemKey, type Reading } from '../facts/fact.ts';
import { type UpdatesState, updatesFact } from '../facts/updates.ts';
import type { PatchRules } from '../kinds/patchPolicy/spec.ts';
import { useTestHost } from '../operations/testing/cycle.ts';
import { readFacts } from './readHost.ts';

const NAME = 'doaas-conf';
const GONE = '/etc/doaas-conf.conf';
const KEPT = '/etc/doaas-kept.conf';
const FIX = '1.0+fix1';

const version = (of: string): LabPackage => ({
  name: NAME,
  version: of,
  files: { [GONE.slice(1)]: `of ${of}\n`, [KEPT.slice(1)]: 'of all\n' },
  conffiles: [GONE, KEPT],
});

/** dpkg(1): it asks about a configuration file that was deleted and comes new, as about one that was changed. */
describe('a configuration file that the administrator has deleted', () => {
  const t = useTestHost();
  const archives: AptArchive[] = [];
  beforeAll(async () => {
    const [stable, security] = [await openAptArchive(), await openAptArchive(SECURITY_RELEASE)];
    archives.push(security, stable);
    await stable.publish(version('1.0'));
    await security.publish(version(FIX));
    await exec(`${stable.use('stable')}
apt-get -qq install --no-install-recommends ${NAME}=1.0
mv /etc/apt/sources.list.d/debian.sources /root/
rm ${GONE}
${security.use('security')}`);
  });
  afterAll(async () => {
    for (const archive of archives) await archive.close();
  });

  const exec = async (script: string): Promise<string> => {
    const result = await t.host().exec(script);
    if (result.code !== 0) throw new Error(`${result.stdout}\n${result.stderr}`);
    return result.stdout;
  };
  const policy = (conffiles: PatchRules['conffiles']): Wanted => {
    const updates = {
      which: 'security',
      securityOrigins: [],
      exclude: [],
      pinned: [],
      conffiles,
      restart: 'never',
      restartNever: [],
      reboot: 'never',
    } as const;
    return [testDocument('PatchPolicy', { updates, holds: [], probes: [] })];
  };
  const present = () =>
    exec(`dpkg-query -W -f '\${Version}' ${NAME}; cat ${GONE} 2>/dev/null || echo ' gone'`);

  it('is told as changed, and one that is as it came is not', async () => {
    const state = await t.harness().session(async (session) => {
      const query = { fact: 'updates', key: 'all', updates: 'security' } as const;
      const readings = await readFacts(session, [query]);
      return (readings.get(itemKey(updatesFact.fact, 'all')) as Reading<UpdatesState>).state;
    });
    expect(state.updates).toMatchObject([{ name: NAME, conffiles: [GONE] }]);
  });

  it('is left to people where the policy asks', async () => {
    expect((await t.harness().plan(policy('ask'))).steps).toEqual([]);
  });

  it('stays deleted where the own ones are kept', async () => {
    await t.unchanged(async () => {
      const { run } = await t.applied(policy('keep'));
      expect(await present()).toBe(`${FIX} gone\n`);
      await t.undone(run);
      expect(await present()).toBe('1.0 gone\n');
    });
  });

  it('comes where those of the package are taken, and goes again with a rollback', async () => {
    await t.unchanged(async () => {
      const { run } = await t.applied(policy('take'));
      expect(await present()).toBe(`${FIX}of ${FIX}\n`);
      await t.undone(run);
      expect(await present()).toBe('1.0 gone\n');
    });
  });
});
