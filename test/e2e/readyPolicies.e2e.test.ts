import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LabHost } from '../../lab/hosts.ts';
import { nextSecond, policyVerbs } from '../policies.ts';
import { MINUTES } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

const PAGE = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');

/** The ready policy as it stands in docs/policy.md under that heading. */
function documented(heading: string): string {
  const yaml = new RegExp(`\n### ${heading}\n+\`\`\`yaml\n(.*?)\`\`\``, 's').exec(PAGE)?.[1];
  if (yaml === undefined) throw new Error(`docs/policy.md has no ready policy "${heading}"`);
  return yaml;
}

/** The ready policies of docs/policy.md, word by word, on the lab's GitHub, Temporal and a real host. */
describe('a ready policy', { timeout: 3 * MINUTES }, () => {
  let world: World;
  const { openOnly, waitingFor, mergedSoon, onHost, commentLike, parentsOf, closeOpen } = policyVerbs(
    () => world,
  );
  beforeAll(async () => {
    world = await startWorld({ hosts: 1, files: (hosts) => ({ 'servers.yaml': database(hosts, 'test') }) });
    const { second, admin } = world.github.accounts;
    await world.github.createTeam('dba', [second]);
    await world.github.createTeam('on-call', [admin]);
  }, 3 * MINUTES);
  afterEach(async () => {
    world.github.setDate();
    await closeOpen();
  });
  afterAll(() => world?.close());

  const database = (hosts: readonly LabHost[], env: string) =>
    serverYaml(hosts).replace('{role: web}', `{role: db, env: ${env}}`);
  const use = (heading: string) =>
    world.github.push(world.repo, 'main', { '.doaas/policy.yaml': documented(heading) });
  /** A file on the database server, from a folder that says nothing of databases. */
  const planned = async (branch: string, notify: object = {}) => {
    const files = { [`/etc/doaas-${branch}`]: { content: `${branch}\n`, notify } };
    const yaml = configuration(branch, { targets: { labels: { role: 'db' } }, files });
    const opened = await openOnly(branch, { [`apps/${branch}.yaml`]: yaml });
    await world.check(opened.sha, 'doaas/plan');
    return opened;
  };
  const apply = async (pull: number) => {
    await nextSecond();
    return world.say(pull, '/doaas apply');
  };

  it('of a small team begins with the approval, and merges as one commit', async () => {
    await use('A small team');
    const { pull, sha } = await planned('small');
    await waitingFor(sha, /one approving review by somebody with write access other than anna-author/);
    await world.approve(pull);
    await mergedSoon(pull);
    expect(await onHost('small')).toBe('small\n');
    expect(await parentsOf(await world.github.branchSha(world.repo, 'main'))).toHaveLength(1);
  });

  it('of two persons asks for two where something restarts, and for one where nothing does', async () => {
    await use('Two persons');
    const { pull, sha } = await planned('restarting', { restart: ['systemd-journald.service'] });
    await world.approve(pull);
    await waitingFor(sha, /2 approving reviews [^;]*\(rule interrupting; 1 of 2 is there\)/);
    await world.answer(pull, await apply(pull), /Not applied. Missing: 2 approving reviews/);
    await world.approve(pull, world.github.accounts.second);
    await waitingFor(sha, /Waiting for:\*\* nothing/);
    await apply(pull);
    await mergedSoon(pull);
    const quiet = await planned('quiet');
    await world.approve(quiet.pull);
    await waitingFor(quiet.sha, /Waiting for:\*\* nothing/);
  });

  it('of a DBA asks for theirs, whichever file it comes from', async () => {
    await use('A DBA for databases');
    const { pull, sha } = await planned('tables');
    await world.approve(pull);
    await waitingFor(
      sha,
      /Waiting for:\*\* one approving review by a member of dba [^;]*\(rule database-servers/,
    );
    await world.answer(
      pull,
      await apply(pull),
      /Not applied. Missing: one approving review by a member of dba/,
    );
    await world.approve(pull, world.github.accounts.second);
    await waitingFor(sha, /Waiting for:\*\* nothing/);
    await apply(pull);
    await mergedSoon(pull);
    expect(await onHost('tables')).toBe('tables\n');
  });

  it('of frozen Fridays holds production back on a Friday, not on a Thursday, and nothing else', async () => {
    await use('Frozen Fridays');
    const staging = await planned('staging');
    world.github.setDate(next(FRIDAY));
    await world.approve(staging.pull);
    await waitingFor(staging.sha, /Waiting for:\*\* nothing/);
    world.github.setDate();
    await world.github.push(world.repo, 'main', { 'servers.yaml': database(world.hosts, 'prod') });
    const thursday = await planned('thursday');
    world.github.setDate(next(FRIDAY));
    await world.approve(thursday.pull);
    await waitingFor(
      thursday.sha,
      /Waiting for:\*\* the change window mon tue wed thu 09:00-16:00 Europe\/Berlin \(rule production; /,
    );
    await world.answer(thursday.pull, await apply(thursday.pull), /The change window is shut/);
    expect(await onHost('thursday')).toBe('absent\n');
    world.github.setDate(next(THURSDAY));
    await apply(thursday.pull);
    await mergedSoon(thursday.pull);
    expect(await onHost('thursday')).toBe('thursday\n');
    world.github.setDate();
    const friday = await planned('friday');
    world.github.setDate(next(FRIDAY));
    const { admin } = world.github.accounts;
    await world.say(friday.pull, '/doaas apply --break-glass the shop is down', admin);
    expect(await commentLike(friday.pull, /### The glass was broken by olivia-owner/)).toContain(
      '@acme/on-call',
    );
    await mergedSoon(friday.pull);
    expect(await onHost('friday')).toBe('friday\n');
  });
});

const [THURSDAY, FRIDAY] = [4, 5];
const DAY_MS = 24 * 60 * 60_000;

/** That day of the week after today, before noon in Berlin, and not at Christmas. */
function next(weekday: number): Date {
  const tomorrow = Math.ceil(Date.now() / DAY_MS);
  for (let day = tomorrow; ; day += 1) {
    const at = new Date(day * DAY_MS + 10 * 60 * 60_000);
    if (at.getUTCDay() === weekday && !isFrozen(at.toISOString())) return at;
  }
}

function isFrozen(day: string): boolean {
  return day >= '2026-12-20' && day < '2027-01-07';
}
