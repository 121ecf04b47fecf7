import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STRANGERS_ANSWERED_MAX } from '../../engine/activities/strangers.ts';
import type { Account } from '../../lab/github/accounts.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { isMany } from '../many.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** What people say to the engine: every command is seen at once and answered, and nothing else is taken for one. */
describe('a comment', { timeout: 3 * MINUTES }, () => {
  let world: World;
  let host: LabHost;
  beforeAll(async () => {
    world = await startWorld({ files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
    const [first] = world.hosts;
    if (first === undefined) throw new Error('there is no host');
    host = first;
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const on = async (script: string): Promise<string> => (await host.exec(script)).stdout.trim();
  const motd = (content: string): Record<string, string> => ({
    'web.yaml': configuration('web', { files: { '/etc/motd': { content } } }),
  });
  const slow = (name: string): Record<string, string> => ({
    [`${name}.yaml`]: configuration(name, {
      scripts: {
        [name]: {
          check: `test -e /var/tmp/${name}.done`,
          apply: `touch /var/tmp/${name}.begun; until [ -e /var/tmp/${name}.go ]; do sleep 0.1; done; touch /var/tmp/${name}.done`,
          undo: `rm -f /var/tmp/${name}.*`,
        },
      },
    }),
  });
  const planned = async (branch: string, files: Readonly<Record<string, string>>) => {
    const opened = await world.open(branch, files);
    await world.check(opened.sha, 'doaas/plan', { conclusion: 'success' });
    return opened;
  };
  const applied = async (branch: string, files: Readonly<Record<string, string>>) => {
    const opened = await planned(branch, files);
    await world.approve(opened.pull);
    await world.say(opened.pull, '/doaas apply');
    return opened;
  };
  const mergedSoon = (pull: number, sha?: string) => world.mergedSoon(pull, sha);
  const reactionsTo = async (comment: number): Promise<unknown[]> =>
    (await world.github.listReactions(world.repo, comment)).map((reaction) => reaction.content);
  const seen = (comment: number, seconds = 10) =>
    until(
      async () => ((await reactionsTo(comment)).includes('eyes') ? true : undefined),
      `a reaction to ${comment}`,
      seconds,
    );
  const repliesOf = async (pull: number): Promise<string[]> =>
    (await world.github.listComments(world.repo, pull))
      .map((comment) => String(comment.body))
      .filter((body) => body.startsWith('<!-- doaas:reply-'));

  it('that holds a command only for readers is none', async () => {
    const { pull } = await planned('none', motd('none\n'));
    const said = [
      'Please say /doaas apply when you are ready.',
      '> /doaas apply\n\nWhy that?',
      '```\n/doaas apply\n```',
      '    /doaas apply',
      '<!-- /doaas apply -->',
      '`/doaas apply`',
      '/doaas-apply',
    ];
    const comments: number[] = [];
    for (const text of said) comments.push(await world.say(pull, text));
    const edited = await world.say(pull, 'Looks good.');
    await world.github.editComment(world.repo, edited, '/doaas apply');
    const last = await world.say(pull, '/doaas help');
    await world.answer(pull, last, /`\/doaas plan` plans again/);
    expect(await Promise.all([...comments, edited].map(reactionsTo))).toEqual([...said, ''].map(() => []));
    expect(await repliesOf(pull)).toHaveLength(1);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('with a command is seen and answered, whoever says it and however', async () => {
    const { pull } = await planned('some', motd('some\n'));
    const { author, reader, stranger } = world.github.accounts;
    const denied = /needs write access to this repository, which you do not have. Nothing was done/;
    const cases: readonly (readonly [string, Account, RegExp])[] = [
      ['Ready.\r\n\r\n/doaas apply\r\nThanks!', author, /Not applied. Missing: one approving review/],
      ['/DOAAS Status', stranger, /Nothing of this pull request has run yet/],
      ['/doaas help', reader, /`\/doaas rollback` takes the change back/],
      ['/doaas apply', reader, denied],
      ['/doaas apply', stranger, denied],
      ['/doaas plan', stranger, denied],
      ['/doaas rollback', reader, denied],
      ['/doaas unlock', stranger, denied],
      ['/doaas aply', author, /There is no command `aply`. Did you mean `\/doaas apply`\?/],
      ['/doaas', stranger, /A command is missing after `\/doaas`/],
      [
        '/doaas apply now',
        author,
        /takes the whole SHA of the head \(40 characters\), but got `now`. Nothing was done/,
      ],
      ['/doaas plan\n/doaas apply', author, /2 commands.*`\/doaas plan`.*`\/doaas apply`.*Nothing was done/],
      ['/doaas unlock', author, /This pull request holds no hosts/],
      ['/doaas rollback', author, /Nothing of this pull request is applied on the hosts/],
      ['/doaas plan', author, /Planning again on fresh facts/],
    ];
    const comments: number[] = [];
    for (const [text, who] of cases) comments.push(await world.say(pull, text, who));
    for (const [i, [, , text]] of cases.entries()) await world.answer(pull, comments[i] ?? 0, text);
    for (const comment of comments) await seen(comment);
    expect(await repliesOf(pull)).toHaveLength(cases.length);
    await world.github.closePullRequest(world.repo, pull);
    const late = await world.say(pull, '/doaas apply');
    await world.answer(pull, late, /This pull request is not open/);
  });

  // each process counts for itself
  const ofOneProcess = isMany() ? it.skip : it;
  ofOneProcess(
    'is not answered any more where people without write access have had enough answers for now',
    async () => {
      const { pull } = await planned('flood', motd('flood\n'));
      const { author, reader, stranger } = world.github.accounts;
      const comments: number[] = [];
      for (let n = 0; n < STRANGERS_ANSWERED_MAX; n += 1)
        comments.push(await world.say(pull, '/doaas help', n % 2 === 0 ? reader : stranger));
      const last = await world.say(pull, '/doaas status', author);
      await world.answer(pull, last, /Nothing of this pull request has run yet/);
      await seen(last);
      const answered = (await repliesOf(pull)).length - 1;
      const reacted = async () =>
        (await Promise.all(comments.map(reactionsTo))).filter((all) => all.length > 0).length;
      // a reaction comes beside its answer
      await until(async () => ((await reacted()) >= answered ? true : undefined), 'the reactions');
      const reactedTo = await reacted();
      // some were answered by the tests before this one
      expect(answered).toBeGreaterThan(0);
      expect(answered).toBeLessThan(STRANGERS_ANSWERED_MAX);
      expect(reactedTo).toBe(answered);
      await world.github.closePullRequest(world.repo, pull);
    },
  );

  it('is seen at once, though what came before it takes its time', async () => {
    await host.cut();
    try {
      const { pull, sha } = await world.open('busy', motd('busy\n'));
      await until(
        async () =>
          (await world.checks(sha)).find((run) => run.name === 'doaas/plan' && run.status === 'in_progress'),
        'the planning to begin',
      );
      const waits = await world.say(pull, '/doaas apply');
      // only then is the next one behind it: webhooks that come at once, to several receivers, have no order
      await seen(waits, 5);
      const behind = await world.say(pull, '/doaas sttus');
      await seen(behind, 5);
      expect((await world.checks(sha)).find((run) => run.name === 'doaas/plan')?.status).toBe('in_progress');
      expect(await repliesOf(pull)).toEqual([]);
      await host.heal();
      await world.answer(pull, waits, /The plan changed after you asked|Not applied. Missing/);
      await world.answer(pull, behind, /Did you mean `\/doaas status`/);
      await world.github.closePullRequest(world.repo, pull);
    } finally {
      await host.heal();
    }
  });

  it('that takes a merged change back waits for its server, and keeps nobody from asking', async () => {
    const first = await applied('first', motd('first\n'));
    await mergedSoon(first.pull, first.sha);
    const busy = await applied('hold', slow('hold'));
    await until(
      async () => ((await on('ls /var/tmp/hold.begun 2>/dev/null')) === '' ? undefined : true),
      'the second to run',
    );
    const back = await world.say(first.pull, '/doaas rollback');
    await world.answer(first.pull, back, /Taking the merged change back: the revert pull request first/);
    await until(
      async () => {
        const status = await world.say(first.pull, '/doaas status');
        // one that is asked before the run has begun says so, and another is asked for
        const text = await world.answer(first.pull, status, /`(pr|rb)\d+-[0-9a-f]+` \((apply|rollback)\)/);
        const waits = `waits for locks at place 1, behind ${world.repo.owner}/${world.repo.name}#${busy.pull}`;
        return /\(rollback\): running/.test(text) && text.includes(waits) ? true : undefined;
      },
      'the status to say that it waits',
      60,
    );
    const again = await world.say(first.pull, '/doaas rollback');
    await world.answer(first.pull, again, /is being taken back already/);
    expect(await on('cat /etc/motd')).toBe('first');
    await on('touch /var/tmp/hold.go');
    await mergedSoon(busy.pull, busy.sha);
    const text = await world.answer(first.pull, back, /The hosts are as they were before pr\d+-[0-9a-f]+\./);
    expect(await on('cat /etc/motd')).not.toBe('first');
    const once = await world.say(first.pull, '/doaas rollback');
    await world.answer(first.pull, once, /Nothing of this pull request is applied on the hosts/);
    await world.github.mergeByHand(world.repo, Number(/Pull request #(\d+)/.exec(text)?.[1]));
  });

  it('that takes a merged change back is refused where a later run touched the same', async () => {
    const older = await applied('older', motd('older\n'));
    await mergedSoon(older.pull, older.sha);
    const newer = await applied('newer', motd('newer\n'));
    await mergedSoon(newer.pull, newer.sha);
    const back = await world.say(older.pull, '/doaas rollback');
    const text = await world.answer(
      older.pull,
      back,
      /Not rolled back, and nothing was changed on the hosts/,
    );
    expect(text).toMatch(/web-1: path:\/etc\/motd was changed by the later run pr/);
    expect(text).toMatch(/Pull request #\d+ was opened as the revert/);
    expect(await on('cat /etc/motd')).toBe('newer');
    const revert = Number(/Pull request #(\d+)/.exec(text)?.[1]);
    await world.github.closePullRequest(world.repo, revert);
    const free = await world.say(older.pull, '/doaas unlock');
    await world.answer(older.pull, free, /holds no hosts/);
  });

  it('was answered with nothing that the API description does not know', () => {
    expect(world.github.violations()).toEqual([]);
  });
});
