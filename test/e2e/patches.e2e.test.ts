import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AptArchive, type LabPackage, openAptArchive, SECURITY_RELEASE } from '../../lab/apt-archive.ts';
import { driftVerbs } from '../driftVerbs.ts';
import { broken, daemon, library, onAll, startsOf, versionsOf } from '../patching.ts';
import { startTracker, type TestTracker, tracked } from '../tracker.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

const MINUTE_MS = 60_000;
const BOOT_ID = 'cat /proc/sys/kernel/random/boot_id';

const day = (from: number): string =>
  new Date(Date.now() + from * 24 * 60 * MINUTE_MS).toISOString().slice(0, 10);
const SHUT = `{ timeZone: UTC, freeze: [{ from: "${day(-1)}", to: "${day(1)}" }] }`;
const OPEN = '{ timeZone: UTC }';

const policy = (window: string, pause = '0s'): string => `apiVersion: doaas/v1
kind: PatchPolicy
metadata: { name: security }
spec:
  targets: { labels: { role: web } }
  reboot: ifRequired
  window: ${window}
  rollout: { canary: 1, batches: "100%", pause: ${pause} }
`;

/** Another document for its servers, which a window is no part of. */
const never = (document: string): string => document.replace('ifRequired', 'never');

/** In the comment of a pull request whose approvals are there. */
const APPROVED = '**Waiting for:** nothing.';
const ASKS_FOR_REBOOT = 'touch /run/reboot-required; echo doaas-lib >> /run/reboot-required.pkgs';

/** What the installed version closed, the next one closes, the one after that will, and nobody has mended yet. */
const TRACKED = {
  'doaas-lib': {
    'CVE-2026-2221': tracked('1.0'),
    'CVE-2026-2222': tracked('1.1'),
    'CVE-2026-2223': tracked('1.2'),
    'CVE-2026-2224': tracked(),
  },
};

/** Updates on three servers, by a pull request and by themselves; the clock of readings is wound by hand. */
describe('a PatchPolicy', { timeout: 5 * MINUTES }, () => {
  let world: World;
  const { look, firstLook, issue, said } = driftVerbs(() => world, 120);
  /** A server whose apt is not done in time is asked again by the next reading, which comes by the clock elsewhere. */
  const outcome = async (number: unknown, text: RegExp, seconds = 120): Promise<string> => {
    let readings = 1;
    return until(
      async () => {
        const all = await said(number);
        if (all.filter((body) => body.includes('the next reading looks again')).length >= readings) {
          readings += 1;
          await look();
        }
        return all.find((body) => text.test(body));
      },
      `an outcome like ${text}`,
      seconds,
      async () => JSON.stringify(await said(number)),
    );
  };
  let archive: AptArchive;
  let tracker: TestTracker;
  beforeAll(async () => {
    tracker = await startTracker(TRACKED, 'Tue, 24 Nov 2026 12:00:00 GMT');
    world = await startWorld({
      hosts: 3,
      environment: { DOAAS_CVE_URL: tracker.url },
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
    });
    // on the lab's bridge, which is there only now
    archive = await openAptArchive(SECURITY_RELEASE);
    await archive.publish(library('1.0'), daemon('1.0'));
    const install = 'apt-get -qq install --no-install-recommends needrestart doaas-lib doaas-daemon';
    // without Debian's own updates of today
    await onAll(
      world.hosts,
      `${archive.use('fixes')}\n${install}\nmv /etc/apt/sources.list.d/debian.sources /root/`,
    );
    await published(
      library('1.1', { change: 'Fix CVE-2026-1111.', follows: '1.0' }),
      daemon('1.1', { change: 'Fix CVE-2026-1112.', follows: '1.0' }),
    );
    // as APT::Periodic::Download-Upgradeable-Packages does: changelogs are read from what is there already
    await onAll(world.hosts, 'apt-get -qq --download-only install doaas-lib doaas-daemon');
  }, 4 * MINUTES);
  afterAll(async () => {
    await archive?.close();
    await world?.close();
    await tracker?.close();
  });

  const published = async (...packages: readonly LabPackage[]): Promise<void> => {
    await archive.publish(...packages);
    await onAll(world.hosts, 'apt-get -qq update');
  };
  /** Waits until check and comment say that, and nothing else, of what the updates close. */
  const closes = async ({ pull, sha }: { pull: number; sha: string }, ...told: readonly string[]) => {
    const texts = async () => [
      (await world.check(sha, 'doaas/plan', { conclusion: 'success' })).summary,
      await world.comment(pull),
    ];
    const saysSo = (text: string): boolean =>
      [...new Set(text.match(/~ closes .*/g))].join('\n') === told.join('\n');
    const shown = async () => ((await texts()).every(saysSo) ? (true as const) : undefined);
    await until(shown, told.join('\n'), 60, async () => (await texts()).join('\n'));
  };

  let first: { pull: number; sha: string };
  it('is planned with what the changelogs say that it closes, where the security tracker is away', async () => {
    tracker.setAway(true);
    first = await world.open('policy', { 'patches.yaml': policy(SHUT) });
    await closes(
      first,
      '~ closes CVE-2026-1112, by the changelog of doaas-daemon',
      '~ closes CVE-2026-1111, by the changelog of doaas-lib',
    );
    expect(new Set(tracker.answers())).toEqual(new Set([503]));
    await world.approve(first.pull);
    await until(
      async () => ((await world.comment(first.pull)).includes(APPROVED) ? true : undefined),
      'the approval to count',
    );
  });

  it('is planned with what the tracker says, and its date, once it answers; the approval stays', async () => {
    tracker.setAway(false);
    // one that was away is else asked again a quarter of an hour later
    await world.engine.restartAfresh();
    await world.answer(first.pull, await world.say(first.pull, '/doaas plan'), /Planning again/);
    await closes(
      first,
      '~ closes CVE-2026-1112, by the changelog of doaas-daemon',
      "~ closes CVE-2026-2222 in doaas-lib, by Debian's security tracker of 2026-11-24",
    );
    expect(await world.comment(first.pull)).toContain(APPROVED);
  });

  it('is planned in exact versions, and applied in rings with the restarts that follow', async () => {
    const before = await startsOf(world.hosts);
    const { pull, sha } = first;
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    expect(plan.summary).toContain(
      '2 updates (2 security): doaas-daemon 1.0 -&gt; 1.1, doaas-lib 1.0 -&gt; 1.1',
    );
    expect(plan.summary).toMatch(/\+ doaas-lib 1\.1 security from Debian-Security, http/);
    expect(plan.summary).toContain('| 1, canary | web-1 | verify |');
    await world.say(pull, '/doaas apply');
    await world.mergedSoon(pull, sha, 180);
    expect(await versionsOf(world.hosts, 'doaas-lib')).toEqual(['1.1', '1.1', '1.1']);
    const after = await startsOf(world.hosts);
    expect(after.every((start, i) => start !== before[i])).toBe(true);
    // the canary was proven before the others began
    expect(Number(after[0])).toBeLessThan(Math.min(...after.slice(1).map(Number)));
    const report = await until(async () => {
      const comment = await world.comment(pull);
      return comment.includes('Merged as') ? comment : undefined;
    }, 'the report of the run');
    for (const text of [report, (await world.check(sha, 'doaas/apply', { conclusion: 'success' })).summary])
      expect(text).toContain(
        [
          '**What was done beside**',
          '',
          '- `web-1, web-2 and web-3`: restarted doaas-daemon.service',
          '- `web-1, web-2 and web-3`: not rebooted, as nothing asks for it',
          '',
        ].join('\n'),
      );
  });

  it('reports what comes out later while its window is shut, and no pull request takes it along', async () => {
    await published(library('1.2', { scripts: { postinst: ASKS_FOR_REBOOT } }));
    await firstLook();
    const open = await issue('open', /Outstanding: PatchPolicy\/security on web-1, web-2 and web-3/);
    expect(String(open.body)).toMatch(
      /Not done by itself now:\*\* the document's window every day UTC is shut/,
    );
    const { pull, sha } = await world.open('motd', {
      'motd.yaml': configuration('motd', { files: { '/etc/motd': { content: 'hello\n' } } }),
    });
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    expect(plan.summary).not.toContain('doaas-lib');
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await world.mergedSoon(pull, sha, 180);
    expect(await versionsOf(world.hosts, 'doaas-lib')).toEqual(['1.1', '1.1', '1.1']);
  });

  it('installs it by itself in its window, reboots where that is asked for, and says so', async () => {
    const boots = await onAll(world.hosts, BOOT_ID);
    await world.github.push(world.repo, 'main', { 'patches.yaml': policy(OPEN) });
    await look();
    const { number } = await issue('open', /Being done by itself/);
    const report = await outcome(number, /Done: PatchPolicy\/security/);
    expect(report).toMatch(
      /Done as the document declares at .*\+ doaas-lib 1\.2 security.*~ closes CVE-2026-2223 in doaas-lib, by Debian's/s,
    );
    expect(report).toContain('- `web-1, web-2 and web-3`: rebooted, for doaas-lib\n');
    expect(report.match(/rebooted, for/g)).toHaveLength(1);
    expect(await versionsOf(world.hosts, 'doaas-lib')).toEqual(['1.2', '1.2', '1.2']);
    await issue('closed', /Outstanding: PatchPolicy\/security/);
    const rebooted = await onAll(world.hosts, BOOT_ID);
    expect(rebooted.every((boot, i) => boot !== boots[i])).toBe(true);
  });

  it('stops at the canary where a fix is broken, and puts that one back', async () => {
    await published(broken('1.3'));
    await look();
    const open = await issue('open', /Outstanding: PatchPolicy\/security/);
    const told = await outcome(open.number, /failed and was rolled back: PatchPolicy\/security/);
    expect(told).toMatch(/web-1/);
    expect(await versionsOf(world.hosts, 'doaas-lib')).toEqual(['1.2', '1.2', '1.2']);
    expect(
      await onAll(world.hosts, 'grep -c "upgrade doaas-lib:all 1.2 1.3" /var/log/dpkg.log || :'),
    ).toEqual(['1', '0', '0']);
    expect(told).toContain('It is tried once more in a later window (1 of 2 tries)');
    await look();
    await issue('open', /Not done by itself now:\*\* it has failed in this window/);
    await world.github.closeIssue(world.repo, Number(open.number));
  });

  it('keeps what is done where its window shuts before the rest', { timeout: 9 * MINUTES }, async () => {
    await published(library('1.4'));
    const shuts = new Date(Math.ceil((Date.now() + 120_000) / MINUTE_MS) * MINUTE_MS);
    const clock = (at: number): string => new Date(at).toISOString().slice(11, 16);
    const hours = `{ from: "${clock(shuts.getTime() - 30 * MINUTE_MS)}", to: "${clock(shuts.getTime())}" }`;
    const pause = `${Math.ceil((shuts.getTime() - Date.now()) / 1000)}s`;
    const window = `{ timeZone: UTC, hours: ${hours} }`;
    await world.github.push(world.repo, 'main', { 'patches.yaml': policy(window, pause) });
    await look();
    const open = await issue('open', /Outstanding: PatchPolicy\/security/);
    expect(await outcome(open.number, /Done: PatchPolicy\/security/, 300)).toMatch(
      /Not on web-2: the window shut before its turn; the next one goes on with it/,
    );
    expect(await versionsOf(world.hosts, 'doaas-lib')).toEqual(['1.4', '1.2', '1.2']);
  });

  // last, because it keeps the servers
  it('is held where a fix is broken and nobody has the old version any more, as the plan had said', async () => {
    await archive.withdraw('doaas-lib');
    await onAll(world.hosts, 'apt-get clean');
    await published(broken('1.5'));
    const { pull, sha } = await world.open('gone', { 'patches.yaml': never(policy(SHUT)) });
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    expect(plan.summary).toContain('no way back for doaas-lib 1.4: no archive and no cache has it any more');
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure', seconds: 180 });
    expect(apply.title).toBe('web-1 needs a person');
    expect(apply.summary).toContain("could not be put back: E: Version '1.4' for 'doaas-lib' was not found");
    expect(apply.summary).toMatch(/What remains on `web-1`[\s\S]*package:doaas-lib/);
    expect(apply.summary).toContain('The servers stay locked');
    expect(await versionsOf(world.hosts, 'doaas-lib')).toEqual(['1.5', '1.2', '1.2']);
    expect(await world.merged(pull)).toBe(false);
  });
});
