/** `--keep`: says what to try, then tells what happens in pull requests until the signal. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { CheckRun, World } from '../../test/world.ts';
import type { Json } from '../github/json.ts';
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
  narrator.lines(thingsToTry(world, env));
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

function thingsToTry(world: World, env: string): string[] {
  const doaas = fileURLToPath(new URL('../../bin/doaas', import.meta.url));
  const clone = join(world.dataDir, 'infra');
  const [first] = world.hosts;
  return [
    '  # names and tokens for the commands below',
    `  . ${env}`,
    '',
    "  # open a pull request as anna-author, with git and GitHub's API; it answers with its number",
    `  git clone "$CLONE" ${clone} && cd ${clone} && git switch -c heading`,
    `  sed -i 's/h1>/h2>/g' files/index.html && git commit -am 'Use a smaller heading' && git push origin heading`,
    `  curl -sH "$ANNA" "$REPO/pulls" -d '{"title": "Use a smaller heading", "head": "heading", "base": "main"}' | grep '"number"'`,
    '',
    '  # review it as rob-reviewer and comment as anna-author, with that number',
    '  N=3',
    `  curl -sH "$ROB" "$REPO/pulls/$N/reviews" -d '{"event": "APPROVE"}' >/dev/null`,
    `  curl -sH "$ANNA" "$REPO/issues/$N/comments" -d '{"body": "/doaas apply"}' >/dev/null`,
    '',
    '  # see for yourself',
    `  curl http://${first?.address}:8080/`,
    `  ${doaas} lab ssh ${first?.name}`,
    '',
    '  # other commands of the engine, as comments: /doaas help, plan, status, rollback',
    `  # break web.yaml on purpose, push it, and see what ${'doaas/validate'} says`,
    '',
    `  Logs: ${join(world.dataDir, 'engine.log')}, ${join(world.dataDir, 'temporal.sqlite.log')}`,
    `  Engine: ${world.engine.url()} (/healthz, /readyz, /metrics), process ${world.engine.pid()}`,
  ];
}

/** Each call tells what is new since the last. What was there at the start is not new. */
async function tellerOf(scene: Scene): Promise<() => Promise<void>> {
  const seen = new Set<string>();
  const news = async (tell: boolean): Promise<void> => {
    for (const pull of await pullsOf(scene.world)) {
      for (const { key, show } of await newsOf(scene, pull)) {
        if (seen.has(key)) continue;
        seen.add(key);
        if (tell) show();
      }
    }
  };
  await news(false);
  return () => news(true);
}

interface News {
  readonly key: string;
  readonly show: () => void;
}

async function newsOf({ world, narrator }: Scene, pull: PullState): Promise<News[]> {
  const checks = await world.checks(pull.sha);
  const label = (check: CheckRun): string => `#${pull.number} ${check.title}`;
  const ended = checks.filter((check) => check.status === 'completed');
  const busy = checks.length > ended.length;
  const comment = busy ? '' : await world.comment(pull.number);
  return [
    {
      key: `opened ${pull.number}`,
      show: () => narrator.person(pull.author, `opens #${pull.number} "${pull.title}"`),
    },
    ...ended.map((check) => ({
      key: `${pull.sha} ${check.id} ${check.title}`,
      show: () => narrator.check(check.name, check.conclusion === 'success', label(check)),
    })),
    ...(comment === ''
      ? []
      : [
          {
            key: `comment ${pull.number} ${comment}`,
            show: () => narrator.card(`#${pull.number}  doaas[bot]'s comment now`, comment),
          },
        ]),
    ...(pull.merged
      ? [{ key: `merged ${pull.number}`, show: () => narrator.person('GitHub', `#${pull.number} is merged`) }]
      : []),
  ];
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
