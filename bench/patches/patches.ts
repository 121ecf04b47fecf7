/** A fix that reaches a fleet in rings, then one that is broken and must get no further than the canary; with real packages of a lab's own archive. */
import { parseArgs } from 'node:util';
import { type AptArchive, openAptArchive, SECURITY_RELEASE } from '../../lab/apt-archive.ts';
import { broken, daemon, library, onAll, startsOf, versionsOf } from '../../test/patching.ts';
import { serverYaml, startWorld, type World } from '../../test/world.ts';
import { rounded, timed } from '../measure.ts';
import { progress, type Result } from '../report.ts';
import { type Figures, resultOf } from './result.ts';

/** What the bar speaks of. Fewer are a try. */
const HOSTS = 10;
/** For one run over all hosts, on a machine that others use as well. Seconds. */
const RUN_SECONDS_MAX = 900;

const policy = (restart: 'needed' | 'never'): string => `apiVersion: doaas/v1
kind: PatchPolicy
metadata: { name: security }
spec:
  targets: { labels: { role: web } }
  restart: ${restart}
  rollout: { canary: 1, batches: [3, "100%"] }
`;

export async function patches(argv: readonly string[]): Promise<Result> {
  const { values } = parseArgs({
    args: [...argv],
    options: { hosts: { type: 'string', default: `${HOSTS}` } },
  });
  const hosts = Number(values.hosts);
  if (!Number.isSafeInteger(hosts) || hosts < 2) throw new Error('--hosts takes a whole number from 2 on');
  const world = await startWorld({ hosts, files: (all) => ({ 'servers.yaml': serverYaml(all) }) });
  try {
    // on the lab's bridge, which is there only now
    const archive = await openAptArchive(SECURITY_RELEASE);
    try {
      return resultOf(await measure(world, archive));
    } finally {
      await archive.close();
    }
  } finally {
    await world.close();
  }
}

async function measure(world: World, archive: AptArchive): Promise<Figures> {
  const { hosts } = world;
  await archive.publish(library('1.0'), daemon('1.0'));
  const install = 'apt-get -qq install --no-install-recommends needrestart doaas-lib doaas-daemon';
  await onAll(hosts, `${archive.use('fixes')}\n${install}`);
  progress(`${hosts.length} hosts with version 1.0`);
  const started = await startsOf(hosts);
  await archive.publish(library('1.1'), daemon('1.1'));
  const good = await timed(() => applied(world, 'needed', 'success'));
  const upgraded = (await versionsOf(hosts, 'doaas-lib')).filter((version) => version === '1.1').length;
  const restarted = (await startsOf(hosts)).filter((start, i) => start !== started[i]).length;
  progress(`${upgraded} hosts with the fix after ${rounded(good.seconds)} s`);
  await archive.publish(broken('1.2'));
  const bad = await timed(() => applied(world, 'never', 'failure'));
  // dpkg's own log knows who has begun
  const begun = await onAll(hosts, 'grep -c "upgrade doaas-lib:all 1.1 1.2" /var/log/dpkg.log || :');
  const versions = await versionsOf(hosts, 'doaas-lib');
  const touched = begun.map((lines) => lines !== '0');
  return {
    hosts: hosts.length,
    upgraded,
    restarted,
    stoppedAt: touched.flatMap((yes, i) => (yes ? [`web-${i + 1}`] : [])),
    untouched: touched.filter((yes) => !yes).length,
    rolledBack: touched.filter((yes, i) => yes && versions[i] === '1.1').length,
    seconds: good.seconds,
    secondsStopped: bad.seconds,
  };
}

/** Has whatever is new now planned and applied by a pull request; waits for its end. */
async function applied(world: World, restart: 'needed' | 'never', conclusion: string): Promise<void> {
  await onAll(world.hosts, 'apt-get -qq update');
  const { pull, sha } = await world.open(`policy-${restart}`, { 'patches.yaml': policy(restart) });
  await world.check(sha, 'doaas/plan', { conclusion: 'success', seconds: 120 });
  await world.approve(pull);
  await world.say(pull, '/doaas apply');
  await world.check(sha, 'doaas/apply', { conclusion, seconds: RUN_SECONDS_MAX });
  if (conclusion === 'success') await world.mergedSoon(pull, sha);
}
