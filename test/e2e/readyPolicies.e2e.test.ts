import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LabHost } from '../../lab/hosts.ts';
import { nextSecond, policyVerbs } from '../policies.ts';
import { MINUTES, until } from '../until.ts';
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
  afterEach(closeOpen);
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

  it('of frozen Fridays holds production back but on four days, and nothing else', async () => {
    await use('Frozen Fridays');
    const staging = await planned('staging');
    await world.approve(staging.pull);
    await waitingFor(staging.sha, /Waiting for:\*\* nothing/);
    await world.github.push(world.repo, 'main', { 'servers.yaml': database(world.hosts, 'prod') });
    const open = await settledWindow();
    const { pull, sha } = await planned('production');
    await world.approve(pull);
    if (open) {
      await waitingFor(sha, /Waiting for:\*\* nothing/);
      await apply(pull);
    } else {
      await waitingFor(
        sha,
        /Waiting for:\*\* the change window mon tue wed thu 09:00-16:00 Europe\/Berlin \(rule production; /,
      );
      await world.answer(pull, await apply(pull), /The change window is shut/);
      expect(await onHost('production')).toBe('absent\n');
      const { admin } = world.github.accounts;
      await world.say(pull, '/doaas apply --break-glass the shop is down', admin);
      expect(await commentLike(pull, /### The glass was broken by olivia-owner/)).toContain('@acme/on-call');
    }
    await mergedSoon(pull);
    expect(await onHost('production')).toBe('production\n');
  });
});

/** Whether production may be changed now, said by another calendar than the engine's, and for a minute at least. */
function settledWindow(): Promise<boolean> {
  return until(
    async () => {
      const [now, soon] = [0, 60_000].map((ms) => isOpenInBerlin(new Date(Date.now() + ms)));
      return now === soon ? { open: now === true } : undefined;
    },
    'the window to stay as it is for a minute',
    70,
  ).then(({ open }) => open);
}

function isOpenInBerlin(at: Date): boolean {
  const [day = '', time = ''] = at.toLocaleString('sv-SE', { timeZone: 'Europe/Berlin' }).split(' ');
  const weekday = new Date(`${day}T12:00:00Z`).getUTCDay();
  const frozen = day >= '2026-12-20' && day <= '2027-01-06';
  return weekday >= 1 && weekday <= 4 && time >= '09:00:00' && time < '16:00:00' && !frozen;
}
