import Bottleneck from 'bottleneck';

/**
 * The throttling plugin starts one write a second and one comment in three, which alone would break the time to
 * a status. These groups allow bursts and hold the same sums that GitHub documents ("Rate limits for the REST
 * API", secondary limits): 900 points a minute with 5 a write, and 80 requests a minute that create content.
 */
const REFILL_MS = 1000;
const CONTENT_PER_MINUTE = 70;

/** Requests of one installation that run at the same time; GitHub's bound is 100. */
const CONCURRENT_REQUESTS = 20;
/** A bucket nobody used for this long is dropped (and is full again by then). */
const IDLE_MS = 5 * 60_000;

const CLOCK_SET_BACK = 'the clock was set back while this waited for its turn';

export interface ThrottleGroups {
  readonly global: Bottleneck.Group;
  readonly auth: Bottleneck.Group;
  readonly write: Bottleneck.Group;
  readonly notifications: Bottleneck.Group;
}

/** One bucket per installation; `writesPerMinute` is the whole of an installation's writes. */
export function throttleGroups(writesPerMinute: number): ThrottleGroups {
  return {
    global: new Bottleneck.Group({ maxConcurrent: CONCURRENT_REQUESTS, timeout: IDLE_MS }),
    auth: new Bottleneck.Group({ maxConcurrent: 1, timeout: IDLE_MS }),
    write: bucket(writesPerMinute),
    notifications: bucket(Math.max(CONTENT_PER_MINUTE, Math.floor(writesPerMinute / 2))),
  };
}

/** What waits in them is refused, and whoever waited tries again. */
export async function stopGroups(groups: ThrottleGroups): Promise<void> {
  const limiters = Object.values(groups).flatMap((group: Bottleneck.Group) => group.limiters());
  await Promise.allSettled(limiters.map(({ limiter }) => limiter.stop({ dropErrorMessage: CLOCK_SET_BACK })));
}

function bucket(perMinute: number): Bottleneck.Group {
  return new Bottleneck.Group({
    reservoir: perMinute,
    reservoirIncreaseAmount: Math.max(1, Math.floor((perMinute * REFILL_MS) / 60_000)),
    reservoirIncreaseInterval: REFILL_MS,
    reservoirIncreaseMaximum: perMinute,
    timeout: IDLE_MS,
  });
}
