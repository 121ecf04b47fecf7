import { createTwoFilesPatch } from 'diff';
import type { World } from '../../test/world.ts';
import { waitFor } from '../wait.ts';
import { diffLine } from './markdown.ts';
import type { Narrator } from './narrator.ts';
import { followApply, openPull, type Pull, tellCheck } from './pulls.ts';
import { BAD, type Change, GOOD, INDEX, INTERRUPTED, SHOP_CONF, WEB } from './repository.ts';
import { compareSights, look } from './witness.ts';

/** Who tells, on what, until when. */
export interface Scene {
  readonly world: World;
  readonly narrator: Narrator;
  readonly signal: AbortSignal;
}

const NAME_COLUMN = 14;
const MERGE_DEADLINE_MS = 30_000;
const COMMENT_DEADLINE_MS = 30_000;

export async function introduce({ world, narrator }: Scene): Promise<void> {
  const { author, reviewer } = world.github.accounts;
  const people = [
    [author.login, 'writes YAML and opens pull requests'],
    [reviewer.login, 'reviews them: nothing is applied without'],
    ['doaas[bot]', 'the engine: answers with checks and a comment, and reaches the servers over SSH'],
  ] as const;
  narrator.lines(['', 'Who is who:', '']);
  narrator.lines(
    people.map(([name, role]) => `    ${narrator.style.cyan(name.padEnd(NAME_COLUMN))} ${role}`),
  );
  narrator.lines(['']);
  const servers = await world.github.fileAt(world.repo, 'main', 'servers.yaml');
  narrator.say(
    'So far the repository says only which servers there are, and by which key each is recognised:',
  );
  narrator.file('servers.yaml', `${shortened(servers)}--- (and two more like it)`);
}

/** The first document, with its key cut to what fits on a line. */
function shortened(servers = ''): string {
  return (servers.split('---\n')[0] ?? '').replace(/(AAAA\S{20})[^"]+/, '$1...');
}

export async function goodChange(scene: Scene): Promise<void> {
  const { world, narrator, signal } = scene;
  const { author, reviewer } = world.github.accounts;
  narrator.chapter('1. A good change');
  narrator.say(
    `${author.login} wants nginx to serve a page on every server labelled role: web. She adds web.yaml and the two files that it names. The probe at its end says what must hold once it is applied.`,
  );
  narrator.file('web.yaml', WEB);
  narrator.file('files/shop.conf', SHOP_CONF);
  narrator.file('files/index.html', INDEX);
  const pull = await propose(scene, GOOD);
  narrator.lines([
    '',
    `No server has been changed. The comment that ${reviewer.login} finds in the pull request:`,
  ]);
  await tellComment(scene, pull, 'Waiting for');
  await approveAndApply(scene, pull);
  await follow(scene, pull, 'success');
  await merged(scene, pull);
  narrator.lines(['', 'Ask the servers themselves:', '']);
  for (const host of world.hosts) {
    const page = await fetch(`http://${host.address}:8080/`, { signal });
    narrator.lines([`    $ curl http://${host.address}:8080/     ${(await page.text()).trim()}`]);
  }
}

export async function badChange(scene: Scene): Promise<void> {
  const { world, narrator } = scene;
  const { author } = world.github.accounts;
  narrator.chapter('2. A change that is valid, approved, and wrong');
  narrator.say(
    `${author.login} moves the shop to another port. The probe in web.yaml still asks port 8080, and nobody notices:`,
  );
  narrator.lines(changeOf(GOOD, BAD).map((line) => `    ${diffLine(line, narrator.style)}`));
  narrator.lines(['']);
  narrator.event("recording what is on the servers' disks, from outside, to compare it later");
  const [before, pull] = await Promise.all([look(world.hosts), propose(scene, BAD)]);
  await approveAndApply(scene, pull);
  await follow(scene, pull, 'failure');
  const after = await look(world.hosts);
  narrator.lines(['', 'The comment in the pull request now, which stays open:']);
  await tellComment(scene, pull, 'restored');
  const { paths, facts, differences } = await compareSights(before, after);
  if (differences.length > 0)
    throw new Error(`the servers are not as they were before:\n${differences.join('\n')}`);
  narrator.say(
    `Was it really put back? This machine compared the servers' disks itself, not through the engine: ${paths} paths (type, content, mode, owner, attributes, links) and ${facts} facts (packages, users, units, open ports, ...). ${narrator.style.green('Nothing differs.')}`,
  );
}

export async function killedEngine(scene: Scene): Promise<void> {
  const { world, narrator, signal } = scene;
  narrator.chapter('3. kill -9 in the middle');
  narrator.say("One more package on every server. While they install it, the engine's process is killed.");
  const installs = await Promise.all(world.hosts.map(aptRuns));
  const pull = await propose(scene, INTERRUPTED);
  await approveAndApply(scene, pull);
  await waitFor('the installation to begin', MERGE_DEADLINE_MS, async () => {
    signal.throwIfAborted();
    const started = await Promise.all(world.hosts.map((host) => host.exec('pgrep -x apt-get')));
    return started.some((result) => result.code === 0);
  });
  const pid = world.engine.pid();
  await world.engine.kill();
  narrator.event(`kill -9 ${pid}: the engine and its Temporal server are gone; the servers work on`);
  await world.engine.start();
  narrator.event(`started again on the same files, as process ${world.engine.pid()}`);
  await follow(scene, pull, 'success');
  await merged(scene, pull);
  const runs = await Promise.all(world.hosts.map(aptRuns));
  const more = runs.map((count, i) => count - (installs[i] ?? 0));
  if (more.some((count) => count !== 1)) throw new Error(`apt ran ${more.join(', ')} times instead of once`);
  narrator.lines(['']);
  narrator.say(
    "apt's own history on each server has one new entry: it carried on, and nothing was done twice.",
  );
}

/** Counted by the host itself. */
async function aptRuns(host: { exec: (script: string) => Promise<{ stdout: string }> }): Promise<number> {
  return Number((await host.exec('grep -c ^Commandline: /var/log/apt/history.log || true')).stdout);
}

async function propose(scene: Scene, change: Change): Promise<Pull> {
  const { world, narrator } = scene;
  const pull = await openPull(world, change);
  narrator.person(world.github.accounts.author.login, `opens #${pull.number} "${change.title}"`);
  await tellCheck(world, narrator, pull.sha, 'doaas/validate', pull.openedAt);
  await tellCheck(world, narrator, pull.sha, 'doaas/plan', pull.openedAt);
  return pull;
}

/** `text`: what the comment must contain before it is shown; it follows the checks by a moment. */
async function tellComment({ world, narrator, signal }: Scene, pull: Pull, text: string): Promise<void> {
  const body = await waitFor('the comment', COMMENT_DEADLINE_MS, async () => {
    signal.throwIfAborted();
    const comment = await world.comment(pull.number);
    return comment.includes(text) && comment;
  });
  narrator.card(`doaas[bot] commented on #${pull.number}`, body);
}

/** Lines of a diff of the files that the second change has, without its header. */
function changeOf(first: Change, second: Change): string[] {
  return Object.entries(second.files).flatMap(([path, text]) => {
    const patch = createTwoFilesPatch(path, path, first.files[path] ?? '', text, '', '', { context: 0 });
    return [path, ...patch.split('\n').filter((line) => /^[-+](?![-+]{2} )/.test(line))];
  });
}

async function approveAndApply({ world, narrator }: Scene, pull: Pull): Promise<void> {
  const { author, reviewer } = world.github.accounts;
  await world.approve(pull.number, reviewer);
  narrator.person(reviewer.login, 'approves with a review');
  await world.say(pull.number, '/doaas apply', author);
  narrator.person(author.login, 'comments: /doaas apply');
}

async function follow(scene: Scene, pull: Pull, wanted: 'success' | 'failure'): Promise<void> {
  const { apply } = await followApply(scene.world, scene.narrator, pull.sha, scene.signal);
  if (apply.conclusion !== wanted)
    throw new Error(`#${pull.number} ended with ${apply.conclusion}: ${apply.title}\n${apply.summary}`);
}

async function merged({ world, narrator, signal }: Scene, pull: Pull): Promise<void> {
  await waitFor(`#${pull.number} to be merged`, MERGE_DEADLINE_MS, () => {
    signal.throwIfAborted();
    return world.merged(pull.number);
  });
  narrator.person('doaas[bot]', `merges #${pull.number} into main`);
}
