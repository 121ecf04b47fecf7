import { until } from './until.ts';
import type { World } from './world.ts';
import { configuration } from './yaml.ts';

export const HEAD = 'apiVersion: doaas/v1\nkind: Policy\nmetadata: {name: policy}\nspec:\n';

/** What the tests of policies do and wait for. `world`: once there is one. */
export function policyVerbs(world: () => World) {
  const open: number[] = [];
  const setPolicy = (spec: string): Promise<string> =>
    world().github.push(world().repo, 'main', {
      '.doaas/policy.yaml': HEAD + spec.replace(/^/gm, '  '),
    });
  /** A change of one file on the host, whose name is the branch's. */
  const change = async (branch: string, more: Record<string, string> = {}, probes: object[] = []) => {
    const files = { [`/etc/doaas-${branch}`]: { content: `${branch}\n` } };
    const opened = await world().open(branch, {
      [`db/${branch}.yaml`]: configuration(branch, { files, ...(probes.length === 0 ? {} : { probes }) }),
      ...more,
    });
    open.push(opened.pull);
    return opened;
  };
  /** Only these files. */
  const openOnly = async (branch: string, files: Record<string, string | null>) => {
    const opened = await world().open(branch, files);
    open.push(opened.pull);
    return opened;
  };
  /** Two documents of a file each, the second after the first; approved, and asked to be applied. `spec`: of both. */
  const applyHalves = async (branch: string, [one, other]: readonly [string, string], spec: object) => {
    const half = (name: string) => {
      const files = { [`/etc/doaas-${name}`]: { content: `${name}\n` } };
      return JSON.parse(configuration(name, { files, ...spec }));
    };
    const both = [half(one), { ...half(other), dependsOn: [`Configuration/${one}`] }];
    const opened = await openOnly(branch, {
      [`db/${branch}.yaml`]: both.map((each) => JSON.stringify(each)).join('\n---\n'),
    });
    await world().check(opened.sha, 'doaas/plan', { conclusion: 'success' });
    await world().approve(opened.pull);
    await world().say(opened.pull, '/doaas apply');
    return opened;
  };
  const waitingFor = (sha: string, text: RegExp, seconds = 30) =>
    until(
      async () =>
        (await world().checks(sha)).find((run) => run.name === 'doaas/plan' && text.test(run.summary)),
      `the plan check to say ${text}`,
      seconds,
      async () => JSON.stringify(await world().checks(sha)),
    );
  const mergedSoon = (pull: number) => world().mergedSoon(pull, '', 40);
  const onHost = async (branch: string) =>
    (await world().hosts[0]?.exec(`cat /etc/doaas-${branch} 2>/dev/null || echo absent`))?.stdout;
  const commentLike = (pull: number, text: RegExp) =>
    until(
      async () =>
        (await world().github.listComments(world().repo, pull))
          .map((comment) => String(comment.body))
          .find((body) => text.test(body)),
      `a comment like ${text}`,
      40,
      async () => JSON.stringify((await world().github.listComments(world().repo, pull)).map((c) => c.body)),
    );
  const pullOf = async (text: string): Promise<number> =>
    Number(/[Pp]ull request #(?:&#8203;)?(\d+)/.exec(text)?.[1]);
  const nameOf = () => `${world().repo.owner}/${world().repo.name}`;
  const parentsOf = async (sha: string): Promise<readonly string[]> => {
    const url = `${world().github.url}/repos/${nameOf()}/git/commits/${sha}`;
    const answer = await fetch(url, {
      headers: { authorization: `token ${world().github.accounts.admin.token}` },
    });
    const { parents } = (await answer.json()) as { readonly parents: readonly { readonly sha: string }[] };
    return parents.map((parent) => parent.sha);
  };
  /** One that was opened by other means. */
  const closeLater = (pull: number): void => {
    open.push(pull);
  };
  /** Pull requests that a test has left open. */
  const closeOpen = async (): Promise<void> => {
    for (const pull of open.splice(0))
      if (!(await world().merged(pull))) await world().github.closePullRequest(world().repo, pull);
  };
  /** The engine hears of all that is done only once it is over: GitHub delivers it again, as when the sweep asks for it. */
  const unheard = async <T>(act: () => Promise<T>): Promise<T> => {
    const { github, engine } = world();
    github.setWebhookUrl('http://127.0.0.1:9/');
    const done = await act();
    await github.webhooks.settled();
    github.setWebhookUrl(`${engine.url()}/webhooks/github`);
    const missed = github.webhooks
      .all()
      .filter(({ attempts }) => attempts.every(({ status }) => status === 0));
    for (const { guid } of missed) await github.webhooks.redeliver(guid);
    return done;
  };
  return {
    setPolicy,
    change,
    applyHalves,
    openOnly,
    waitingFor,
    mergedSoon,
    onHost,
    commentLike,
    pullOf,
    nameOf,
    parentsOf,
    closeLater,
    closeOpen,
    unheard,
  };
}

export function isoDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** GitHub's times have whole seconds: a comment of the second of a push may have meant the head before it. */
export function nextSecond(): Promise<true> {
  const second = Math.floor(Date.now() / 1000);
  return until(async () => (Math.floor(Date.now() / 1000) > second ? true : undefined), 'the next second', 5);
}
