import { execFileSync } from 'node:child_process';
import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../engine/store/store.ts';
import { compareTrees, describeDifferences, snapshotTree } from '../../lab/compare.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { isMany } from '../many.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/**
 * The engine is killed with SIGKILL (its embedded Temporal server dies with it; of many engines, one) at each boundary of a run,
 * and started again. What happened is counted on the host: lines that the effect appended, inodes, the journal of units.
 */
describe('an engine that is killed', { timeout: 4 * MINUTES }, () => {
  let world: World;
  let host: LabHost;
  beforeAll(async () => {
    world = await startWorld({
      engine: 'process',
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
    });
    const [first] = world.hosts;
    if (first === undefined) throw new Error('there is no host');
    host = first;
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const on = async (script: string): Promise<string> => (await host.exec(script)).stdout.trim();
  const killAndStart = async (): Promise<void> => {
    await world.engine.kill();
    await world.engine.start();
  };
  const mergedSoon = (pull: number) => world.mergedSoon(pull, '', 90);

  /** One slow effect that counts itself on the host, and a file. */
  const slow = (name: string, extra: Readonly<Record<string, unknown>> = {}, pause = 'sleep 3'): string =>
    configuration(name, {
      files: { [`/etc/doaas-${name}`]: { content: `${name}\n` } },
      scripts: {
        [name]: {
          check: `test -e /var/tmp/${name}.done`,
          apply: `echo begun >> /var/tmp/${name}.begun; ${pause}; echo effect >> /var/tmp/${name}.done`,
          undo: `echo undone >> /var/tmp/${name}.undone; sleep 3; rm -f /var/tmp/${name}.done /var/tmp/${name}.begun`,
        },
      },
      ...extra,
    });

  const approved = async (name: string, files: Readonly<Record<string, string>>) => {
    const { pull, sha } = await world.open(name, files);
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    return { pull, sha };
  };
  const seen = (what: string, script: string) =>
    until(async () => ((await on(script)) === 'yes' ? true : undefined), what, 60);

  /** Each start of these units since the boot, as the host's own systemd counts them. */
  const invocationsOf = (units: string): Promise<string> =>
    on(`journalctl -q -o verbose -u '${units}' | sed -n 's/^ *INVOCATION_ID=//p' | sort -u`);

  /** A run is merged a moment before it has ended. */
  const openRuns = async () => {
    const store = await openStore(world.engine.store, { readOnly: true });
    return store.runs.open().finally(() => store.close());
  };

  const expectApplied = async (name: string, pull: number, sha: string, changes = 2): Promise<void> => {
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'success', seconds: 120 });
    expect(apply.title).toMatch(new RegExp(`^Applied ${changes} changes on 1 server`));
    await mergedSoon(pull);
    expect(await on(`cat /etc/doaas-${name}; cat /var/tmp/${name}.begun; cat /var/tmp/${name}.done`)).toBe(
      `${name}\nbegun\neffect`,
    );
    expect(await on('systemctl list-units --no-legend "doaas-*"')).toBe('');
  };

  it('before the first remote command applies everything once', async () => {
    const { pull, sha } = await approved('before', { 'before.yaml': slow('before') });
    await until(
      async () => ((await world.checks(sha)).some((run) => run.name === 'doaas/apply') ? true : undefined),
      'the run to start',
    );
    await killAndStart();
    await expectApplied('before', pull, sha);
  });

  it('inside a remote command attaches to what runs', async () => {
    const { pull, sha } = await approved('inside', {
      'inside.yaml': slow('inside', {}, 'until [ -e /root/inside.go ]; do sleep 0.1; done'),
    });
    await seen('the effect to begin', '[ -e /var/tmp/inside.begun ] && echo yes');
    const unit = await on(
      'systemctl show -p InvocationID --value $(systemctl list-units --no-legend --plain "doaas-*" | cut -d" " -f1)',
    );
    await killAndStart();
    await on('touch /root/inside.go');
    await expectApplied('inside', pull, sha);
    expect(unit).toMatch(/^[0-9a-f]{32}$/);
    expect(await invocationsOf(`doaas-pr${pull}-*`)).toBe(unit);
  });

  it('after a remote command reads its result', async () => {
    const service = '[Service]\nExecStart=/bin/sleep infinity\n';
    const extra = {
      packages: { tree: {} },
      units: { 'counted.service': { content: service, running: true } },
    };
    const { pull, sha } = await approved('after', { 'after.yaml': slow('after', extra) });
    await seen('the effect to end', '[ -e /var/tmp/after.done ] && echo yes');
    const inode = await on('stat -c %i /var/tmp/after.done');
    await killAndStart();
    await expectApplied('after', pull, sha, 4);
    expect(await on('stat -c %i /var/tmp/after.done')).toBe(inode);
    expect(await on('grep -c "^Install: tree:" /var/log/apt/history.log')).toBe('1');
    const running = await on('systemctl show -p InvocationID --value counted.service');
    expect(running).toMatch(/^[0-9a-f]{32}$/);
    expect(await invocationsOf('counted.service')).toBe(running);
  });

  it('in verify verifies again and merges', async () => {
    // quick once it was killed: every later run proves this document too
    await on(`printf '#!/bin/sh\\n[ -e /var/tmp/verify.killed ] || exec sleep 4\\n' > /var/tmp/verify.probe`);
    await on('chmod 755 /var/tmp/verify.probe');
    const probes = [{ command: ['/var/tmp/verify.probe'], within: '20s' }];
    const { pull, sha } = await approved('verify', { 'verify.yaml': slow('verify', { probes }) });
    await seen('the probe to run', 'pgrep -x sleep -u nobody > /dev/null && echo yes');
    const inode = await on('stat -c %i /etc/doaas-verify');
    await killAndStart();
    await on('touch /var/tmp/verify.killed');
    await expectApplied('verify', pull, sha);
    expect(await on('stat -c %i /etc/doaas-verify')).toBe(inode);
  });

  it('in rollback finishes the rollback, and the host is as before', async () => {
    const before = await snapshotTree(host);
    const probes = [{ tcp: 'localhost:81', within: '1s' }];
    const { pull, sha } = await approved('back', { 'back.yaml': slow('back', { probes }) });
    await seen('the undo to begin', '[ -e /var/tmp/back.undone ] && echo yes');
    await killAndStart();
    const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure', seconds: 120 });
    expect(apply.title).toBe('Probe tcp localhost:81 failed on web-1; 1 server restored as before');
    expect(await on('cat /var/tmp/back.undone; rm /var/tmp/back.undone')).toBe('undone');
    expect(describeDifferences(await compareTrees(before, await snapshotTree(host)))).toBe('');
    expect(await world.merged(pull)).toBe(false);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('in merge, with the answer lost, merges once', async () => {
    world.github.faults.add({
      method: 'PUT',
      path: /\/merge$/,
      times: 1,
      respond: 'drop',
      afterEffect: true,
    });
    const { pull, sha } = await approved('merge', { 'merge.yaml': slow('merge') });
    await mergedSoon(pull);
    await killAndStart();
    await expectApplied('merge', pull, sha);
  });

  // the data of many is PostgreSQL's and Temporal's own, and so is their backup
  const ofOneProcess = isMany() ? it.skip : it;

  /** As docs/operations.md says it: stop, copy, start. */
  ofOneProcess(
    'whose data was restored from a copy goes on, and servers do not take it for late',
    async () => {
      const copy = `${world.dataDir}.backup`;
      try {
        await world.engine.stop();
        await cp(world.dataDir, copy, { recursive: true, preserveTimestamps: true });
        await world.engine.start();
        // two, so that a store that counted on from the copy would now give the server a lower number than it has seen
        for (const name of ['lost', 'lost-too']) {
          const lost = await approved(name, { [`${name}.yaml`]: slow(name) });
          await expectApplied(name, lost.pull, lost.sha);
        }
        await world.engine.stop();
        await rm(world.dataDir, { recursive: true });
        await cp(copy, world.dataDir, { recursive: true, preserveTimestamps: true });
        await world.engine.start();
        const { pull, sha } = await approved('restored', { 'restored.yaml': slow('restored') });
        await expectApplied('restored', pull, sha);
      } finally {
        await rm(copy, { recursive: true, force: true });
      }
    },
  );

  ofOneProcess('whose store alone was copied while it ran goes on with that copy', async () => {
    const copy = `${world.dataDir}.store`;
    const store = join(world.dataDir, 'store.sqlite');
    try {
      await until(async () => ((await openRuns()).length === 0 ? true : undefined), 'the run before to end');
      execFileSync('sqlite3', [store, `.backup ${copy}`]);
      const lost = await approved('later', { 'later.yaml': slow('later') });
      await expectApplied('later', lost.pull, lost.sha);
      await world.engine.stop();
      for (const file of await readdir(world.dataDir))
        if (file.startsWith('store.sqlite')) await rm(join(world.dataDir, file));
      await cp(copy, store);
      await world.engine.start();
      const { pull, sha } = await approved('with-copy', { 'with-copy.yaml': slow('with-copy') });
      await expectApplied('with-copy', pull, sha);
      const reader = await openStore(world.engine.store, { readOnly: true });
      const { brokenAt } = await reader.audit.verify().finally(() => reader.close());
      expect(brokenAt).toBeUndefined();
    } finally {
      await rm(copy, { force: true });
    }
  });

  it('left nothing locked and no API call that GitHub does not know', async () => {
    const { pull, sha } = await approved('last', { 'last.yaml': slow('last') });
    await expectApplied('last', pull, sha);
    expect(world.github.violations()).toEqual([]);
  });
});
