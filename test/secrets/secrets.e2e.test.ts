import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driftScheduleId } from '../../engine/activities/clock.ts';
import { hashRaw } from '../../engine/facts/script.ts';
import { encryptAge, newAgeKey } from '../../engine/secrets/age.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';
import { filesBelow, placesOf, plansIn, type Written } from './search.ts';
import { startVault, type TestVault } from './vault.ts';

const DOAAS = fileURLToPath(new URL('../../bin/doaas', import.meta.url));

/** Distinct, and with what escaping changes. */
const CANARY = {
  env: 'canary-env-9f21"quote',
  file: 'canary-file-77aa\\back',
  age: 'canary-age-5c3e-é',
  vault: 'canary-vault-10d4-one',
  rotated: 'canary-vault-10d4-two',
  late: 'canary-late-e80b-x',
};
/** Not secret: that it is found shows that the search looks at all of these places. */
const CONTROL = 'control-value-b71e';

const VARIABLES = {
  apiVersion: 'doaas/v1',
  kind: 'Variables',
  metadata: { name: 'app' },
  spec: {
    targets: { labels: { role: 'web' } },
    values: {
      a: { secretRef: { age: 'secrets/app.age', key: 'password' } },
      e: { secretRef: { env: 'TOKEN' } },
      f: { secretRef: { file: 'app/key' } },
      v: { secretRef: { vault: 'secret/data/app', key: 'password' } },
    },
  },
};

const DECLARED = Object.fromEntries(['a', 'e', 'f', 'v'].map((name) => [name, { type: 'secret' }]));
const TEMPLATE = `A={{a}}\nE={{e}}\nF={{f}}\nV={{v}}\nC=${CONTROL}\n`;
const planIn = (comment: string): string | undefined =>
  /\bPlan [^0-9a-f]{0,3}([0-9a-f]{8})/.exec(comment)?.[1];
const contentWith = (vault: string): string =>
  `A=${CANARY.age}\nE=${CANARY.env}\nF=${CANARY.file}\nV=${vault}\nC=${CONTROL}\n`;

/** What a host hashes of a file that is root's (facts/path.ts). */
function rawState(mode: string, content: string): string {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return hashRaw(`file ${mode} 0 0 root root ${sha256}\n`);
}

describe('secrets', { timeout: 4 * MINUTES }, () => {
  let world: World;
  let vault: TestVault;
  let folder = '';
  let ageKey = '';
  const shown: Written[] = [];
  const keep = (where: string, text: string): void => {
    shown.push({ where, bytes: Buffer.from(text) });
  };

  beforeAll(async () => {
    vault = await startVault();
    vault.entries.set('secret/data/app', { password: CANARY.vault });
    folder = await mkdtemp(join(tmpdir(), 'doaas-secrets-'));
    await mkdir(join(folder, 'app'), { mode: 0o700 });
    await writeFile(join(folder, 'app/key'), `${CANARY.file}\n`, { mode: 0o600 });
    const { identity, recipient } = await newAgeKey();
    ageKey = identity;
    const encrypted = await encryptAge(JSON.stringify({ password: CANARY.age }), [recipient]);
    world = await startWorld({
      engine: 'process',
      environment: { ...places(), DOAAS_LOG_LEVEL: 'debug', DOAAS_PUBLIC_URL: 'http://127.0.0.1:1' },
      files: (hosts) => ({
        'servers.yaml': serverYaml(hosts),
        'variables.yaml': JSON.stringify(VARIABLES),
        'app.env': TEMPLATE,
        'secrets/app.age': encrypted,
      }),
    });
  }, 4 * MINUTES);
  afterAll(async () => {
    await world?.close();
    await vault?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const places = () => ({
    DOAAS_SECRET_TOKEN: CANARY.env,
    DOAAS_SECRET_LATE: CANARY.late,
    DOAAS_SECRETS_DIR: folder,
    DOAAS_AGE_KEY: ageKey,
    VAULT_ADDR: vault.address,
    VAULT_TOKEN: vault.token,
  });
  const app = (more: Readonly<Record<string, unknown>> = {}, file: Readonly<Record<string, unknown>> = {}) =>
    configuration('app', {
      variables: DECLARED,
      files: { '/etc/app.env': { template: 'app.env', ...file } },
      ...more,
    });
  const onHost = async (script: string): Promise<string> =>
    (await world.hosts[0]?.exec(script))?.stdout ?? '';
  const apply = async (pull: number): Promise<void> => {
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
  };
  const mergedSoon = (pull: number) => world.mergedSoon(pull);
  const temporal = async (use: (client: Client) => Promise<void>): Promise<void> => {
    const address = /Temporal serves at ([\d.:]+)/.exec(world.engine.output())?.[1] ?? '';
    const connection = await Connection.connect({ address });
    try {
      await use(new Client({ connection }));
    } finally {
      await connection.close();
    }
  };

  it('reach the server, from every source, and nobody else', async () => {
    const { pull, sha } = await world.open('good', { 'app.yaml': app() });
    const plan = await world.check(sha, 'doaas/plan');
    expect(plan).toMatchObject({ conclusion: 'success' });
    expect(plan.summary).toContain('so only its fingerprint is shown');
    expect(plan.summary).toContain('‹secret a›');
    await apply(pull);
    await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    expect((await world.check(sha, 'doaas/verify')).conclusion).toBe('success');
    await mergedSoon(pull);
    expect(await onHost('cat /etc/app.env')).toBe(contentWith(CANARY.vault));
    expect(await onHost('stat -c "%a %U" /etc/app.env')).toBe('600 root\n');
  });

  it('plan nothing while they are as they were', async () => {
    const { pull, sha } = await world.open('same', {
      'app.yaml': app({ files: { '/etc/app.env': { template: 'app.env' }, '/etc/other': { content: 'x' } } }),
    });
    expect((await world.check(sha, 'doaas/plan')).title).toMatch(/^1 change on 1 server/);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('are not shown by a change that makes them plain', async () => {
    const { pull, sha } = await world.open('plain', {
      'app.yaml': app({ files: { '/etc/app.env': { content: 'nothing\n' } } }),
    });
    const plan = await world.check(sha, 'doaas/plan');
    expect(plan.summary).toContain('content replaced');
    await world.github.closePullRequest(world.repo, pull);
  });

  let rotated = 0;
  it('void an approval when they change after it', async () => {
    const { pull, sha } = await world.open('rotate', { 'app.yaml': app({}, { mode: '0640' }) });
    rotated = pull;
    await world.check(sha, 'doaas/plan');
    const first = await until(async () => planIn(await world.comment(pull)), 'the comment', 20);
    vault.entries.set('secret/data/app', { password: CANARY.rotated });
    await apply(pull);
    await until(
      async () => {
        const now = await world.comment(pull);
        return /one approving review/.test(now) && planIn(now) !== first ? true : undefined;
      },
      'another plan, which needs an approval of its own',
      60,
      () => world.comment(pull),
    );
    expect(await onHost('cat /etc/app.env')).toBe(contentWith(CANARY.vault));
    // a plan that took the place of another counts from the next whole second (shownAt.ts)
    const shown = Math.floor(Date.now() / 1000);
    await until(async () => (Date.now() / 1000 > shown + 2 ? true : undefined), 'the next whole second');
    await apply(pull);
    await mergedSoon(pull);
    expect(await onHost('cat /etc/app.env')).toBe(contentWith(CANARY.rotated));
  });

  it('are taken out of what a failing step printed, and are rolled back', async () => {
    const { pull, sha } = await world.open('failing', {
      'app.yaml': app({
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
    await apply(pull);
    const run = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(run.summary).toContain(CONTROL);
    expect(run.summary).toContain('‹secret v›');
    expect(await onHost('ls /etc/second.env || :')).toBe('');
    await world.github.closePullRequest(world.repo, pull);
  });

  it('are taken out of what a failing probe printed', async () => {
    const { pull, sha } = await world.open('probe', {
      'app.yaml': app({
        files: {
          '/etc/app.env': { template: 'app.env', mode: '0640' },
          '/etc/third.env': { template: 'app.env' },
        },
        probes: [{ command: ['sh', '-c', 'cat /etc/third.env >&2; exit 3'], user: 'root', within: '1s' }],
      }),
    });
    await world.check(sha, 'doaas/plan');
    await apply(pull);
    const run = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(run.summary).toContain('‹secret e›');
    expect(await onHost('ls /etc/third.env || :')).toBe('');
    await world.github.closePullRequest(world.repo, pull);
  });

  it('are taken out of what a step printed that has nothing to do with them', async () => {
    const { pull, sha } = await world.open('bystander', {
      'bystander.yaml': configuration('bystander', {
        scripts: { s: { check: 'false', apply: 'cat /etc/app.env; exit 1', undo: 'true' } },
      }),
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await apply(pull);
    const run = await world.check(sha, 'doaas/apply', { conclusion: 'failure' });
    expect(run.summary).toContain(CONTROL);
    for (const name of ['a', 'e', 'f', 'v']) expect(run.summary).toContain(`‹secret ${name}›`);
    await world.github.closePullRequest(world.repo, pull);
  });

  /** A change whose undo prints a file that it did not write, and fails until /root/may-undo is there. */
  const openStuck = async (name: string) => {
    const wait = `touch /root/${name}-waits; while [ ! -e /root/${name}-ends ]; do sleep 0.1; done; exit 1`;
    const opened = await world.open(name, {
      [`${name}.yaml`]: configuration(name, {
        scripts: {
          a: {
            check: `test -e /root/${name}-done`,
            apply: `touch /root/${name}-done`,
            undo: `cat /etc/app.env >&2; [ -e /root/may-undo ]; rm -f /root/${name}-done`,
          },
          b: { check: 'false', apply: wait, undo: 'true' },
        },
      }),
    });
    await world.check(opened.sha, 'doaas/plan', { conclusion: 'success' });
    await apply(opened.pull);
    const waits = async () => ((await onHost(`ls /root/${name}-waits`)) === '' ? undefined : true);
    await until(waits, 'the last step');
    return opened;
  };

  it('are taken out of what a failing undo printed, which is withheld while they cannot be read', async () => {
    const { pull, sha } = await openStuck('unread');
    vault.failWith(503);
    await onHost('touch /root/unread-ends');
    const run = await world.check(sha, 'doaas/apply', { conclusion: 'failure', title: /needs a person/ });
    vault.failWith(undefined);
    expect(run.summary).toContain('(withheld: the server holds secrets');
    expect(run.summary).not.toContain(CONTROL);
    const unlock = await world.say(pull, '/doaas unlock', world.github.accounts.reviewer);
    await world.answer(pull, unlock, /is free now/);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('are taken out of what the undo of a dead run printed', async () => {
    const dead = await openStuck('dead');
    await temporal(async ({ workflow }) => {
      for await (const { workflowId } of workflow.list({ query: 'WorkflowType = "deployment"' }))
        if (workflowId.startsWith(`deployment:pr${dead.pull}-`))
          await workflow.getHandle(workflowId).terminate('ended by a test');
    });
    await onHost('touch /root/dead-ends');
    const next = await world.open('after-dead', {
      'next.yaml': configuration('next', { files: { '/etc/next': { content: 'next\n' } } }),
    });
    await world.check(next.sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(next.pull);
    const comment = await world.say(next.pull, '/doaas apply');
    const left = await world.answer(next.pull, comment, /could not be undone/);
    expect(left).toContain(CONTROL);
    expect(left).toContain('‹secret v›');
    // by hand, as docs/architecture.md says
    await onHost(`touch /root/may-undo; sh /var/lib/doaas/runs/pr${dead.pull}-*-w0/batch.sh undo`);
    await world.say(next.pull, '/doaas apply');
    await mergedSoon(next.pull);
    expect(await onHost('ls /root/dead-done || :')).toBe('');
    await world.github.closePullRequest(world.repo, dead.pull);
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
    await chmod(join(folder, 'app/key'), 0o644);
    const open = await world.open('open-file', { 'app.env': `${TEMPLATE}D=1\n` });
    expect((await world.check(open.sha, 'doaas/plan', { conclusion: 'failure' })).summary).toContain(
      'chmod 600',
    );
    await chmod(join(folder, 'app/key'), 0o600);
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
      const all = await doaas(['plan', tree, '--json'], places());
      expect(JSON.parse(all.stdout).hosts[0].steps.map((step: { id: string }) => step.id)).toEqual([
        'file:/etc/more',
      ]);
      const { DOAAS_SECRET_TOKEN: _, ...less } = places();
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
    await apply(pull);
    await until(async () => ((await onHost('ls /root/begun')) === '' ? undefined : true), 'the last step');
    vault.failWith(503);
    const before = vault.calls();
    await onHost('touch /root/go');
    // six calls for each time that verifying is tried
    await until(async () => (vault.calls() >= before + 12 ? true : undefined), 'verifying, twice');
    const verify = (await world.checks(sha)).find(({ name }) => name === 'doaas/verify');
    vault.failWith(undefined);
    expect(verify?.status).toBe('in_progress');
    await mergedSoon(pull);
    expect(await onHost('cat /etc/away.env')).toBe(`V=${CANARY.rotated}\n`);
  });

  it('are not needed to take a merged change back', async () => {
    vault.failWith(503);
    const comment = await world.say(rotated, '/doaas rollback');
    await world.answer(rotated, comment, /The hosts are as they were before/);
    vault.failWith(undefined);
    expect(await onHost('cat /etc/app.env')).toBe(contentWith(CANARY.vault));
    expect(await onHost('stat -c %a /etc/app.env')).toBe('600\n');
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
    await apply(old.pull);
    await mergedSoon(old.pull);
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
    await apply(late.pull);
    await mergedSoon(late.pull);
    const comment = await world.say(old.pull, '/doaas rollback');
    const answer = await world.answer(old.pull, comment, /could not be put back/);
    expect(answer).toContain(CONTROL);
    expect(answer).toContain('‹secret late›');
    const unlock = await world.say(old.pull, '/doaas unlock', world.github.accounts.reviewer);
    await world.answer(old.pull, unlock, /is free now/);
  });

  it('are not shown where a server drifted', async () => {
    await onHost('echo by-hand >> /etc/app.env');
    await temporal(async ({ schedule }) => {
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
      keep('issues', JSON.stringify(await world.github.listIssues(world.repo)));
    });
  });

  it('stand nowhere in what the system wrote', async () => {
    const { engine, github, repo } = world;
    const pulls = Array.from({ length: 40 }, (_, n) => n + 1);
    for (const pull of pulls) {
      const head = await github.getPull(repo, pull).then(
        (found) => String((found.head as { sha?: string } | undefined)?.sha ?? ''),
        () => '',
      );
      if (head === '') continue;
      const checks = JSON.stringify(await github.listChecks(repo, head));
      keep(`checks of #${pull}`, checks);
      keep(`comments of #${pull}`, JSON.stringify(await github.listComments(repo, pull)));
      const link = /http:\/\/127\.0\.0\.1:1(\/plans\/[^\s")\\]+)/.exec(checks)?.[1];
      if (link !== undefined)
        keep(`plan page of #${pull}`, await (await fetch(`${engine.url()}${link}`)).text());
    }
    keep('metrics', await (await fetch(`${engine.url()}/metrics`)).text());
    keep('engine output', engine.output());
    expect(shown.some(({ where }) => where.startsWith('plan page'))).toBe(true);
    expect(engine.output()).toContain('"level":"debug"');
    const plans = plansIn(join(world.dataDir, 'store.sqlite'));
    const written = [...shown, ...plans, ...(await filesBelow(world.dataDir))];
    const control = placesOf([CONTROL], written).map((place) => place.split(':')[0] ?? '');
    for (const where of [
      'stored plan',
      'store.sqlite',
      'git objects',
      'checks of',
      'comments of',
      'plan page',
    ])
      expect([where, control.some((place) => place.includes(where))]).toEqual([where, true]);
    expect(placesOf(['web-1'], written).join()).toContain('temporal.sqlite');
    const states = [CANARY.vault, CANARY.rotated].flatMap((each) =>
      ['600', '640'].map((mode) => rawState(mode, contentWith(each))),
    );
    // the host itself compares these, so they are what must not be elsewhere
    const kept = await onHost('cat /var/lib/doaas/runs/*/steps/*/*/before');
    expect(states.filter((hash) => kept.includes(hash)).length).toBeGreaterThan(0);
    const secrets = [
      ...states,
      ...Object.values(CANARY),
      ...[CANARY.vault, CANARY.rotated].map(contentWith),
      vault.token,
      ageKey,
      ...github.installationTokens(),
      ...github.app.privateKey.split('\n').filter((line) => line.length > 40),
    ];
    expect(github.installationTokens().length).toBeGreaterThan(0);
    expect(placesOf(secrets, written)).toEqual([]);
  });

  async function doaas(args: readonly string[], environment: Readonly<Record<string, string>>) {
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      DOAAS_SSH_KEY_FILE: world.hosts[0]?.privateKeyPath ?? '',
      ...environment,
    };
    const result = await new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
      execFile(DOAAS, args, { env }, (error, stdout, stderr) =>
        resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
      );
    });
    keep(`doaas ${args[0]}`, result.stdout + result.stderr);
    return result;
  }
});
