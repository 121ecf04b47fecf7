import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlannedCorrection } from '../../engine/activities/types.ts';
import { openStore } from '../../engine/store/store.ts';
import { driftVerbs } from '../driftVerbs.ts';
import { HEAD, isoDay } from '../policies.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

const DAY_MS = 24 * 60 * 60_000;

/** Text that no rewriting may disturb. */
const WEB = `# what every web server says
apiVersion: doaas/v1
kind: Configuration
metadata: { name: web } # of the shop
spec:
  targets: { labels: { role: web } }
  drift: { action: correct, ignore: [/etc/issue.net] }
  files:
    /etc/motd: { content: "welcome\\n" }
    /etc/issue.net: { content: "lab\\n" }
  probes:
    - { command: [test, "!", -e, /srv/blocked], within: 10s, every: 1s }
---
apiVersion: doaas/v1
kind: Configuration
metadata: { name: own }
spec:
  targets: { labels: { role: web } }
  files:
    # said at login
    /etc/issue:
      content: "lab\\n" # short
    /etc/key.pem: { content: "none\\n" }
    /etc/banner: { source: files/banner, mode: "0644" }
---
apiVersion: doaas/v1
kind: Configuration
metadata: { name: untold }
spec:
  targets: { hosts: [web-1] }
  drift: { action: correct }
  files: { /etc/untold: { content: "untold\\n" } }
`;

/** What somebody who owns a server may write into a file. */
const HOSTILE = 'a\n"}\n---\nkind: Server # @all\n';

/** Putting drift right by itself, and taking it into the YAML; the clock is wound by hand. */
describe('drift', { timeout: 5 * MINUTES }, () => {
  let world: World;
  const { look, looked, firstLook, issues, issue, said, comment } = driftVerbs(() => world, 40);
  beforeAll(async () => {
    world = await startWorld({ hosts: 2, files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
    const { pull, sha } = await world.open('web', { 'web.yaml': WEB, 'files/banner': 'hello\n' });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await world.mergedSoon(pull, sha);
    await firstLook();
  });
  afterAll(() => world?.close());

  const name = () => `${world.repo.owner}/${world.repo.name}`.toLowerCase();
  const onHost = async (n: number, command: string) => (await world.hosts[n]?.exec(command))?.stdout ?? '';
  /** Says it on an issue, and gives the answer. */
  const ask = async (number: unknown, text: string, by = world.github.accounts.author) => {
    const comment = await world.say(Number(number), text, by);
    const answer = await world.answer(Number(number), comment, /./);
    const reactions = () => world.github.listReactions(world.repo, comment);
    // on a pull request it comes beside the answer
    await until(async () => ((await reactions()).length > 0 ? true : undefined), 'the reaction');
    expect((await reactions()).map(({ content }) => content)).toEqual(['eyes']);
    return answer;
  };

  const queue = async (): Promise<readonly string[]> => {
    const store = await openStore(world.engine.store, { readOnly: true });
    try {
      return (await store.locks.queue()).map(({ runId }) => runId);
    } finally {
      await store.close();
    }
  };
  const lastCorrection = (document = 'web') =>
    world.engine.temporal().workflow.getHandle(`correction:${name()}:Configuration/${document}`);
  /** What is shown comes a moment before the run is over. */
  const over = (document?: string) =>
    until(
      async () => ((await lastCorrection(document).describe()).status.name === 'RUNNING' ? undefined : true),
      'the correction to be over',
    );

  it('is put back where the document says so, verified, shown, and its issue closed', async () => {
    await onHost(0, 'echo "by hand @all" > /etc/motd; echo mine > /etc/issue.net');
    await look();
    const closed = await issue('closed', /Configuration\/web/);
    const told = await comment(closed.number, /Corrected/);
    expect(told).toContain('-by hand @all\n+welcome');
    expect(told).toMatch(/### Corrected: Configuration\/web[\s\S]*By the run `dc\d+-[0-9a-f]{8}`/);
    expect(await onHost(0, 'cat /etc/motd /etc/issue.net')).toBe('welcome\nmine\n');
    await over();
    const store = await openStore(world.engine.store, { readOnly: true });
    const entries = (await store.audit.list({})).filter(({ pull }) => pull === closed.number);
    await store.close();
    expect(entries.map(({ who, what }) => `${who} ${what}`)).toEqual(['doaas correction', 'doaas applied']);
    expect(entries[0]?.detail).toMatchObject({ document: 'Configuration/web', hosts: ['web-1'] });
  });

  it('is put back also where the repository takes no issues', async () => {
    const respond = { status: 410, body: { message: 'Issues has been disabled in this repository.' } };
    world.github.faults.add({ method: 'POST', path: /\/issues$/, times: 1, respond });
    await onHost(0, 'echo other > /etc/untold');
    await look();
    await until(
      async () => ((await onHost(0, 'cat /etc/untold')) === 'untold\n' ? true : undefined),
      'the correction',
      40,
    );
    await over('untold');
    expect(await issues()).toHaveLength(1);
  });

  it('is rolled back where the probes fail, twice and then no more, until somebody closes the issue', async () => {
    await onHost(1, 'touch /srv/blocked; echo other > /etc/motd');
    await look();
    const open = await issue('open', /Configuration\/web on web-2/);
    await comment(open.number, /rolled back[\s\S]*1 of 2 tries/);
    await over();
    expect(await onHost(1, 'cat /etc/motd')).toBe('other\n');
    await look();
    await comment(open.number, /failed 2 times and is \*\*not tried again/);
    await over();
    await look();
    await issue('open', /Not put back by itself now:\*\* it has failed 2 times/);
    expect((await said(open.number)).filter((body) => body.includes('rolled back'))).toHaveLength(2);
    await onHost(1, 'rm /srv/blocked');
    await world.github.closeIssue(world.repo, Number(open.number));
    await look();
    await until(
      async () => ((await onHost(1, 'cat /etc/motd')) === 'welcome\n' ? true : undefined),
      'the correction',
      40,
    );
  });

  it('waits while a change window is shut, and leaves what nobody has applied to a pull request', async () => {
    await until(
      async () => ((await issues()).every(({ state }) => state === 'closed') ? true : undefined),
      'closed issues',
      30,
    );
    const [today, tomorrow] = [isoDay(Date.now()), isoDay(Date.now() + DAY_MS)];
    const frozen = (from: string, to: string) =>
      `apiVersion: doaas/v1\nkind: Policy\nmetadata: { name: p }\nspec:\n  rules:\n    web: { match: { labels: { role: web } }, window: { timeZone: UTC, freeze: [{ from: "${from}", to: "${to}" }] } }\n`;
    await world.github.push(world.repo, 'main', { '.doaas/policy.yaml': frozen(today, tomorrow) });
    await onHost(0, 'echo once more > /etc/motd');
    await look();
    const open = await issue(
      'open',
      /Not put back by itself now:\*\* the change window[^|]*is shut \(rule web\)/,
    );
    // it is looked at again when the window opens
    const opening = `drift-window:${name()}:${isoDay(Date.now() + 2 * DAY_MS)}T00:00:00.000Z`;
    const waiting = world.engine.temporal().workflow.getHandle(opening);
    await until(async () => {
      const described = await waiting.describe().catch(() => undefined);
      return described?.status.name === 'RUNNING' ? true : undefined;
    }, 'a look when the window opens');
    // one that waits for a later opening keeps no earlier one from being waited for
    await world.github.push(world.repo, 'main', { '.doaas/policy.yaml': frozen(today, today) });
    await look();
    const earlier = world.engine.temporal().workflow.getHandle(opening.replace(/:[\d-]*T/, `:${tomorrow}T`));
    await until(async () => {
      const described = await earlier.describe().catch(() => undefined);
      return described?.status.name === 'RUNNING' ? true : undefined;
    }, 'a look when the earlier window opens');
    for (const each of [waiting, earlier]) await each.terminate();
    await world.github.push(world.repo, 'main', {
      '.doaas/policy.yaml': null,
      'web.yaml': WEB.replace('welcome', 'never applied'),
    });
    await look();
    await issue('open', /web-2 \| motd \+1 -1 \| no reading has found it on the server/);
    expect(await onHost(0, 'cat /etc/motd')).toBe('once more\n');
    expect(await onHost(1, 'cat /etc/motd')).toBe('welcome\n');
    expect(await said(open.number)).toEqual([]);
    await world.github.push(world.repo, 'main', { 'web.yaml': WEB });
  });

  it('what was merged and rolled back is not brought back before its revert is merged', async () => {
    const newer = WEB.replace('welcome', 'newer');
    const { pull, sha } = await world.open('newer', { 'web.yaml': newer });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await world.mergedSoon(pull, sha);
    await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    const answer = await world.answer(pull, await world.say(pull, '/doaas rollback'), /as they were before/);
    await looked();
    await issue(
      'open',
      /web-1 \| motd \+1 -1 \| the probes of the document have not been part of an applied change yet/,
    );
    expect(await onHost(0, 'cat /etc/motd')).toBe('once more\n');
    await world.github.mergeByHand(world.repo, Number(/#(\d+) reverts/.exec(answer)?.[1]));
  });

  it('is not put back while another run has the server: it waits, and then compares', async () => {
    const { pull, sha } = await world.open('slow', {
      'slow.yaml': `apiVersion: doaas/v1
kind: Configuration
metadata: { name: slow }
spec:
  targets: { hosts: [web-2] }
  scripts:
    slow: { check: test -e /srv/slow, apply: "touch /srv/begun; while ! test -e /srv/go; do sleep 0.1; done; touch /srv/slow" }
`,
    });
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await until(
      async () => ((await onHost(1, 'ls /srv')).includes('begun') ? true : undefined),
      'the run of the pull request',
      40,
    );
    // as a reading would just before that run began
    const { events } = await lastCorrection().fetchHistory();
    const input = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
    const planned = JSON.parse(Buffer.from(input ?? []).toString()) as PlannedCorrection;
    const own = planned.plan.hosts.map((host) => host.name);
    if (!own.includes('web-2')) throw new Error(`the last correction was on ${own.join()}`);
    const start = (workflowId: string, number: number) =>
      world.engine.temporal().workflow.start('correction', {
        workflowId,
        taskQueue: 'doaas',
        args: [{ ...planned, pull: { ...planned.pull, number } }],
      });
    const waiting = async () => {
      const started = await start('correction-by-hand', planned.pull.number);
      await comment(planned.pull.number, new RegExp(`held by ${name()}#.*${pull}`));
      return started;
    };
    const unwanted = await waiting();
    expect(await ask(planned.pull.number, '/doaas cancel')).toContain('Stopping the correction');
    expect(await unwanted.result()).toBe('stale');
    await comment(planned.pull.number, /Not corrected[\s\S]*cancelled the run\. Nothing was changed/);
    // as in a repository that takes no issues: its name is all that there is
    const nameless = await start(`correction:${name()}:Configuration/web`, 0);
    const run = await until(async () => (await queue()).find((id) => id.startsWith('dc0-')), 'its place');
    expect(await ask(pull, '/doaas cancel dc0-00000000')).toContain('No correction `dc0-00000000`');
    expect(await ask(pull, `/doaas cancel ${run}`)).toContain(`Stopping the correction \`${run}\``);
    expect(await nameless.result()).toBe('stale');
    const correction = await waiting();
    await onHost(1, 'touch /srv/go');
    await world.mergedSoon(pull, sha);
    expect(await correction.result()).toBe('stale');
    await comment(planned.pull.number, /Not corrected[\s\S]*main has moved since/);
  });

  it('is left as it was found, or as far as it came, when somebody who may cancels the correction', async () => {
    const { reader, author, second } = world.github.accounts;
    await world.github.push(world.repo, 'main', {
      '.doaas/policy.yaml': `apiVersion: doaas/v1\nkind: Policy\nmetadata: { name: p }\nspec: { people: { cancel: { users: [${second.login}] } } }\n`,
      // one server, and then time enough to say something
      'web.yaml': WEB.replace(
        'metadata: { name: own }\nspec:\n',
        '$&  drift: { action: correct }\n  rollout: { pause: 10m }\n',
      ),
    });
    const onBoth = () => Promise.all([0, 1].map((n) => onHost(n, 'cat /etc/issue')));
    const begun = async () => {
      await Promise.all([0, 1].map((n) => onHost(n, 'echo other > /etc/issue')));
      await look();
      const { number } = await issue('open', /Drift: Configuration\/own on .*web-2/);
      await until(
        async () => ((await onBoth())[0] === 'lab\n' ? true : undefined),
        'the first server to be put back',
        40,
        async () => JSON.stringify([await onBoth(), await said(number)]),
      );
      return number;
    };
    const cancelled = await begun();
    expect(await ask(cancelled, '/doaas cancel', reader)).toContain('needs write access');
    expect(await ask(cancelled, '/doaas cancel', author)).toContain('keeps `cancel` to');
    expect(await ask(cancelled, '/doaas cancel all', second)).toContain('nothing or the word `keep`');
    expect(await onBoth()).toEqual(['lab\n', 'other\n']);
    const stopping = await ask(cancelled, '/doaas cancel', second);
    expect(stopping).toMatch(/Stopping the correction `dc\d+-[0-9a-f]{8}`[\s\S]* is taken back/);
    const told = await comment(cancelled, /### Correction cancelled and rolled back: Configuration\/own/);
    expect(told).toContain(`${second.login} cancelled the run`);
    await over('own');
    expect(await onBoth()).toEqual(['other\n', 'other\n']);
    expect(await ask(cancelled, '/doaas cancel', second)).toContain('Nothing is being corrected');
    await look();
    await issue(
      'open',
      new RegExp(`by itself now:\\*\\* ${second.login} cancelled it, so it is not tried again`),
    );
    await world.github.closeIssue(world.repo, Number(cancelled));
    const kept = await begun();
    expect(await ask(kept, '/doaas cancel keep', second)).toMatch(/has put back by then stays/);
    await comment(kept, /### Correction cancelled, and kept as it was: Configuration\/own/);
    await over('own');
    expect(await onBoth()).toEqual(['lab\n', 'other\n']);
    expect(await ask(kept, '/doaas unlock')).toMatch(/is free now[\s\S]*is free now/);
    await onHost(1, 'echo lab > /etc/issue');
    await world.github.push(world.repo, 'main', { '.doaas/policy.yaml': null, 'web.yaml': WEB });
    await look();
    await until(
      async () => (await issues()).find((each) => each.number === kept && each.state === 'closed'),
      'the issue to be closed',
      40,
    );
  });

  it('is taken into the YAML by a pull request when somebody who may asks for it on the issue', async () => {
    const text = Buffer.from(HOSTILE).toString('base64');
    await onHost(0, `echo ${text} | base64 -d > /etc/issue`);
    await onHost(0, 'echo bye > /etc/banner; chmod 600 /etc/banner');
    await onHost(0, 'echo "-----BEGIN PRIVATE KEY-----" > /etc/key.pem');
    await look();
    const { number } = await issue('open', /Drift: Configuration\/own on web-1/);
    expect(await ask(number, '/doaas adopt', world.github.accounts.reader)).toContain('needs write access');
    expect(await ask(number, '/doaas adpot')).toContain('Did you mean `/doaas adopt`?');
    expect(await ask(number, '/doaas apply')).toContain('`/doaas apply` belongs on a pull request');
    const answer = await ask(number, '/doaas adopt');
    expect(answer).toMatch(
      /Pull request #\d+ takes 1 difference into the YAML\. 2 differences cannot be adopted/,
    );
    const pull = Number(/#(\d+)/.exec(answer)?.[1]);
    const { head, body, title } = await world.github.getPull(world.repo, pull);
    const { ref, sha } = head as { ref: string; sha: string };
    expect([ref, title]).toEqual([`doaas/adopt-${number}`, 'Adopt what is on web-1: Configuration/own']);
    expect(String(body)).toMatch(/key\.pem.*looks like a key/);
    expect(String(body)).toMatch(/banner.*not every user of the server may read/);
    expect(String(body)).toContain('**Applying this changes web-2 as well:**');
    expect(await world.github.fileAt(world.repo, ref, 'web.yaml')).toBe(
      WEB.replace('content: "lab\\n" # short', `content: ${JSON.stringify(HOSTILE)} # short`),
    );
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    expect(await ask(number, '/doaas adopt')).toContain(
      `Pull request #${pull} has been there and is up to date`,
    );
    expect((await world.github.getPull(world.repo, pull)).head).toMatchObject({ sha });
    // who asked is taken for its author
    await world.approve(pull, world.github.accounts.author);
    const verdict = async () =>
      (await world.checks(sha)).find(({ name }) => name === 'doaas/plan')?.summary ?? '';
    await until(
      async () => (/anna-author/.test(await verdict()) ? true : undefined),
      'the approval to be judged',
      30,
      verdict,
    );
    expect(await verdict()).toMatch(/anna-author.*pushed/);
    // also under another name
    const { author } = world.github.accounts;
    const renamed = await world.github.renameAccount(author, 'anna-renamed');
    try {
      await world.approve(pull, renamed);
      await until(
        async () => (/anna-renamed/.test(await verdict()) ? true : undefined),
        'the approval under the new name to be judged',
        30,
        verdict,
      );
      expect(await verdict()).toMatch(/anna-renamed.*pushed/);
    } finally {
      await world.github.renameAccount(renamed, author.login);
    }
    await world.approve(pull);
    await until(
      async () => ((await verdict()).includes('**Waiting for:** nothing') ? true : undefined),
      'the gate to open',
      30,
      verdict,
    );
  });

  it('is not taken into the YAML where a merged change waits for its window, or a run has the server', async () => {
    const approved = async ({ pull, sha }: { pull: number; sha: string }, judged: RegExp) => {
      await world.check(sha, 'doaas/plan');
      await world.approve(pull);
      const verdict = async () =>
        (await world.checks(sha)).find(({ name }) => name === 'doaas/plan')?.summary ?? '';
      await until(
        async () => (judged.test(await verdict()) ? true : undefined),
        'the approval to be judged',
        30,
        verdict,
      );
    };
    const before = await issue('open', /Drift: Configuration\/own/);
    await onHost(0, 'echo lab > /etc/issue; echo none > /etc/key.pem');
    await onHost(0, 'echo hello > /etc/banner; chmod 644 /etc/banner');
    await look();
    await until(
      async () => (await issues()).find((each) => each.number === before.number && each.state === 'closed'),
      'the issue to be closed',
      40,
      async () => JSON.stringify(await issues()),
    );
    const [today, tomorrow] = [0, 1].map((days) => isoDay(Date.now() + days * DAY_MS));
    const window = `{ timeZone: UTC, freeze: [{ from: "${today}", to: "${tomorrow}" }] }`;
    await world.github.push(world.repo, 'main', {
      '.doaas/policy.yaml': `${HEAD}  trigger: merge\n  rules: { web: { match: { paths: [web.yaml] }, window: ${window} } }\n`,
    });
    const newer = WEB.replace('content: "lab\\n" # short', 'content: "newer\\n" # short');
    const waiting = await world.open('waiting', { 'web.yaml': newer });
    await approved(waiting, /Waiting for:\*\* the change window/);
    await world.github.mergeByHand(world.repo, waiting.pull);
    await comment(waiting.pull, /The change window is shut. This is applied by itself when it opens/);
    await onHost(0, 'echo bye > /etc/banner');
    await look();
    const { number, body } = await issue('open', /Drift: Configuration\/own on web-1/);
    expect(String(body)).not.toContain('/etc/issue');

    const answer = await ask(number, '/doaas adopt');
    expect(answer).toMatch(/takes 1 difference into the YAML\. 1 difference cannot be adopted/);
    const pull = await world.github.getPull(world.repo, Number(/#(\d+)/.exec(answer)?.[1]));
    expect(String(pull.body)).toMatch(/path:\/etc\/issue.*a merged pull request is still to change it/);
    const { ref } = pull.head as { ref: string };
    expect(await world.github.fileAt(world.repo, ref, 'web.yaml')).toBe(newer);
    expect(await world.github.fileAt(world.repo, ref, 'files/banner')).toBe('bye\n');

    const busy = await world.open('busy', {
      'busy.yaml': configuration('busy', {
        targets: { hosts: ['web-1'] },
        scripts: {
          busy: {
            check: 'test -e /srv/busy',
            apply: 'touch /srv/busy.begun; until test -e /srv/busy.go; do sleep 0.1; done; touch /srv/busy',
          },
        },
      }),
    });
    await approved(busy, /Waiting for:\*\* nothing/);
    await world.github.mergeByHand(world.repo, busy.pull);
    await until(
      async () => ((await onHost(0, 'ls /srv')).includes('busy.begun') ? true : undefined),
      'the run of the merged change',
      40,
    );
    const beside = await ask(number, '/doaas adopt');
    await onHost(0, 'touch /srv/busy.go');
    await world.check(busy.sha, 'doaas/apply');
    expect(beside).toMatch(/Not adopted: .*left out, as a run that has not ended is to change them: web-1\./);
    expect(beside).toMatch(/path:\/etc\/issue on web-2: a merged pull request is still to change it/);
  });

  it('on a pull request `adopt` is answered too', async () => {
    const { pull } = await world.open('other', { 'README.md': 'other\n' });
    const comment = await world.say(pull, '/doaas adopt');
    await world.answer(pull, comment, /belongs on a drift issue/);
  });
});
