import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driftScheduleId } from '../../engine/activities/clock.ts';
import { hashRaw } from '../../engine/facts/script.ts';
import { encryptAge, newAgeKey } from '../../engine/secrets/age.ts';
import { MINUTES, until } from '../until.ts';
import type { World } from '../world.ts';
import { configuration } from '../yaml.ts';
import { CANARY, CONTROL, contentWith, type Scene, startScene, TEMPLATE, VARIABLES } from './scene.ts';
import { filesBelow, keysIn, placesOf } from './search.ts';
import type { TestVault } from './vault.ts';

const DOAAS = fileURLToPath(new URL('../../bin/doaas', import.meta.url));

/** Where secrets belong on a server; nothing else there may hold one. */
const THEIR_PLACES = /\/(etc\/(app|away|late)\.env|var\/lib\/doaas\/(runs|items)\/.*)$/;
/** What all processes of a server were started with, and their environments, for as long as its unit runs. */
const SAMPLER = `systemd-run -q --unit=sampler sh -c 'while :; do cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; sleep 0.05; done > /root/sampled 2>/dev/null'`;
const planIn = (comment: string): string | undefined =>
  /\bPlan [^0-9a-f]{0,3}([0-9a-f]{8})/.exec(comment)?.[1];
/** What a host hashes of a file that is root's (facts/path.ts). */
function rawState(mode: string, content: string): string {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return hashRaw(`file ${mode} 0 0 root root ${sha256}\n`);
}

describe('secrets', { timeout: 4 * MINUTES }, () => {
  let scene: Scene;
  let world: World;
  let vault: TestVault;
  beforeAll(async () => {
    scene = await startScene();
    ({ world, vault } = scene);
  }, 4 * MINUTES);
  afterAll(() => scene?.close());

  it('reach the server, from every source, and nobody else', async () => {
    const { pull, sha } = await world.open('good', { 'app.yaml': scene.app() });
    const plan = await world.check(sha, 'doaas/plan');
    expect(plan).toMatchObject({ conclusion: 'success' });
    expect(plan.summary).toContain('so only its fingerprint is shown');
    expect(plan.summary).toContain('‹secret a›');
    await scene.onHost(SAMPLER);
    await scene.apply(pull);
    await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    expect((await world.check(sha, 'doaas/verify')).conclusion).toBe('success');
    await world.mergedSoon(pull);
    await scene.onHost('systemctl stop sampler');
    expect(await scene.onHost('cat /etc/app.env')).toBe(contentWith(CANARY.vault));
    expect(await scene.onHost('stat -c "%a %U" /etc/app.env')).toBe('600 root\n');
  });

  it('plan nothing while they are as they were', async () => {
    const { pull, sha } = await world.open('same', {
      'app.yaml': scene.app({
        files: { '/etc/app.env': { template: 'app.env' }, '/etc/other': { content: 'x' } },
      }),
    });
    expect((await world.check(sha, 'doaas/plan')).title).toMatch(/^1 change on 1 server/);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('are not shown by a change that makes them plain', async () => {
    const { pull, sha } = await world.open('plain', {
      'app.yaml': scene.app({ files: { '/etc/app.env': { content: 'nothing\n' } } }),
    });
    const plan = await world.check(sha, 'doaas/plan');
    expect(plan.summary).toContain('content replaced');
    await world.github.closePullRequest(world.repo, pull);
  });

  it('are not shown where everybody on the server may read them, by a change that keeps or gives up their use', async () => {
    await scene.onHost('cp /etc/app.env /etc/old.env && chmod 644 /etc/old.env');
    const old = { '/etc/old.env': { content: 'moved\n' } };
    const kept = { '/etc/app.env': { template: 'app.env' }, ...old };
    for (const [name, files] of Object.entries({ kept, 'given-up': old })) {
      const { pull, sha } = await world.open(`old-${name}`, { 'app.yaml': scene.app({ files }) });
      const plan = await world.check(sha, 'doaas/plan', { conclusion: 'success' });
      expect(plan.summary).toContain(
        `-A=‹secret a›\n-E=‹secret e›\n-F=‹secret f›\n-V=‹secret v›\n-C=${CONTROL}`,
      );
      await world.github.closePullRequest(world.repo, pull);
    }
    await scene.onHost('rm /etc/old.env');
  });

  let rotated = 0;
  it('void an approval when they change after it', async () => {
    const { pull, sha } = await world.open('rotate', { 'app.yaml': scene.app({}, { mode: '0640' }) });
    rotated = pull;
    await world.check(sha, 'doaas/plan');
    const first = await until(async () => planIn(await world.comment(pull)), 'the comment', 20);
    vault.entries.set('secret/data/app', { password: CANARY.rotated });
    await scene.apply(pull);
    await until(
      async () => {
        const now = await world.comment(pull);
        return /one approving review/.test(now) && planIn(now) !== first ? true : undefined;
      },
      'another plan, which needs an approval of its own',
      60,
      () => world.comment(pull),
    );
    expect(await scene.onHost('cat /etc/app.env')).toBe(contentWith(CANARY.vault));
    // a plan that took the place of another counts from the next whole second (shownAt.ts)
    const shown = Math.floor(Date.now() / 1000);
    await until(async () => (Date.now() / 1000 > shown + 2 ? true : undefined), 'the next whole second');
    await scene.apply(pull);
    await world.mergedSoon(pull);
    expect(await scene.onHost('cat /etc/app.env')).toBe(contentWith(CANARY.rotated));
  });

  it.each([
    [
      'a name that Vault has not',
      { v: { secretRef: { vault: 'secret/data/app', key: 'nothing' } } },
      /has no "nothing"/,
    ],
    [
      'a variable that is not set',
      { e: { secretRef: { env: 'MISSING' } } },
      /MISSING is not set for the engine/,
    ],
    ['a file that is not there', { f: { secretRef: { file: 'app/none' } } }, /cannot be read \(ENOENT\)/],
    [
      'a name that the age file has not',
      { a: { secretRef: { age: 'secrets/app.age', key: 'none' } } },
      /has no "none"/,
    ],
  ])('that cannot be read fail the plan in words: %s', async (name, values, words) => {
    const all = {
      ...VARIABLES,
      spec: { ...VARIABLES.spec, values: { ...VARIABLES.spec.values, ...values } },
    };
    const { pull, sha } = await world.open(`wrong-${name.replaceAll(' ', '-')}`, {
      'variables.yaml': JSON.stringify(all),
    });
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'failure' });
    expect(plan.summary).toMatch(words);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('fail the plan in words while Vault is down, the key is wrong, and a file is open to others', async () => {
    const others = await newAgeKey();
    const wrongKey = await encryptAge(JSON.stringify({ password: CANARY.age }), [others.recipient]);
    const wrong = await world.open('wrong-key', { 'secrets/app.age': wrongKey });
    expect((await world.check(wrong.sha, 'doaas/plan', { conclusion: 'failure' })).summary).toContain(
      'cannot be decrypted with',
    );
    await chmod(join(scene.folder, 'app/key'), 0o644);
    const open = await world.open('open-file', { 'app.env': `${TEMPLATE}D=1\n` });
    expect((await world.check(open.sha, 'doaas/plan', { conclusion: 'failure' })).summary).toContain(
      'chmod 600',
    );
    await chmod(join(scene.folder, 'app/key'), 0o600);
    vault.failWith(503);
    const down = await world.open('vault-down', { 'app.env': `${TEMPLATE}D=2\n` });
    expect((await world.check(down.sha, 'doaas/plan', { conclusion: 'failure' })).summary).toContain(
      'it answered 503',
    );
    vault.failWith(undefined);
  });

  it('are planned by the command line, which says what it cannot read', async () => {
    const tree = await mkdtemp(join(tmpdir(), 'doaas-tree-'));
    try {
      await mkdir(join(tree, 'secrets'));
      for (const path of ['servers.yaml', 'variables.yaml', 'app.env', 'secrets/app.age', 'app.yaml'])
        await writeFile(join(tree, path), (await world.github.fileAt(world.repo, 'main', path)) ?? '');
      await writeFile(
        join(tree, 'more.yaml'),
        configuration('more', { files: { '/etc/more': { content: 'x' } } }),
      );
      const all = await doaas(['plan', tree, '--json'], scene.places);
      expect(JSON.parse(all.stdout).hosts[0].steps.map((step: { id: string }) => step.id)).toEqual([
        'file:/etc/more',
      ]);
      const { DOAAS_SECRET_TOKEN: _, ...less } = scene.places;
      const some = await doaas(['plan', tree], less);
      expect(some.stdout).toMatch(/app.env cannot be planned: .*DOAAS_SECRET_TOKEN is not set/);
      expect(some.stdout).toContain('/etc/more');
      expect(some.status).toBe(1);
    } finally {
      await rm(tree, { recursive: true, force: true });
    }
  });

  it('are waited for where Vault is away while a change is verified', async () => {
    const wait = 'touch /root/begun; while [ ! -e /root/go ]; do sleep 0.1; done; touch /root/went';
    const { pull, sha } = await world.open('vault-away', {
      'away.env': 'V={{v}}\n',
      'away.yaml': configuration('away', {
        variables: { v: { type: 'secret' } },
        files: { '/etc/away.env': { template: 'away.env' } },
        scripts: { wait: { check: 'test -e /root/went', apply: wait, undo: 'rm -f /root/went' } },
      }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await scene.apply(pull);
    await until(
      async () => ((await scene.onHost('ls /root/begun')) === '' ? undefined : true),
      'the last step',
    );
    vault.failWith(503);
    const before = vault.calls();
    await scene.onHost('touch /root/go');
    // six calls for each time that verifying is tried
    await until(async () => (vault.calls() >= before + 12 ? true : undefined), 'verifying, twice');
    vault.breakBody('cut');
    vault.failWith(undefined);
    const cut = vault.calls();
    await until(async () => (vault.calls() >= cut + 12 ? true : undefined), 'verifying, twice more');
    const verify = (await world.checks(sha)).find(({ name }) => name === 'doaas/verify');
    vault.breakBody(undefined);
    expect(verify?.status).toBe('in_progress');
    await world.mergedSoon(pull);
    expect(await scene.onHost('cat /etc/away.env')).toBe(`V=${CANARY.rotated}\n`);
  });

  it('are not needed to take a merged change back', async () => {
    vault.breakBody('cut');
    const comment = await world.say(rotated, '/doaas rollback');
    await world.answer(rotated, comment, /The hosts are as they were before/);
    vault.breakBody(undefined);
    expect(await scene.onHost('cat /etc/app.env')).toBe(contentWith(CANARY.vault));
    expect(await scene.onHost('stat -c %a /etc/app.env')).toBe('600\n');
  });

  it('are not shown where a server drifted', async () => {
    await scene.onHost('echo by-hand >> /etc/app.env');
    await scene.temporal(async ({ schedule }) => {
      await schedule.getHandle('sweep').trigger();
      const drift = schedule.getHandle(driftScheduleId(world.repo));
      await until(
        () =>
          drift.trigger().then(
            () => true as const,
            () => undefined,
          ),
        'a drift schedule',
      );
      const issue = await until(
        async () => (await world.github.listIssues(world.repo)).find(({ state }) => state === 'open'),
        'an issue',
        60,
      );
      expect(String(issue.body)).toContain('so only its fingerprint is shown');
      expect(String(issue.body)).not.toContain('by-hand');
      scene.keep('issues', JSON.stringify(await world.github.listIssues(world.repo)));
    });
  });

  it('stand nowhere in what the system wrote', async () => {
    const { engine, github } = world;
    const written = await scene.everythingWritten();
    expect(written.some(({ where }) => where.startsWith('plan page'))).toBe(true);
    expect(engine.output()).toContain('"level":"debug"');
    const control = placesOf([CONTROL], written).map((place) => place.split(':')[0] ?? '');
    for (const where of ['stored plan', 'store.sqlite', 'git objects', 'checks of', 'plan page'])
      expect([where, control.some((place) => place.includes(where))]).toEqual([where, true]);
    const named = placesOf(['web-1'], written).join();
    for (const where of ['temporal.sqlite', 'comments of']) expect(named).toContain(where);
    const states = [CANARY.vault, CANARY.rotated].flatMap((each) =>
      ['600', '640'].map((mode) => rawState(mode, contentWith(each))),
    );
    // the host itself compares these, so they are what must not be elsewhere
    const kept = await scene.onHost('cat /var/lib/doaas/runs/*/steps/*/*/before');
    expect(states.filter((hash) => kept.includes(hash)).length).toBeGreaterThan(0);
    // with DOAAS_FINGERPRINT_KEY, as the scene has it, the store makes none of its own
    expect(keysIn(join(world.dataDir, 'store.sqlite'))).toEqual([]);
    expect(github.installationTokens().length).toBeGreaterThan(0);
    expect(placesOf([...states, ...(await scene.everySecret())], written)).toEqual([]);
  });

  it('stand nowhere on the server but where they belong, and nobody but root can read them there', async () => {
    const [host] = world.hosts;
    if (host === undefined) throw new Error('there is no host');
    const running = `/proc/${await host.leader()}/root`;
    const folders = [host.upperDir, `${running}/tmp`, `${running}/var/tmp`, `${running}/run`];
    const files = (await Promise.all(folders.map(filesBelow))).flat();
    const journal = await scene.onHost('journalctl -q --no-pager -o export');
    const written = [...files, { where: 'journal', bytes: Buffer.from(journal) }];
    expect(journal).toContain('doaas-ready');
    expect(placesOf(['batch.sh'], written).join()).toContain('/root/sampled: as it is');
    const secrets = await scene.everySecret();
    const found = placesOf(
      secrets,
      files.filter(({ where }) => THEIR_PLACES.test(where)),
    ).join();
    for (const place of ['/etc/app.env', '/var/lib/doaas/runs/']) expect(found).toContain(place);
    const elsewhere = written.filter(({ where }) => !THEIR_PLACES.test(where));
    expect(placesOf(secrets, elsewhere)).toEqual([]);

    expect(await scene.onHost('stat -c "%a %U" /var/lib/doaas')).toBe('700 root\n');
    expect(await scene.onHost('find /var/lib/doaas -type d -perm /077')).toBe('');
    // what was saved of others' files has their modes, within such a folder
    expect(await scene.onHost("find /var/lib/doaas -type f -perm /077 ! -path '*/saved/*'")).toBe('');
    const seen = await scene.onHost(
      'runuser -u nobody -- find /var/lib/doaas -mindepth 1 2>/dev/null || echo none',
    );
    expect(seen).toBe('none\n');
  });

  async function doaas(args: readonly string[], environment: Readonly<Record<string, string>>) {
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: scene.folder,
      DOAAS_SSH_KEY_FILE: world.hosts[0]?.privateKeyPath ?? '',
      ...environment,
    };
    const result = await new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
      execFile(DOAAS, args, { env }, (error, stdout, stderr) =>
        resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
      );
    });
    scene.keep(`doaas ${args[0]}`, result.stdout + result.stderr);
    return result;
  }
});
