import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deliver } from '../../engine/activities/deliver.ts';
import { mapEvent } from '../../engine/github/map-event.ts';
import { deliveryHeaders } from '../../lab/github/deliveries.ts';
import { SECRET } from '../secret.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

const MIB = 1024 * 1024;
const PREVIOUS = 'the secret before this one';

/** What reaches the webhook's address and is not one prompt, signed delivery. */
describe('webhooks', { timeout: 2 * MINUTES }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
      environment: { GITHUB_WEBHOOK_SECRET_PREVIOUS: PREVIOUS },
    });
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const motd = (content: string) => ({
    'web.yaml': configuration('web', { files: { '/etc/motd': { content } } }),
  });
  const onHost = async (script: string): Promise<string> =>
    (await world.hosts[0]?.exec(script))?.stdout.trim() ?? '';
  const runsOnHost = (): Promise<string> => onHost('ls /var/lib/doaas/runs 2>/dev/null | wc -l');

  async function post(body: string | Buffer, headers: Readonly<Record<string, string>>) {
    const response = await fetch(`${world.engine.url()}/webhooks/github`, { method: 'POST', headers, body });
    const text = await response.text();
    return { status: response.status, body: JSON.parse(text) as Readonly<Record<string, unknown>> };
  }
  const signed = (body: string, event = 'issue_comment', secret = SECRET): Record<string, string> =>
    deliveryHeaders({ event, guid: randomUUID(), appId: world.github.app.id, secret }, body);
  const without = (headers: Record<string, string>, ...names: readonly string[]) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));

  /** A delivery that would apply the pull request, had anybody signed it. */
  async function forgedApply(pull: number): Promise<string> {
    const genuine = await until(
      async () =>
        world.github.webhooks
          .all()
          .find(({ event, body }) => event === 'issue_comment' && JSON.parse(body).issue?.number === pull),
      'a genuine comment to copy',
    );
    const payload = JSON.parse(genuine.body);
    const comment = { ...payload.comment, id: FORGED, body: '/doaas apply' };
    return JSON.stringify({ ...payload, comment });
  }
  const FORGED = 999_999_001;

  it('are refused unless GitHub signed them, in words, and nothing comes of them', async () => {
    const { pull, sha } = await world.open('forged', motd('forged\n'));
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    await world.answer(pull, await world.say(pull, '/doaas status'), /Nothing of this pull request has run/);
    const body = await forgedApply(pull);

    expect(await post(body, without(signed(body), 'x-hub-signature', 'x-hub-signature-256'))).toEqual({
      status: 401,
      body: {
        error: 'The header X-Hub-Signature-256 is missing. Set a secret in the webhook of the GitHub App.',
      },
    });
    expect(await post(body, signed(body, 'issue_comment', 'a secret that somebody guessed'))).toEqual({
      status: 401,
      body: {
        error: 'The signature does not match. The secret of the webhook and GITHUB_WEBHOOK_SECRET differ.',
      },
    });
    expect(await post(body.replace('apply', 'rollback'), signed(body))).toMatchObject({ status: 401 });
    expect(await post(body, without(signed(body), 'x-hub-signature-256'))).toEqual({
      status: 401,
      body: {
        error:
          'Only the old SHA-1 signature was sent. DOaaS needs X-Hub-Signature-256, which GitHub sends since 2020.',
      },
    });
    expect(await post(body, { ...signed(body), 'x-hub-signature-256': 'sha256=abc' })).toEqual({
      status: 401,
      body: { error: 'X-Hub-Signature-256 is not `sha256=` and 64 hexadecimal digits.' },
    });

    // what comes after them is handled in order, so an effect of theirs would be there by then
    await world.answer(pull, await world.say(pull, '/doaas status'), /Nothing of this pull request has run/);
    const comments = await world.github.listComments(world.repo, pull);
    expect(comments.filter((comment) => String(comment.body).includes(`reply-${FORGED}`))).toEqual([]);
    expect(await runsOnHost()).toBe('0');
    await world.github.closePullRequest(world.repo, pull);
  });

  it('are taken with the secret before, while it is rotated', async () => {
    const body = '{"zen":"Keep it logically awesome."}';
    expect(await post(body, signed(body, 'ping', PREVIOUS))).toMatchObject({ status: 202 });
    expect(await post(body, signed(body, 'ping', 'the one before that one'))).toMatchObject({ status: 401 });
  });

  it('that make no sense are answered in words', async () => {
    const text = 'payload=%7B%22zen%22%7D';
    expect(await post(text, signed(text))).toEqual({
      status: 400,
      body: { error: 'The body is not JSON. Set the content type of the webhook to application/json.' },
    });
    expect(await post('{}', without(signed('{}'), 'x-github-event'))).toEqual({
      status: 400,
      body: { error: 'X-GitHub-Event or X-GitHub-Delivery is missing or malformed.' },
    });
    expect(await post('{}', signed('{}', 'star_wars'))).toEqual({
      status: 202,
      body: { ignored: 'star_wars without a repository' },
    });
    const { owner, name } = world.repo;
    const elsewhere = JSON.stringify({ repository: { name, owner: { login: owner } } });
    expect(await post(elsewhere, signed(elsewhere, 'star_wars'))).toEqual({
      status: 202,
      body: { ignored: 'event star_wars is not used' },
    });
    expect(await post('[]', signed('[]', 'pull_request'))).toEqual({
      status: 202,
      body: { ignored: 'the payload is not an object' },
    });
  });

  it('of 30 MB are refused with the bound and its setting', async () => {
    const body = JSON.stringify({ padding: 'x'.repeat(30 * MIB) });
    expect(await post(body, signed(body))).toEqual({
      status: 413,
      body: { error: `The body is larger than ${25 * MIB} bytes (DOAAS_WEBHOOK_BODY_MIB).` },
    });
    expect((await fetch(`${world.engine.url()}/readyz`)).status).toBe(200);
  });

  it('that come twice, or again days later, act once', async () => {
    world.github.webhooks.faults.add({ times: 6, effect: 'duplicate' });
    const { pull, sha } = await world.open('twice', motd('twice\n'));
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.approve(pull);
    const comment = await world.say(pull, '/doaas apply');
    await world.check(sha, 'doaas/apply', { conclusion: 'success' });
    await until(async () => ((await world.merged(pull)) ? true : undefined), 'the merge');
    world.github.webhooks.faults.clear();
    const inode = await onHost('stat -c %i /etc/motd');

    const deliveries = world.github.webhooks.all().filter(({ body }) => aboutPull(body, pull));
    const statuses: number[] = [];
    for (const { guid } of deliveries) statuses.push(await world.github.webhooks.redeliver(guid));
    expect(new Set(statuses)).toEqual(new Set([202]));
    const [known] = deliveries.filter(({ event }) => event === 'pull_request');
    expect(await post(known?.body ?? '', known?.headers ?? {})).toEqual({
      status: 202,
      body: { known: 'pull-request-changed' },
    });
    await until(async () => {
      const status = await world.answer(pull, await world.say(pull, '/doaas status'), /\(apply\)/);
      return /\(apply\): applied/.test(status) ? true : undefined;
    }, 'the run to have ended');

    expect(await runsOnHost()).toBe('1');
    expect(await onHost('stat -c %i /etc/motd')).toBe(inode);
    const names = (await world.checks(sha)).map((check) => check.name).sort();
    expect(names).toEqual(['doaas/apply', 'doaas/plan', 'doaas/validate', 'doaas/verify']);
    const comments = (await world.github.listComments(world.repo, pull)).map(({ body }) => String(body));
    expect(comments.filter((body) => body.includes('doaas:pull-request'))).toHaveLength(1);
    expect(comments.filter((body) => body.includes(`doaas:reply-${comment} `)).length).toBeLessThan(2);
  });

  it('of a button that come again do not press it again', async () => {
    const { pull, sha } = await world.open('button', motd('button\n'));
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await until(
      async () => ((await world.comment(pull)).includes('Waiting for') ? true : undefined),
      'the comment',
    );
    await world.github.clickCheckButton(world.repo, plan.id, 'plan', world.github.accounts.author);
    const replies = async (): Promise<number> =>
      (await world.github.listComments(world.repo, pull)).filter(({ body }) =>
        String(body).includes('Planning again'),
      ).length;
    await until(async () => ((await replies()) === 1 ? true : undefined), 'the answer to the button');
    const pressed = world.github.webhooks
      .all()
      .filter((delivery) => delivery.action === 'requested_action' && delivery.body.includes(sha));
    for (const { guid } of pressed) await world.github.webhooks.redeliver(guid);
    await world.answer(pull, await world.say(pull, '/doaas status'), /Nothing of this pull request has run/);
    expect(await replies()).toBe(1);
    await world.github.closePullRequest(world.repo, pull);
  });

  it('that are handed on to Temporal twice, as after a crash in between, act once', async () => {
    const { pull, sha } = await world.open('again', motd('again\n'));
    const plan = await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.github.clickCheckButton(world.repo, plan.id, 'plan', world.github.accounts.author);
    await world.approve(pull);
    const status = await world.say(pull, '/doaas status');
    await world.answer(pull, status, /Nothing of this pull request has run/);
    await world.github.webhooks.settled();
    const before = await world.github.listComments(world.repo, pull);
    const checks = await world.checks(sha);

    for (const { event, body, guid } of world.github.webhooks.all()) {
      if (!aboutPull(body, pull) && !body.includes(sha)) continue;
      const mapped = mapEvent(event, JSON.parse(body), { appId: world.github.app.id });
      if (mapped.kind === 'ignored') continue;
      const temporal = world.engine.temporal();
      const { installationId } = world.github;
      const locate = async () => ({ ...world.repo, installationId });
      const headedBy = async () => [pull];
      // told before, and kept by the engine itself
      const pushed = async () => undefined;
      const by = { temporal, locate, headedBy, pushed, receivedAt: 0, guid };
      await deliver(by, mapped.event);
    }
    // what comes after them is handled in order, so an effect of theirs would be there by then
    const last = await world.say(pull, '/doaas help');
    await world.answer(pull, last, /doaas plan/);
    const after = await world.github.listComments(world.repo, pull);
    const ids = (comments: typeof after) => comments.map(({ id }) => id);
    const replies = (comments: typeof after) =>
      comments.filter(({ body }) => String(body).includes('doaas:reply-')).length;
    expect(replies(after)).toBe(replies(before) + 1);
    expect(ids(after)).toEqual(expect.arrayContaining(ids(before)));
    const names = (list: typeof checks) => list.map(({ name, conclusion }) => `${name} ${conclusion}`);
    expect(names(await world.checks(sha))).toEqual(names(checks));
    await world.github.closePullRequest(world.repo, pull);
  });

  it('that come out of order or not at all lose nothing', async () => {
    const { faults } = world.github.webhooks;
    // the push is told after the comment about it, and the review never
    const { pull, sha } = await world.open('disorder', motd('old\n'));
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    faults.add({ event: 'pull_request', action: 'synchronize', times: 1, effect: 'after-next' });
    faults.add({ event: 'push', times: 1, effect: 'drop' });
    // what is said counts by GitHub's whole seconds, so the new head is planned in a later one
    world.github.faults.add({ method: 'GET', path: /\/pulls\/\d+$/, times: 1, respond: { delayMs: 1_500 } });
    const head = await world.github.push(world.repo, 'disorder', motd('new\n'));
    const early = await world.say(pull, '/doaas apply');
    await world.answer(
      pull,
      early,
      /The head moved to|The plan changed after you asked\. Look at the new one; if it is what you want, say `\/doaas apply` again\./,
    );
    expect(await onHost('cat /etc/motd')).not.toBe('new');
    await world.check(head, 'doaas/plan', { conclusion: 'success' });
    faults.add({ event: 'pull_request_review', times: 1, effect: 'drop' });
    await world.approve(pull);
    await world.say(pull, `/doaas apply ${head}`);
    await world.check(head, 'doaas/apply', { conclusion: 'success' });
    await until(async () => ((await world.merged(pull)) ? true : undefined), 'the merge');
    expect(await onHost('cat /etc/motd')).toBe('new');
  });

  it('whose first one never came are made up for by the next', async () => {
    const { faults } = world.github.webhooks;
    faults.add({ event: 'pull_request', action: 'opened', times: 1, effect: 'drop' });
    const { pull, sha } = await world.open('unheard', motd('unheard\n'));
    await world.answer(pull, await world.say(pull, '/doaas plan'), /Planning again/);
    await world.check(sha, 'doaas/plan', { conclusion: 'success' });
    await world.github.closePullRequest(world.repo, pull);
  });
});

function aboutPull(body: string, pull: number): boolean {
  const payload = JSON.parse(body);
  return payload.pull_request?.number === pull || payload.issue?.number === pull;
}
