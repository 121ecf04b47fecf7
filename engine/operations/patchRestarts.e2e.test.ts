import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AptArchive, type LabPackage, openAptArchive, SECURITY_RELEASE } from '../../lab/apt-archive.ts';
import { testDocument, type Wanted } from '../../test/hostHarness.ts';
import { itemKey, type Reading } from '../facts/fact.ts';
import type { UpdatesQuery, UpdatesState } from '../facts/updates.ts';
import type { BatchResult } from '../hosts/batchRun.ts';
import { readFacts } from '../hosts/readHost.ts';
import type { PatchRules } from '../kinds/patchPolicy/spec.ts';
import { patchPolicySpec } from '../kinds/patchPolicy/testing/spec.ts';
import { useTestHost } from './testing/cycle.ts';

/** Replaced with each version: what runs the old one runs on until it is restarted. */
const JOB = '/usr/lib/doaas-jobs/job';
const unit = (service: string) => `[Unit]\nDescription=test\n[Service]\n${service}\n`;
/** As cron and containerd are: what they have started outlives their restart. */
const CRON = unit(`KillMode=process\nExecStart=/bin/sh -c '${JOB} infinity & exec ${JOB} infinity'`);
const BACKUP = unit(`Type=oneshot\nExecStart=${JOB} infinity`);

const DROP_IN = '/run/systemd/system/doaas-cron.service.d';

/** As systemd-escape(1) makes them. */
const ODD = 'doaas-db@a\\x2db:c.service';

/** By its package. */
const OWN = 'restarted while their packages were updated: doaas-own.service';

const jobs = (version: string, then: string): LabPackage => ({
  name: 'doaas-jobs',
  version,
  files: {
    'lib/systemd/system/doaas-cron.service': CRON,
    'lib/systemd/system/doaas-backup.service': BACKUP,
    'lib/systemd/system/doaas-own.service': unit('ExecStart=/bin/sleep infinity'),
    'lib/systemd/system/doaas-db@.service': unit(`ExecStart=${JOB} infinity`),
  },
  scripts: {
    postinst: `mkdir -p /usr/lib/doaas-jobs; cp -p --remove-destination /bin/sleep ${JOB}; systemctl daemon-reload; ${then}`,
  },
});

const FIX = '1.0+fix1';

/** Operations: patches.restart */
describe('services that use what was replaced, on a real host', () => {
  const t = useTestHost();
  const archives: AptArchive[] = [];
  beforeAll(async () => {
    const [stable, security] = [await openAptArchive(), await openAptArchive(SECURITY_RELEASE)];
    archives.push(security, stable);
    await stable.publish(jobs('1.0', `systemctl start doaas-cron doaas-own doaas-db@15-main '${ODD}'`));
    await security.publish(jobs(FIX, 'systemctl restart doaas-own'));
    await exec(`${stable.use('stable')}
apt-get -qq install --no-install-recommends needrestart doaas-jobs=1.0
mv /etc/apt/sources.list.d/debian.sources /root/
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

  const restarts = () =>
    t.harness().session(async (session) => {
      const query: UpdatesQuery = { fact: 'updates', key: 'all', updates: 'security' };
      const readings = await readFacts(session, [query]);
      return (readings.get(itemKey(query.fact, query.key)) as Reading<UpdatesState>).state.restarts;
    });

  const policy = (updates: Partial<PatchRules> = {}): Wanted => [
    testDocument('PatchPolicy', patchPolicySpec({ updates })),
  ];

  const told = ({ events }: BatchResult) =>
    events.flatMap(({ event, detail }) => (event === 'note' ? [detail] : []));

  const started = (name: string) => exec(`systemctl show -p InvocationID --value ${name}`);

  it('what a service left running, and a backup that runs, need no restart: the update stays', async () => {
    await exec('systemctl start --no-block doaas-backup');
    const before = { cron: await started('doaas-cron'), backup: await started('doaas-backup') };
    await t.cycle(policy(), async (result) => {
      expect(told(result)).toEqual([OWN, `restarted doaas-cron.service, doaas-db@15-main.service, ${ODD}`]);
      expect(await restarts()).toMatchObject({
        units: [],
        leftovers: ['doaas-cron.service'],
        oneshots: ['doaas-backup.service'],
      });
      expect(await started('doaas-cron')).not.toBe(before.cron);
      expect(await started('doaas-backup')).toBe(before.backup);
      const { findings } = await t.harness().plan(policy());
      expect(findings.map(({ message }) => message)).toEqual([
        'processes from before the last start of doaas-cron.service still use what was replaced; they end by themselves, or with a reboot',
        'still use what was replaced, and are not restarted, as services of one run (oneshot): doaas-backup.service; they end by themselves, or with a reboot',
      ]);
    });
    expect(await exec(`dpkg-query -W -f '\${Version}' doaas-jobs`)).toBe('1.0');
  });

  it('leaves the instances of a service alone too, and says which name is none here', async () => {
    const before = await started('doaas-db@15-main');
    const wanted = policy({ restartNever: ['doaas-db.service', 'doaas-db@16-main.service', 'none.service'] });
    const result = await t.applied(wanted);
    expect(await started('doaas-db@15-main')).toBe(before);
    expect(told(result)).toEqual([
      OWN,
      'restarted doaas-cron.service',
      `left as they are by restartNever: doaas-db@15-main.service, ${ODD}`,
    ]);
    const { steps, findings } = await t.harness().plan(wanted);
    expect(steps).toEqual([]);
    expect(findings.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        `still use what was replaced, and are not restarted by themselves: doaas-db@15-main.service, ${ODD}`,
        'no service here has this name, so "restartNever" leaves nothing out: none.service',
      ]),
    );
    await t.undone(result.run);
  });

  it('says that nobody knows what else is to be restarted where needrestart fails, and of a restart that does', async () => {
    // the one before has left them
    await exec(`systemctl restart doaas-db@15-main '${ODD}'`);
    const plan = await t.harness().plan(policy());
    await exec(`printf '#!/bin/sh\\nexit 1\\n' > /root/needrestart; chmod 755 /root/needrestart
mount --bind /root/needrestart /usr/sbin/needrestart`);
    const unknown = await t.harness().applyPlan(plan);
    await exec('umount /usr/sbin/needrestart; rm /root/needrestart');
    expect(unknown.end).toBe('applied');
    expect(told(unknown)).toEqual([
      OWN,
      'needrestart failed, so what else still uses what was replaced is not known, and was not restarted',
    ]);
    // and who reads it again finds what the step has left
    expect((await t.harness().plan(policy())).steps.map(({ id }) => id)).toEqual(['patch:restart']);
    await t.undone(unknown.run);
    await exec(`mkdir -p ${DROP_IN}; printf '[Service]\\nExecStartPre=/bin/false\\n' > ${DROP_IN}/fails.conf
systemctl daemon-reload`);
    const failed = await t.harness().apply(policy());
    await exec(`rm -r ${DROP_IN}; systemctl daemon-reload`);
    expect(failed.end).toBe('failed');
    expect(told(failed)).toEqual([OWN, 'restart of doaas-cron.service failed']);
    await t.undone(failed.run);
  });
});
