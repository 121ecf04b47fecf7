/** One attempt at a delivery, as GitHub's list of deliveries has it. */
export interface DeliveryAttempt {
  readonly id: number;
  readonly guid: string;
  readonly status_code: number;
  readonly delivered_at: string;
}

/** GitHub sends a failed delivery again for this long after it. Milliseconds. */
const REDELIVERED_WITHIN_MS = 3 * 86_400_000;
/** One still under way is not failed yet. Milliseconds. */
const UNDER_WAY_MS = 15_000;
/** Of one delivery; what fails as often is not worth another. */
const ATTEMPTS_MAX = 5;

/**
 * Ids of the attempts to ask for again: the latest of each delivery that no attempt got through, oldest first. An
 * answer of 4xx is the receiver's own word (a wrong signature), which another try does not change.
 */
export function missedAttempts(attempts: readonly DeliveryAttempt[], nowMs: number): readonly number[] {
  const byGuid = new Map<string, DeliveryAttempt[]>();
  for (const attempt of attempts) byGuid.set(attempt.guid, [...(byGuid.get(attempt.guid) ?? []), attempt]);
  return [...byGuid.values()]
    .filter((tries) => tries.every((attempt) => isMissed(attempt, nowMs)) && tries.length < ATTEMPTS_MAX)
    .map((tries) => Math.max(...tries.map((attempt) => attempt.id)))
    .sort((a, b) => a - b);
}

function isMissed({ status_code: status, delivered_at: at }: DeliveryAttempt, nowMs: number): boolean {
  const ageMs = nowMs - Date.parse(at);
  return (status < 200 || status >= 500) && ageMs > UNDER_WAY_MS && ageMs < REDELIVERED_WITHIN_MS;
}
