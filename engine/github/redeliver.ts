import type { Octokit } from '@octokit/rest';
import type { Logger } from '../log.ts';
import { calling, isRefused } from './errors.ts';
import { PAGE_SIZE } from './limits.ts';
import {
  type Delivery,
  type DeliveryAttempt,
  isPast,
  isTelling,
  isTooOld,
  isUnderWay,
  missedDeliveries,
  withAttempt,
} from './missed.ts';
import { nextIn } from './pages.ts';

/** Redeliveries asked for by one sweep; the others are remembered for the next. */
const REDELIVERED_MAX = 100;
/** Of GitHub's list, read by one sweep; the next goes on there. */
const PAGES_MAX = 20;
/** A redelivery that GitHub promised and did not make is asked for again after this time. Milliseconds. */
const PROMISED_MS = 3_600_000;
/** One that GitHub failed at is left to the next sweep, so that it is in nobody's way. Milliseconds. */
const FAILED_MS = 60_000;
/** Deliveries that are remembered; failures of three days that are more are forgotten, the oldest first. */
const REMEMBERED_MAX = 20_000;
/** Of those that are given up, named in the log at once. */
const NAMED_MAX = 20;

/** One passage over GitHub's list, newest first; it can take several sweeps. */
interface Passage {
  /** All up to this one is known once the passage is over. */
  readonly top: number;
  /** The page that comes next, in GitHub's words. */
  readonly cursor: string | undefined;
}

interface Page {
  readonly attempts: readonly DeliveryAttempt[];
  readonly next: string | undefined;
}

/**
 * Asks GitHub to send again what the engine did not take in the last three days; how many. What has been read of the list is
 * remembered, so a sweep reads what is new. A new process reads all of it. Throws `GitHubError`.
 */
export type Redelivering = (octokit: Octokit, nowMs: number) => Promise<number>;

export function createRedelivering(log: Logger): Redelivering {
  const remembered = new Map<string, Delivery>();
  /** Epoch ms before which it is not asked for again, whatever its attempts say, by the latest of these. */
  const notBefore = new Map<number, number>();
  let known = 0;
  let passage: Passage | undefined;

  const remember = ({ attempts }: Page, nowMs: number): void => {
    for (const attempt of attempts) {
      // the page on which the list goes on has some that were read before, and may have been given up since
      if (attempt.id <= known) continue;
      const before = remembered.get(attempt.guid);
      if (before === undefined && !isTelling(attempt)) continue;
      const after = withAttempt(before, attempt);
      if (after.latest.id !== before?.latest.id) notBefore.delete(before?.latest.id ?? 0);
      remembered.set(attempt.guid, after);
    }
    if (passage !== undefined) return;
    const newest = attempts[0]?.id ?? known;
    // one under way is read again by the next passage
    const unsure = attempts.filter((attempt) => isUnderWay(attempt, nowMs)).map(({ id }) => id - 1);
    passage = { top: Math.min(newest, ...unsure), cursor: undefined };
  };
  const readOn = async (octokit: Octokit, nowMs: number): Promise<void> => {
    for (let pages = 0; pages < PAGES_MAX; pages++) {
      const page = await readPage(octokit, passage?.cursor).catch((error: unknown) => {
        // a place that GitHub no longer knows
        if (isRefused(error)) passage = undefined;
        throw error;
      });
      remember(page, nowMs);
      const top = passage?.top ?? known;
      const ends = page.attempts.some((attempt) => attempt.id <= known || isTooOld(attempt, nowMs));
      passage = { top, cursor: page.next };
      if (!ends && page.next !== undefined) continue;
      known = Math.max(known, top);
      passage = undefined;
      return;
    }
    log.warn({ pages: PAGES_MAX }, 'GitHub lists more webhooks than one sweep reads; the next goes on');
  };
  const forget = (nowMs: number): void => {
    const isWhole = passage === undefined;
    const newestFirst = [...remembered.values()].sort((a, b) => b.latest.id - a.latest.id);
    const gone = newestFirst.filter(
      (delivery, place) => place >= REMEMBERED_MAX || isPast(delivery, nowMs, isWhole),
    );
    for (const { guid, latest } of gone) {
      remembered.delete(guid);
      notBefore.delete(latest.id);
    }
    warnOf(gone.filter(({ over, firstAtMs }) => !over && firstAtMs !== undefined));
  };
  const warnOf = (lost: readonly Delivery[]): void => {
    if (lost.length === 0) return;
    const deliveries = lost.slice(0, NAMED_MAX).map(({ guid, event }) => ({ guid, event }));
    log.warn({ lost: lost.length, deliveries }, 'webhooks are given up: no attempt of theirs got through');
  };
  /** False: GitHub refuses this one, which says nothing of the others. */
  const askFor = async (octokit: Octokit, id: number, nowMs: number): Promise<boolean> => {
    notBefore.set(id, nowMs + PROMISED_MS);
    try {
      await ask(octokit, id);
      return true;
    } catch (error) {
      if (!isRefused(error)) {
        notBefore.set(id, nowMs + FAILED_MS);
        throw error;
      }
      log.warn(
        { delivery: id, err: error },
        'GitHub refuses to send a webhook again; asked once more in an hour',
      );
      return false;
    }
  };
  return async (octokit, nowMs) => {
    await readOn(octokit, nowMs);
    forget(nowMs);
    const missed = missedDeliveries([...remembered.values()], nowMs)
      .map(({ latest }) => latest.id)
      .filter((id) => (notBefore.get(id) ?? 0) < nowMs);
    const now = missed.slice(0, REDELIVERED_MAX);
    let asked = 0;
    for (const id of now) if (await askFor(octokit, id, nowMs)) asked += 1;
    if (missed.length > now.length)
      log.warn({ left: missed.length - now.length }, 'webhooks that are asked for again later');
    return asked;
  };
}

async function readPage(octokit: Octokit, cursor: string | undefined): Promise<Page> {
  const { data, headers } = await calling('Listing the webhook deliveries', () =>
    octokit.apps.listWebhookDeliveries({ per_page: PAGE_SIZE, ...(cursor === undefined ? {} : { cursor }) }),
  );
  return { attempts: data, next: nextIn(headers.link, 'cursor') };
}

async function ask(octokit: Octokit, id: number): Promise<void> {
  await calling('Asking for a webhook again', () =>
    octokit.apps.redeliverWebhookDelivery({ delivery_id: id }),
  );
}
