import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endDeploymentOf } from '../endDeployment.ts';
import { MINUTES, until } from '../until.ts';
import type { World } from '../world.ts';
import { configuration } from '../yaml.ts';
import { CONTROL, type Scene, startScene, VARIABLES } from './scene.ts';
import { placesOf } from './search.ts';
import type { TestVault } from './vault.ts';

describe('secrets that a server says', { timeout: 4 * MINUTES }, () => {
  let scene: Scene;
  let world: World;
  let vault: TestVault;
  beforeAll(async () => {
    scene = await startScene();
    ({ world, vault } = scene);
  }, 4 * MINUTES);
  afterAll(() => scene?.close());

  it('are on it', async () => {
    const { pull, sha } = await world.open('good', { 'app.yaml': scene.app() });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await scene.apply(pull);
    await world.mergedSoon(pull);
  });

  it('are taken out of what a failing step printed, and are rolled back', async () => {
    const { pull, sha } = await world.open('failing', {
      'app.yaml': scene.app({
        files: {
          '/etc/app.env': { template: 'app.env', mode: '0640' },
          '/etc/second.env': { template: 'app.env' },
        },
        scripts: {
          s: {
            check: 'false',
            apply: 'cat /etc/second.env; base64 -w0 /etc/second.env; exit 1',
            undo: 'true',
          },
        },
      }),
    });
    await world.check(sha, 'doaas/plan');
    await scene.apply(pull);
    const run = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(run.summary).toContain(CONTROL);
    expect(run.summary).toContain('‹secret v›');
    expect(await scene.onHost('ls /etc/second.env || :')).toBe('');
    await world.github.closePullRequest(world.repo, pull);
  });

  it('are taken out of what a failing probe printed', async () => {
    const { pull, sha } = await world.open('probe', {
      'app.yaml': scene.app({
        files: {
          '/etc/app.env': { template: 'app.env', mode: '0640' },
          '/etc/third.env': { template: 'app.env' },
        },
        probes: [{ command: ['sh', '-c', 'cat /etc/third.env >&2; exit 3'], user: 'root', within: '1s' }],
      }),
    });
    await world.check(sha, 'doaas/plan');
    await scene.apply(pull);
    const run = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(run.summary).toContain('‹secret e›');
    expect(await scene.onHost('ls /etc/third.env || :')).toBe('');
    await world.github.closePullRequest(world.repo, pull);
  });

  it('are taken out of what a step printed that has nothing to do with them', async () => {
    const { pull, sha } = await world.open('bystander', {
      'bystander.yaml': configuration('bystander', {
        scripts: { s: { check: 'false', apply: 'cat /etc/app.env; exit 1', undo: 'true' } },
      }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await scene.apply(pull);
    const run = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(run.summary).toContain(CONTROL);
    for (const name of ['a', 'e', 'f', 'v']) expect(run.summary).toContain(`‹secret ${name}›`);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('are taken out of their encodings and hashes, as the usual tools print them', async () => {
    const own = "sed -n 's/^V=//p' /etc/app.env";
    const printing = [
      'base64 /etc/app.env',
      'od -An -v -t x1 /etc/app.env | tr a-f A-F',
      'od -A x -v -t x1z /etc/app.env',
      "od -An -v -t x1 /etc/app.env | tr -d ' \\n' | fold -w 60; echo",
      'sha256sum /etc/app.env',
      'sha256sum < /etc/app.env | tr a-f A-F',
      `echo "line $(${own} | sha256sum)"`,
      `echo "value $(${own} | tr -d '\\n' | sha256sum)"`,
    ];
    const { pull, sha } = await world.open('encoded', {
      'encoded.yaml': configuration('encoded', {
        scripts: { s: { check: 'false', apply: `${printing.join('\n')}\nexit 1`, undo: 'true' } },
      }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await scene.apply(pull);
    const run = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(run.summary).toMatch(/‹secret a, e, f, v› {2}\/etc\/app\.env/);
    expect(run.summary).toMatch(/^.*‹secret a, e, f, v› {2}-/m);
    expect(run.summary).toMatch(/line ‹secret v› {2}-/);
    expect(run.summary).toMatch(/value ‹secret v› {2}-/);
    // what stands around them is still there, as each of the tools prints it
    for (const shown of ['b250cm9sLXZhbHVlLWI3MWUK', '0A 43 3D 63', 'ontrol-value-b71'])
      expect(run.summary).toContain(shown);
    expect(
      placesOf(await scene.everySecret(), [{ where: 'check', bytes: Buffer.from(run.summary) }]),
    ).toEqual([]);
    await world.github.closePullRequest(world.repo, pull);
  });

  /** A change whose undo prints a file that it did not write, and fails until /root/may-undo is there. */
  const openStuck = async (name: string) => {
    const wait = `touch /root/${name}-waits; while [ ! -e /root/${name}-ends ]; do sleep 0.1; done; exit 1`;
    const opened = await world.open(name, {
      [`${name}.yaml`]: configuration(name, {
        scripts: {
          [`${name}-a`]: {
            check: `test -e /root/${name}-done`,
            apply: `touch /root/${name}-done`,
            undo: `cat /etc/app.env >&2; [ -e /root/may-undo ]; rm -f /root/${name}-done`,
          },
          [`${name}-b`]: { check: 'false', apply: wait, undo: 'true' },
        },
      }),
    });
    await world.check(opened.sha, 'doaas/plan', { conclusion: 'success' });
    await scene.apply(opened.pull);
    const waits = async () => ((await scene.onHost(`ls /root/${name}-waits`)) === '' ? undefined : true);
    await until(waits, 'the last step');
    return opened;
  };

  /** As docs/architecture.md says. */
  const undoByHand = (pull: number) =>
    scene.onHost(
      `touch /root/may-undo; sh /var/lib/doaas/runs/pr${pull}-*-w0/batch.sh undo; rm -f /root/may-undo`,
    );

  it('are taken out of what a failing undo printed, which is withheld while they cannot be read', async () => {
    const { pull, sha } = await openStuck('unread');
    vault.failWith(503);
    await scene.onHost('touch /root/unread-ends');
    const run = await world.check(sha, 'doaas/apply', { conclusion: 'failure', title: /needs a person/ });
    vault.failWith(undefined);
    expect(run.summary).toContain('(withheld: the server holds secrets');
    expect(run.summary).not.toContain(CONTROL);
    const unlock = await world.say(pull, '/doaas unlock', world.github.accounts.reviewer);
    await world.answer(pull, unlock, /is free now/);
    await undoByHand(pull);
    expect(await scene.onHost('ls /root/unread-done || :')).toBe('');
    await world.github.closePullRequest(world.repo, pull);
  });

  it('are taken out of what the undo of a dead run printed', async () => {
    const dead = await openStuck('dead');
    await scene.temporal((temporal) => endDeploymentOf(temporal, dead.pull));
    await scene.onHost('touch /root/dead-ends');
    const next = await world.open('after-dead', {
      'next.yaml': configuration('next', { files: { '/etc/next': { content: 'next\n' } } }),
    });
    await world.check(next.sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(next.pull);
    const comment = await world.say(next.pull, '/doaas apply');
    const left = await world.answer(next.pull, comment, /could not be undone/);
    expect(left).toContain(CONTROL);
    expect(left).toContain('‹secret v›');
    await undoByHand(dead.pull);
    await scene.apply(next.pull);
    await world.mergedSoon(next.pull);
    expect(await scene.onHost('ls /root/dead-done || :')).toBe('');
    await world.github.closePullRequest(world.repo, dead.pull);
  });

  it('are taken out of what a late undo printed, also where they came after what is taken back', async () => {
    const old = await world.open('old', {
      'old.yaml': configuration('old', {
        scripts: {
          s: {
            check: 'test -e /root/old',
            apply: 'touch /root/old',
            undo: 'cat /etc/late.env >&2; exit 1',
          },
        },
      }),
    });
    await world.check(old.sha, 'doaas/plan', { conclusion: 'success' });
    await scene.apply(old.pull);
    await world.mergedSoon(old.pull);
    const variables = {
      ...VARIABLES,
      metadata: { name: 'late' },
      spec: { targets: VARIABLES.spec.targets, values: { late: { secretRef: { env: 'LATE' } } } },
    };
    const late = await world.open('late', {
      'late.env': `L={{late}}\nC=${CONTROL}\n`,
      'late-variables.yaml': JSON.stringify(variables),
      'late.yaml': configuration('late', {
        variables: { late: { type: 'secret' } },
        files: { '/etc/late.env': { template: 'late.env' } },
      }),
    });
    await world.check(late.sha, 'doaas/plan', { conclusion: 'success' });
    await scene.apply(late.pull);
    await world.mergedSoon(late.pull);
    const comment = await world.say(old.pull, '/doaas rollback');
    const answer = await world.answer(old.pull, comment, /could not be put back/);
    expect(answer).toContain(CONTROL);
    expect(answer).toContain('‹secret late›');
    const unlock = await world.say(old.pull, '/doaas unlock', world.github.accounts.reviewer);
    await world.answer(old.pull, unlock, /is free now/);
  });

  it('stand nowhere in what the system wrote', async () => {
    const written = await scene.everythingWritten();
    const control = placesOf([CONTROL], written).join();
    for (const where of ['checks of', 'comments of', 'store.sqlite', 'temporal.sqlite'])
      expect(control).toContain(where);
    expect(placesOf(await scene.everySecret(), written)).toEqual([]);
  });
});
