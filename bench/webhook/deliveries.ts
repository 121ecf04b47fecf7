import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { deliveryHeaders } from '../../lab/github/deliveries.ts';

/** A pull request of the lab's GitHub, as its events name it. */
export interface Pull {
  readonly number: number;
  readonly headSha: string;
  readonly branch: string;
}

export interface Sender {
  /** GitHub's id of it. */
  readonly repositoryId: number;
  readonly owner: string;
  readonly repo: string;
  readonly installationId: number;
  readonly appId: number;
  readonly secret: string;
  readonly pulls: readonly Pull[];
  /** Events in this order instead of the usual mix. */
  readonly mix?: readonly string[];
}

export interface Prepared {
  readonly guid: string;
  readonly event: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

type Tree = { [key: string]: unknown };

/** GitHub's own recorded payloads, of their real size (7 to 25 kB). */
const RECORDED: readonly { readonly name: string; readonly examples: readonly Tree[] }[] = createRequire(
  import.meta.url,
)('@octokit/webhooks-examples');

/**
 * Shares of an active repository, of 20: a push to a branch sends both `push` and `synchronize`; then reviews,
 * commands in comments, and the plan button of a check. All of them must be durable; none is ignored.
 */
const MIX = [
  ...Array<string>(8).fill('pull_request'),
  ...Array<string>(6).fill('push'),
  ...Array<string>(3).fill('pull_request_review'),
  ...Array<string>(2).fill('issue_comment'),
  'check_run',
];

/** Co-prime to the length of the mix, so that kinds alternate. */
const STRIDE = 7;

/** The nth delivery, signed. The order is the same in every run; ids are new. */
export function prepare(sender: Sender, n: number): Prepared {
  // each round over the pull requests gives every one of them another kind
  const round = Math.floor(n / sender.pulls.length);
  const mix = sender.mix ?? MIX;
  const event = mix[(n * STRIDE + round) % mix.length] ?? 'push';
  const pull = sender.pulls[n % sender.pulls.length];
  if (pull === undefined) throw new Error('there are no pull requests to send events of');
  const guid = randomUUID();
  const body = JSON.stringify(payloadOf(event, sender, pull, n));
  const { appId, secret } = sender;
  return { guid, event, body, headers: deliveryHeaders({ event, guid, appId, secret }, body) };
}

function payloadOf(event: string, sender: Sender, pull: Pull, n: number): Tree {
  const recorded = structuredClone(recordedOf(event));
  const { repositoryId: id, repo: name } = sender;
  const repository = { ...part(recorded, 'repository'), id, name, default_branch: 'main' };
  return {
    ...recorded,
    repository: { ...repository, owner: { ...part(repository, 'owner'), login: sender.owner } },
    installation: { id: sender.installationId },
    ...changes(event, recorded, pull, n),
  };
}

function changes(event: string, recorded: Tree, pull: Pull, n: number): Tree {
  const { number, headSha, branch } = pull;
  switch (event) {
    case 'pull_request':
      return { number, after: headSha, pull_request: pullOf(recorded, pull) };
    case 'pull_request_review':
      return { pull_request: pullOf(recorded, pull) };
    case 'push':
      return { ref: `refs/heads/${branch}`, after: headSha, deleted: false };
    case 'issue_comment': {
      const issue = { ...part(recorded, 'issue'), number, pull_request: {} };
      // ids of GitHub's comments are unique, and the engine takes a known one for a redelivery
      return {
        issue,
        comment: { ...part(recorded, 'comment'), id: 2_000_000_000 + n, body: '/doaas status' },
      };
    }
    default: {
      const run = { ...part(recorded, 'check_run'), head_sha: headSha, app: {}, pull_requests: [{ number }] };
      return { check_run: run, requested_action: { identifier: 'plan' } };
    }
  }
}

function pullOf(recorded: Tree, { number, headSha, branch }: Pull): Tree {
  const pull = part(recorded, 'pull_request');
  const head = { ...part(pull, 'head'), sha: headSha, ref: branch };
  return { ...pull, number, head, base: { ...part(pull, 'base'), ref: 'main' }, state: 'open' };
}

const ACTIONS: Readonly<Record<string, string>> = {
  pull_request: 'synchronize',
  pull_request_review: 'submitted',
  issue_comment: 'created',
  check_run: 'requested_action',
};

function recordedOf(event: string): Tree {
  const examples = RECORDED.find(({ name }) => name === event)?.examples ?? [];
  const found = examples.find((example) => example.action === ACTIONS[event]);
  if (found === undefined) throw new Error(`no recorded ${event} of GitHub is known`);
  return found;
}

function part(tree: Tree, name: string): Tree {
  const found = tree[name];
  return typeof found === 'object' && found !== null ? (found as Tree) : {};
}
