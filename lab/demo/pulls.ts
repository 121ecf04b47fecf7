import { setTimeout as pause } from 'node:timers/promises';
import type { CheckRun, World } from '../../test/world.ts';
import { inline } from './markdown.ts';
import type { Narrator } from './narrator.ts';
import type { Change } from './repository.ts';
import { PLAIN } from './style.ts';

/** A pull request of the story. */
export interface Pull {
  readonly number: number;
  readonly sha: string;
  /** Date.now() when the page to open it was sent. */
  readonly openedAt: number;
}

const POLL_MS = 100;
/** For one stage of a pull request, seconds; a first installation downloads packages. */
const STAGE_SECONDS_MAX = 300;

export async function openPull(world: World, change: Change): Promise<Pull> {
  const sha = await world.github.branchWithChanges(world.repo, change.branch, change.files);
  const openedAt = Date.now();
  const number = await world.github.openPullRequest(world.repo, change);
  return { number, sha, openedAt };
}

/** Waits for a check and tells how it ended. `since`: what its seconds are counted from. */
export async function tellCheck(
  world: World,
  narrator: Narrator,
  sha: string,
  name: string,
  since: number,
): Promise<CheckRun> {
  const check = await world.check(sha, name, { seconds: STAGE_SECONDS_MAX });
  narrator.check(name, check.conclusion === 'success', check.title, (Date.now() - since) / 1000);
  return check;
}

/** How an apply ended, as its two checks say. */
export interface Outcome {
  readonly apply: CheckRun;
  readonly verify: CheckRun | undefined;
}

/** Tells every step on every server and every check, until the change is verified or taken back. */
export async function followApply(
  world: World,
  narrator: Narrator,
  sha: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const told = new Set<string>();
  const once = (key: string, tell: () => void): void => {
    if (told.has(key)) return;
    told.add(key);
    tell();
  };
  const startedAt = Date.now();
  for (;;) {
    signal.throwIfAborted();
    const checks = await world.checks(sha);
    const [apply, verify] = ['doaas/apply', 'doaas/verify'].map((name) =>
      checks.find((c) => c.name === name),
    );
    for (const news of apply === undefined ? [] : newsOf(apply))
      once(news, () => narrator.event(`  ${news}`));
    for (const check of [apply, verify]) {
      if (check?.status !== 'completed') continue;
      // Its title counts seconds and may change once more.
      once(`${check.name} ${check.conclusion}`, () =>
        narrator.check(check.name, check.conclusion === 'success', check.title),
      );
    }
    if (apply !== undefined && hasEnded(apply, verify)) return { apply, verify };
    if (Date.now() - startedAt > STAGE_SECONDS_MAX * 1000)
      throw new Error(`the apply of ${sha.slice(0, 8)} did not end within ${STAGE_SECONDS_MAX} s`);
    await pause(POLL_MS);
  }
}

/** An apply that went well may still be taken back: by its probes. */
function hasEnded(apply: CheckRun, verify: CheckRun | undefined): boolean {
  if (apply.status !== 'completed') return false;
  return (
    apply.conclusion !== 'success' || (verify?.status === 'completed' && verify.conclusion === 'success')
  );
}

/** Lines to tell once each: what begins and what is done on which server, and the way back. */
export function newsOf(apply: CheckRun): string[] {
  const back = /rolling back/.test(apply.title) ? [`↶ ${apply.title}`] : [];
  return [...stepsOf(apply.summary), ...back, ...restoredIn(apply.summary)];
}

/** From the folded lists of the check, which have a line like `- ✓ done: SUMMARY (0.1 s)` for each step. */
export function stepsOf(summary: string): string[] {
  const folds = summary.matchAll(/<details><summary>([^:<]+):[^<]*<\/summary>([\s\S]*?)<\/details>/g);
  return [...folds].flatMap(([, host = '', body = '']) =>
    [...body.matchAll(/^- ([▶✓✗↶]) \w+: (.*)$/gm)].map(
      ([, mark, text = '']) =>
        `${host}  ${mark} ${inline(mark === '▶' ? text.replace(/ \([^(]* s\)$/, '') : text, PLAIN)}`,
    ),
  );
}

/** From the table of a rollback. */
function restoredIn(summary: string): string[] {
  return [...summary.matchAll(/^\| (\S+) \| ✓ restored/gm)].map(([, host]) => `${host}  ↶ restored`);
}
