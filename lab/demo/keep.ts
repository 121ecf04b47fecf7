/** `--keep`: says what to try, then tells what happens in pull requests until the signal. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { CheckRun, World } from '../../test/world.ts';
import type { Json } from '../github/json.ts';
import type { Narrator } from './narrator.ts';
import type { Scene } from './story.ts';

const POLL_MS = 400;
/** GitHub's own bound of a page. */
const PULLS_SHOWN_MAX = 100;

export async function keepRunning(scene: Scene): Promise<void> {
  const { world, narrator, signal } = scene;
  const env = join(world.dataDir, 'demo.env');
  await writeFile(env, environmentOf(world), { mode: 0o600 });
  narrator.chapter('Your turn');
  narrator.say('Everything keeps running until you press Ctrl-C here. In a second terminal, as root, try:');
  const next = Math.max(0, ...(await pullsOf(world)).map((pull) => pull.number)) + 1;
  narrator.lines(thingsToTry(world, env, next));
  narrator.chapter('What happens in pull requests from here on');
  const told = await tellerOf(scene);
  while (!signal.aborted) {
    await told().catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    await pause(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** For `.` in a POSIX shell. The tokens are of the demo's own GitHub and die with it. */
export function environmentOf(world: World): string {
  const { author, reviewer } = world.github.accounts;
  const { owner, name } = world.repo;
  const clone = `${world.github.url.replace('://', `://${author.login}:${author.token}@`)}/${owner}/${name}.git`;
  return `REPO='${world.github.url}/repos/${owner}/${name}'
CLONE='${clone}'
ANNA='Authorization: Bearer ${author.token}'
ROB='Authorization: Bearer ${reviewer.token}'
export GIT_AUTHOR_NAME='${author.login}' GIT_AUTHOR_EMAIL='${author.login}@example.com'
export GIT_COMMITTER_NAME='${author.login}' GIT_COMMITTER_EMAIL='${author.login}@example.com'
`;
}

/** `next`: the number that a new pull request gets. */
function thingsToTry(world: World, env: string, next: number): string[] {
  const doaas = fileURLToPath(new URL('../../bin/doaas', import.meta.url));
  const clone = join(world.dataDir, 'infra');
  const [first] = world.hosts;
  return [
    '  # names and tokens for the commands below',
    `  . ${env}`,
    '',
    "  # open a pull request as anna-author, with git and GitHub's API",
    `  git clone "$CLONE" ${clone} && cd ${clone} && git switch -c heading`,
    `  sed -i 's/h1>/h2>/g' files/index.html && git commit -am 'Use a smaller heading' && git push origin heading`,
    `  curl -sH "$ANNA" "$REPO/pulls" -d '{"title": "Use a smaller heading", "head": "heading", "base": "main"}' >/dev/null`,
    '',
    '  # review it as rob-reviewer and comment as anna-author; below is said which number it has',
    `  N=${next}`,
    `  curl -sH "$ROB" "$REPO/pulls/$N/reviews" -d '{"event": "APPROVE"}' >/dev/null`,
    `  curl -sH "$ANNA" "$REPO/issues/$N/comments" -d '{"body": "/doaas apply"}' >/dev/null`,
    '',
    '  # see for yourself',
    `  curl http://${first?.address}:8080/`,
    `  ${doaas} lab ssh ${first?.name}`,
    '',
    '  # other commands of the engine, as comments: /doaas help, plan, status, rollback',
    '  # break web.yaml on purpose, push it, and see what doaas/validate says',
    '',
    `  Logs: ${join(world.dataDir, 'engine.log')}, ${join(world.dataDir, 'temporal.sqlite.log')}`,
    `  Engine: ${world.engine.url()} (/healthz, /readyz, /metrics), process ${world.engine.pid()}`,
  ];
}

interface News {
  readonly key: string;
  readonly show: () => void;
}

/**
 * Each call tells what is new since the last. What was there at the start is not new, and what two looks in a row do
 * not agree on is still changing.
 */
async function tellerOf(scene: Scene): Promise<() => Promise<void>> {
  const all = async (): Promise<News[]> => {
    const pulls = await pullsOf(scene.world);
    return (await Promise.all(pulls.map((pull) => newsOf(scene, pull)))).flat();
  };
  const told = new Set((await all()).map((news) => news.key));
  let before = new Set(told);
  return async () => {
    const now = await all();
    for (const { key, show } of now) {
      if (told.has(key) || !before.has(key)) continue;
      told.add(key);
      show();
    }
    before = new Set(now.map((news) => news.key));
  };
}

async function newsOf({ world, narrator }: Scene, pull: PullState): Promise<News[]> {
  const { number, sha, title, author, merged } = pull;
  const opened: News = {
    key: `opened ${number}`,
    show: () => narrator.person(author, `opens #${number} "${title}"`),
  };
  const [checks, comments] = await Promise.all([
    world.checks(sha),
    world.github.listComments(world.repo, number),
  ]);
  const busy = checks.some((check) => check.status !== 'completed');
  const merge: News = { key: `merged ${number}`, show: () => narrator.event(`#${number} is merged`) };
  return [
    opened,
    ...checks
      .filter((check) => check.status === 'completed')
      .map((check) => checkNews(narrator, pull, check)),
    ...(busy ? [] : comments.map((comment) => commentNews(narrator, number, comment))),
    ...(merged ? [merge] : []),
  ];
}

function checkNews(narrator: Narrator, { number, sha }: PullState, check: CheckRun): News {
  const withoutTime = check.title.replace(/ in [\d.]+ \w+$/, '');
  return {
    key: `${sha} ${check.id} ${withoutTime}`,
    show: () => narrator.check(check.name, check.conclusion === 'success', `#${number} ${check.title}`),
  };
}

/** A card for what the engine says, a line for what people say. */
function commentNews(narrator: Narrator, number: number, comment: Json): News {
  const body = String(comment.body);
  const login = String((comment.user as Json).login);
  const heading = `${login} commented on #${number}`;
  return {
    key: `comment ${comment.id} ${body}`,
    show: () =>
      login.endsWith('[bot]')
        ? narrator.card(heading, body)
        : narrator.person(login, `comments on #${number}: ${body}`),
  };
}

interface PullState {
  readonly number: number;
  readonly title: string;
  readonly author: string;
  readonly sha: string;
  readonly merged: boolean;
}

async function pullsOf({ github, repo }: World): Promise<PullState[]> {
  const answer = await fetch(
    `${github.url}/repos/${repo.owner}/${repo.name}/pulls?state=all&per_page=${PULLS_SHOWN_MAX}`,
    { headers: { authorization: `Bearer ${github.accounts.reviewer.token}` } },
  );
  if (!answer.ok) throw new Error(`the lab's GitHub answered ${answer.status} to a list of pull requests`);
  const pulls = (await answer.json()) as readonly Json[];
  return pulls.map((pull) => ({
    number: Number(pull.number),
    title: String(pull.title),
    author: String((pull.user as Json).login),
    sha: String((pull.head as Json).sha),
    merged: typeof pull.merged_at === 'string',
  }));
}
