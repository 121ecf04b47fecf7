/** One attempt at a delivery, as GitHub's list of deliveries has it. */
export interface DeliveryAttempt {
  readonly id: number;
  readonly guid: string;
  readonly event: string;
  readonly status_code: number;
  readonly delivered_at: string;
  readonly redelivery: boolean;
}

/** GitHub sends a failed delivery again for this long after it. Milliseconds. */
const REDELIVERED_WITHIN_MS = 3 * 86_400_000;
/** One still under way is not failed yet. Milliseconds. */
const UNDER_WAY_MS = 15_000;
/** Of one delivery; what fails as often is not worth another. */
const ATTEMPTS_MAX = 5;
/** What people said and pressed, which no sweep can read anywhere else; everything else it makes up for. */
const SAID: ReadonlySet<string> = new Set(['issue_comment', 'check_run', 'pull_request_review']);

/**
 * The attempts to ask for again: the latest of each delivery that no attempt got through, what people said first, then oldest first. An
 * answer of 4xx is the receiver's own word (a wrong signature), which another try does not change.
 */
export function missedAttempts(attempts: readonly DeliveryAttempt[], nowMs: number): readonly number[] {
  const byGuid = new Map<string, DeliveryAttempt[]>();
  for (const attempt of attempts) byGuid.set(attempt.guid, [...(byGuid.get(attempt.guid) ?? []), attempt]);
  return [...byGuid.values()]
    .filter((tries) => tries.every((attempt) => isMissed(attempt, nowMs)) && tries.length < ATTEMPTS_MAX)
    .map((tries) => tries.reduce((latest, attempt) => (attempt.id > latest.id ? attempt : latest)))
    .sort((a, b) => Number(SAID.has(b.event)) - Number(SAID.has(a.event)) || a.id - b.id)
    .map(({ id }) => id);
}

function isMissed(attempt: DeliveryAttempt, nowMs: number): boolean {
  return hasFailed(attempt) && !isUnderWay(attempt, nowMs) && !isTooOld(attempt, nowMs);
}

function hasFailed({ status_code: status }: DeliveryAttempt): boolean {
  return status < 200 || status >= 500;
}

export function isUnderWay(attempt: DeliveryAttempt, nowMs: number): boolean {
  return hasFailed(attempt) && nowMs - Date.parse(attempt.delivered_at) <= UNDER_WAY_MS;
}

export function isTooOld({ delivered_at: at }: DeliveryAttempt, nowMs: number): boolean {
  return nowMs - Date.parse(at) >= REDELIVERED_WITHIN_MS;
}

/** What must be remembered to judge a delivery later: a first attempt that got through has no others. */
export function isTelling(attempt: DeliveryAttempt): boolean {
  return hasFailed(attempt) || attempt.redelivery;
}
