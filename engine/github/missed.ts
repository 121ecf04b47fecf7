/** One attempt at a delivery, as GitHub's list of deliveries has it. */
export interface DeliveryAttempt {
  readonly id: number;
  readonly guid: string;
  readonly event: string;
  readonly status_code: number;
  readonly delivered_at: string;
  readonly redelivery: boolean;
}

/** What is known of one delivery from all of its attempts that were read, in whatever order. */
export interface Delivery {
  readonly guid: string;
  readonly event: string;
  /** Of its first attempt, epoch ms; undefined until that was read. */
  readonly firstAtMs: number | undefined;
  readonly latest: { readonly id: number; readonly atMs: number };
  /** Some attempt was answered by other than 5xx. One of 4xx is the receiver's own word, which another try does not change. */
  readonly over: boolean;
}

/** GitHub sends a failed delivery again for this long after it. Milliseconds. */
const REDELIVERED_WITHIN_MS = 3 * 86_400_000;
/** One still under way is not failed yet. Milliseconds. */
const UNDER_WAY_MS = 15_000;
/**
 * A delivery that failed again waits for as long as it has been tried already, so its gaps double from the sweep's ten minutes to a few
 * hours: some 25 tries in three days. Both a minute less, for an attempt is made a moment after the sweep that asks for it. Milliseconds.
 */
const GAP_MIN_MS = 9 * 60_000;
const GAP_MAX_MS = 239 * 60_000;
/** What people said and pressed, which no sweep can read anywhere else; everything else it makes up for. */
const SAID: ReadonlySet<string> = new Set(['issue_comment', 'check_run', 'pull_request_review']);

/** `before`: what was known of the same delivery. An attempt may be read twice. */
export function withAttempt(before: Delivery | undefined, attempt: DeliveryAttempt): Delivery {
  const { id, guid, event, redelivery } = attempt;
  const atMs = Date.parse(attempt.delivered_at);
  const isLatest = before === undefined || id > before.latest.id;
  return {
    guid,
    event,
    firstAtMs: redelivery ? before?.firstAtMs : atMs,
    latest: isLatest ? { id, atMs } : before.latest,
    over: before?.over === true || !hasFailed(attempt),
  };
}

/** The deliveries to ask for again: those whose time has come, what people said first, then the oldest attempt first. */
export function missedDeliveries(deliveries: readonly Delivery[], nowMs: number): readonly Delivery[] {
  return deliveries
    .filter((delivery) => isDue(delivery, nowMs))
    .sort((a, b) => Number(SAID.has(b.event)) - Number(SAID.has(a.event)) || a.latest.id - b.latest.id);
}

/** One whose first attempt was not read yet is either too old or comes with the rest of the list. */
function isDue({ firstAtMs, latest, over }: Delivery, nowMs: number): boolean {
  if (over || firstAtMs === undefined || isLongAgo(firstAtMs, nowMs)) return false;
  const triedMs = latest.atMs - firstAtMs;
  const gapMs = triedMs === 0 ? UNDER_WAY_MS : Math.min(Math.max(triedMs, GAP_MIN_MS), GAP_MAX_MS);
  return nowMs - latest.atMs > gapMs;
}

/** `isWhole`: all of GitHub's list was read, so a first attempt that is not known is older than it. */
export function isPast({ firstAtMs, latest }: Delivery, nowMs: number, isWhole: boolean): boolean {
  if (firstAtMs === undefined) return isWhole || isLongAgo(latest.atMs, nowMs);
  return isLongAgo(firstAtMs, nowMs);
}

function hasFailed({ status_code: status }: DeliveryAttempt): boolean {
  return status < 200 || status >= 500;
}

export function isUnderWay(attempt: DeliveryAttempt, nowMs: number): boolean {
  return hasFailed(attempt) && nowMs - Date.parse(attempt.delivered_at) <= UNDER_WAY_MS;
}

export function isTooOld({ delivered_at: at }: DeliveryAttempt, nowMs: number): boolean {
  return isLongAgo(Date.parse(at), nowMs);
}

function isLongAgo(atMs: number, nowMs: number): boolean {
  return nowMs - atMs >= REDELIVERED_WITHIN_MS;
}

/** What must be remembered to judge a delivery later: a first attempt that got through has no others. */
export function isTelling(attempt: DeliveryAttempt): boolean {
  return hasFailed(attempt) || attempt.redelivery;
}
