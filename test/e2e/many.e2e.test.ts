import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TASK_QUEUE } from '../../engine/activities/signalPull.ts';
import { siteQueue } from '../../engine/activities/sites.ts';
import { startCluster, whatIsMissing } from '../../engine/store/testing/postgres.ts';
import { startTemporal } from '../../engine/temporal/server.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { run } from '../../lab/run.ts';
import { BRIDGE_ADDRESS } from '../../lab/settings.ts';
import { payloadTexts } from '../../scripts/history-files.ts';
import { toJson } from '../../scripts/history-json.ts';
import { applyShows } from '../applyShows.ts';
import { endDeploymentOf } from '../endDeployment.ts';
import { type EngineHandle, startTestEngine } from '../engine.ts';
import { hostKeyOf } from '../hostKey.ts';
import { HEAD } from '../policies.ts';
import { SECRET } from '../secret.ts';
import { MINUTES, until } from '../until.ts';
import { startWorkerProcess, type WorkerProcess } from '../worker.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

const missing = whatIsMissing();
if (missing !== undefined && process.env.CI === 'true') throw new Error(missing);

/** Inside the site's network only: TEST-NET-1 (RFC 5737), so that no other network has it. */
const SITE_ADDRESS = '192.0.2.2';

/**
 * Two whole engines on one Temporal server and one PostgreSQL; and a worker in a network of its own, from which it
 * reaches outwards what the others have, and in which it alone reaches the second server.
 */
describe.skipIf(missing !== undefined)(
  'two engines and the worker of a site',
  { timeout: 4 * MINUTES },
  () => {
    let world: World;
    let second: EngineHandle;
    let near: LabHost;
    let far: LabHost;
    let client: Client;
    let site: WorkerProcess;
    /** Begins the site's worker, also once more. */
    let startSite: () => Promise<WorkerProcess>;
    const closing: (() => Promise<unknown>)[] = [];

    beforeAll(async () => {
      const temporal = await startTemporal();
      closing.push(() => temporal.stop());
      const connection = await Connection.connect({ address: temporal.address });
      closing.push(() => connection.close());
      client = new Client({ connection });
      const postgres = await startCluster();
      closing.push(() => postgres.stop());
      const shared = {
        TEMPORAL_ADDRESS: temporal.address,
        DATABASE_URL: postgres.url,
        DOAAS_SITES: 'default',
      };
      world = await startWorld({
        hosts: 2,
        engine: 'process',
        environment: shared,
        files: (hosts) => ({ 'servers.yaml': withSite(serverYaml(hosts), hosts[1]) }),
      });
      closing.push(() => world.close());
      const [first, other] = world.hosts;
      if (first === undefined || other === undefined) throw new Error('there are no two hosts');
      near = first;
      far = other;
      await run(['ip', '-n', far.kernelName, 'addr', 'add', `${SITE_ADDRESS}/32`, 'dev', 'lo']);
      const dataDir = await mkdtemp(join(tmpdir(), 'doaas-second-'));
      closing.push(() => rm(dataDir, { recursive: true, force: true }));
      second = await startTestEngine({
        mode: 'process',
        dataDir,
        github: world.github,
        secret: SECRET,
        sshKeyFile: near.privateKeyPath,
        environment: shared,
      });
      closing.push(() => second.stop());
      const github = await outwards(Number(new URL(world.github.url).port));
      const reached = await outwards(Number(temporal.address.split(':')[1]));
      startSite = () =>
        startWorkerProcess({
          github: world.github,
          sshKeyFile: near.privateKeyPath,
          environment: {
            ...shared,
            DOAAS_ROLE: 'site',
            DOAAS_SITES: 'berlin',
            TEMPORAL_ADDRESS: reached,
            GITHUB_API_URL: `http://${github}`,
            GITHUB_URL: `http://${github}`,
          },
          through: ['ip', 'netns', 'exec', far.kernelName],
        });
      site = await startSite();
      closing.push(() => site.stop());
    }, 4 * MINUTES);
    afterAll(async () => {
      for (const close of closing.splice(0).reverse()) await close();
    }, MINUTES);

    /** A service of this machine as the site's network reaches it: `HOST:PORT`. */
    async function outwards(port: number): Promise<string> {
      const server = createServer((socket) => {
        const target = connect(port, '127.0.0.1');
        socket.pipe(target).pipe(socket);
        socket.on('error', () => target.destroy());
        target.on('error', () => socket.destroy());
      });
      server.listen(0, BRIDGE_ADDRESS);
      await once(server, 'listening');
      closing.push(async () => void server.close());
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port was given');
      return `${BRIDGE_ADDRESS}:${address.port}`;
    }

    function withSite(yaml: string, host: LabHost | undefined): string {
      return yaml.replace(`address: ${host?.address},`, `address: ${SITE_ADDRESS}, site: berlin,`);
    }

    const approved = async (name: string, file: string) => {
      const { pull, sha } = await world.open(name, { [`${name}.yaml`]: file });
      await world.check(sha, 'doaas/plan', { conclusion: 'success' });
      await world.approve(pull);
      await world.say(pull, '/doaas apply');
      return { pull, sha };
    };
    const on = async (host: LabHost, script: string): Promise<string> =>
      (await host.exec(script)).stdout.trim();

    it('cannot be reached from here: the second server', async () => {
      const socket = connect({ host: SITE_ADDRESS, port: 22, timeout: 1000 });
      const how = await Promise.race(
        ['connect', 'error', 'timeout'].map(async (event) => {
          await new Promise((resolve) => socket.once(event, resolve));
          return event;
        }),
      );
      socket.destroy();
      expect(how).not.toBe('connect');
    });

    it('bring a change to servers of both networks, verify it, merge it and take it back', async () => {
      const change = configuration('both', {
        files: { '/etc/doaas-both': { content: 'said by both\n' } },
        scripts: {
          both: {
            check: 'test -e /var/tmp/both',
            apply: 'date +%s%N > /var/tmp/both',
            undo: 'date +%s%N > /var/tmp/both.undone; rm /var/tmp/both',
          },
        },
        probes: [{ command: ['test', '-e', '/etc/doaas-both'] }],
      });
      const { pull, sha } = await approved('both', change);
      await world.mergedSoon(pull, sha, 90);
      for (const host of [near, far]) expect(await on(host, 'cat /etc/doaas-both')).toBe('said by both');
      // site by site: the canary stands where only the site's worker reaches it
      const plan = (await world.checks(sha)).find((check) => check.name === 'doaas/plan');
      expect(plan?.summary).toContain('| 1, canary | web-2 | verify |');
      const changed = await Promise.all([far, near].map((host) => on(host, 'cat /var/tmp/both')));
      expect(changed.toSorted()).toEqual(changed);
      const { summary } = await world.check(sha, 'doaas/verify', { conclusion: 'success' });
      for (const name of ['web-1', 'web-2']) expect(summary).toMatch(new RegExp(`${name}.*passed`));
      const back = await world.say(pull, '/doaas rollback');
      const text = await world.answer(pull, back, /The hosts are as they were before/, 90);
      for (const host of [near, far])
        expect(await on(host, 'ls /etc/doaas-both 2>&1')).toMatch(/No such file/);
      const undone = await Promise.all([near, far].map((host) => on(host, 'cat /var/tmp/both.undone')));
      expect(undone.toSorted()).toEqual(undone);
      await world.github.mergeByHand(world.repo, Number(/Pull request #(\d+)/.exec(text)?.[1]));
    });

    /** On the site's server: waits in its first step until the test lets it go on. */
    const waits = (name: string): string => {
      const wait = `touch /var/tmp/${name}.begun; until [ -e /var/tmp/${name}.go ]; do sleep 0.1; done; touch /var/tmp/${name}`;
      const undo = `rm -f /var/tmp/${name} /var/tmp/${name}.begun`;
      const scripts = { [name]: { check: `test -e /var/tmp/${name}`, apply: wait, undo } };
      return configuration(name, { targets: { hosts: ['web-2'] }, scripts });
    };
    const begun = (name: string) =>
      until(
        async () => ((await on(far, `ls /var/tmp/${name}.begun 2>/dev/null`)) === '' ? undefined : true),
        `${name} to begin`,
      );
    const letGo = (name: string) => on(far, `touch /var/tmp/${name}.go`);

    it("put back on a site's server, by its worker, what was changed there by hand", async () => {
      const { pull, sha } = await approved(
        'owned',
        configuration('owned', {
          targets: { hosts: ['web-2'] },
          drift: { action: 'correct' },
          files: { '/etc/doaas-owned': { content: 'owned\n' } },
        }),
      );
      await world.mergedSoon(pull, sha, 90);
      await on(far, 'echo by hand > /etc/doaas-owned');
      const repository = { ...world.repo, installationId: world.github.installationId };
      const name = `${world.repo.owner}/${world.repo.name}`.toLowerCase();
      const correction = client.workflow.getHandle(`correction:${name}:Configuration/owned`);
      const end = await until(async () => {
        // of a server that a run has just changed a reading says nothing
        const workflowId = `drift-by-a-test-${Date.now()}`;
        await client.workflow.execute('drift', { workflowId, taskQueue: TASK_QUEUE, args: [repository] });
        return correction.result().catch(() => undefined);
      }, 'the correction');
      expect(end).toBe('applied');
      expect(await on(far, 'cat /etc/doaas-owned')).toBe('owned');
      const { events } = await correction.fetchHistory();
      const atSite = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
        scheduled?.taskQueue?.name === siteQueue('berlin') ? [scheduled.activityType?.name] : [],
      );
      expect(atSite).toEqual(['confirmPlan', 'applyHost', 'verifyHosts']);
    });

    it("tell who changed a site's server, and adopt what is on it, together with the others", async () => {
      const file = { '/etc/doaas-shared': { content: 'shared\n' } };
      const { pull, sha } = await approved('shared', configuration('shared', { files: file }));
      await world.mergedSoon(pull, sha, 90);
      const byHand = 'echo by hand | sudo -n tee /etc/doaas-shared';
      for (const host of [near, far]) await on(host, `runuser -u deploy -- sh -c '${byHand}'`);
      const repository = { ...world.repo, installationId: world.github.installationId };
      const found = await until(async () => {
        const workflowId = `drift-of-shared-${Date.now()}`;
        await client.workflow.execute('drift', { workflowId, taskQueue: TASK_QUEUE, args: [repository] });
        return (await world.github.listIssues(world.repo)).find(
          ({ title }) => title === 'Drift: Configuration/shared on web-1 and web-2',
        );
      }, 'the issue about both servers');
      for (const name of ['web-1', 'web-2'])
        expect(String(found.body)).toMatch(
          new RegExp(
            `\\| ${name} \\|[^|]*\\|[^|]*\\| deploy ran with sudo as root at [^|]*: tee /etc/doaas-shared`,
          ),
        );
      const issue = Number(found.number);
      const comment = await world.say(issue, '/doaas adopt');
      const answer = await world.answer(
        issue,
        comment,
        /Pull request #\d+ takes 1 difference into the YAML/,
        90,
      );
      const adoption = Number(/#(\d+)/.exec(answer)?.[1]);
      const { title } = await world.github.getPull(world.repo, adoption);
      expect(title).toBe('Adopt what is on web-1 and web-2: Configuration/shared');
      expect(await world.github.fileAt(world.repo, `doaas/adopt-${issue}`, 'shared.yaml')).toContain(
        'by hand',
      );
      const asked = `issue-request:${world.repo.owner}/${world.repo.name}#${issue}:${comment}`.toLowerCase();
      const history = await client.workflow.getHandle(asked).fetchHistory();
      const atSite = (history.events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
        scheduled?.taskQueue?.name === siteQueue('berlin') ? [scheduled.activityType?.name] : [],
      );
      expect(atSite).toEqual(['readAdoption']);
      expect(payloadTexts(toJson(history)).join()).not.toContain('by hand');
      await world.github.closePullRequest(world.repo, adoption);
      for (const host of [near, far]) await on(host, 'echo shared > /etc/doaas-shared');
    });

    it("report how secure a site's servers are, which its worker reads", async () => {
      const { pull } = await world.open('asks', { 'README.md': 'asks\n' });
      const report = await world.answer(
        pull,
        await world.say(pull, '/doaas security'),
        /### Security of 2/,
        90,
      );
      expect(report).toContain('web-2');
      expect(report).not.toContain('**Not read**');
      await world.github.closePullRequest(world.repo, pull);
    });

    it("stop on a site's server what somebody cancels there, at the next safe point", async () => {
      const { pull, sha } = await approved('halted', waits('halted'));
      await begun('halted');
      await world.answer(pull, await world.say(pull, '/doaas cancel'), /at the next safe point/);
      await until(
        async () =>
          (await on(far, 'ls /var/lib/doaas/runs/*/cancel 2>/dev/null')) === '' ? undefined : true,
        'the server to be told',
      );
      await letGo('halted');
      await world.check(sha, 'doaas/apply', { conclusion: 'action_required' });
      await world.say(pull, '/doaas rollback');
      await world.check(sha, 'doaas/apply', { conclusion: 'failure', title: /1 server restored as before$/ });
      await world.github.closePullRequest(world.repo, pull);
    });

    it("undo on a site's server what a dead run left there, before the next one changes it", async () => {
      const dead = await approved('dead', waits('dead'));
      await begun('dead');
      await endDeploymentOf(client, dead.pull);
      await letGo('dead');
      await world.github.closePullRequest(world.repo, dead.pull);
      const next = { targets: { hosts: ['web-2'] }, files: { '/etc/doaas-next': { content: 'next\n' } } };
      const { pull, sha } = await approved('next', configuration('next', next));
      await world.mergedSoon(pull, sha, 90);
      expect(await on(far, 'cat /etc/doaas-next; ls /var/tmp/dead 2>/dev/null; echo gone')).toBe(
        'next\ngone',
      );
    });

    it('wait for a server of a site, and for its worker, once the window of a run has opened again', {
      timeout: 10 * MINUTES,
    }, async () => {
      const shuts = new Date(Math.ceil((Date.now() + 90_000) / 60_000) * 60_000);
      const opens = new Date(shuts.getTime() + 120_000);
      const clock = (time: Date) => time.toISOString().slice(11, 16);
      const hours = `{from: "${clock(opens)}", to: "${clock(shuts)}"}`;
      const policy = `${HEAD}  rules: {all: {window: {timeZone: UTC, hours: ${hours}}}}\n`;
      await world.github.push(world.repo, 'main', { '.doaas/policy.yaml': policy });
      const pause = `${Math.ceil((shuts.getTime() - Date.now()) / 1000)}s`;
      const files = { '/etc/doaas-held': { content: 'held\n' } };
      const { pull, sha } = await approved('held', configuration('held', { files, rollout: { pause } }));
      await applyShows(world, sha, /waiting for the change window/, 240);
      expect(await on(far, 'cat /etc/doaas-held')).toBe('held');
      const siteAddress = (verb: string) =>
        run(['ip', '-n', far.kernelName, 'addr', verb, `${SITE_ADDRESS}/32`, 'dev', 'lo']);
      await siteAddress('del');
      await until(
        async () => {
          for await (const { workflowId, runId } of client.workflow.list({
            query: 'ExecutionStatus = "Running" AND WorkflowType = "deployment"',
          })) {
            const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
            const reading = raw.pendingActivities?.find(
              ({ activityType }) => activityType?.name === 'readSite',
            );
            if ((reading?.attempt ?? 0) > 1) return true;
          }
          return undefined;
        },
        'the server to be looked for again',
        200,
        async () => JSON.stringify(await world.checks(sha)),
      );
      await site.kill();
      await siteAddress('add');
      await applyShows(world, sha, /waiting until web-2 can be reached/, 180);
      site = await startSite();
      await world.mergedSoon(pull, sha, 120);
      expect(await on(near, 'cat /etc/doaas-held')).toBe('held');
      await world.github.push(world.repo, 'main', { '.doaas/policy.yaml': null });
    });

    it('say that no worker serves a site, and change nothing', async () => {
      const { sha } = await world.open('paris', {
        'paris.yaml': `apiVersion: doaas/v1
kind: Server
metadata: {name: lost, labels: {role: web}}
spec: {address: 192.0.2.9, site: paris, user: deploy, become: sudo, hostKey: "${hostKeyOf('lost')}"}
`,
        'lost.yaml': configuration('lost', { files: { '/etc/doaas-lost': { content: 'lost\n' } } }),
      });
      const plan = await world.check(sha, 'doaas/plan', { conclusion: 'failure' });
      expect(`${plan.title} ${plan.summary}`).toMatch(/no worker serves the site paris/);
    });

    it('lose nothing when the one that follows an effect is killed, and do it once', async () => {
      const { pull, sha } = await approved(
        'survivor',
        configuration('survivor', {
          targets: { hosts: ['web-1'] },
          scripts: {
            survivor: {
              check: 'test -e /var/tmp/survivor.done',
              apply: 'echo begun >> /var/tmp/survivor.begun; sleep 4; echo done >> /var/tmp/survivor.done',
              undo: 'rm -f /var/tmp/survivor.*',
            },
          },
        }),
      );
      const both = [world.engine, second];
      const busy = await until(async () => {
        if ((await on(near, 'ls /var/tmp/survivor.begun 2>/dev/null')) === '') return undefined;
        const sessions = execFileSync('ss', ['-Htnp', 'state', 'established', 'dst', near.address], {
          encoding: 'utf8',
        });
        return both.find((engine) => sessions.includes(`pid=${engine.pid()},`));
      }, 'an engine to follow the effect');
      const left = both.find((engine) => engine !== busy) ?? second;
      await busy.kill();
      // as whatever stands before the two does
      world.github.setWebhookUrl(`${left.url()}/webhooks/github`);
      await world.mergedSoon(pull, sha, 120);
      expect(await on(near, 'cat /var/tmp/survivor.begun /var/tmp/survivor.done')).toBe('begun\ndone');
      const apply = await world.check(sha, 'doaas/apply', { conclusion: 'success' });
      expect(apply.title).toMatch(/^Applied 1 change on 1 server/);
    });
  },
);
