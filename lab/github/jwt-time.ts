/** GitHub takes no App's token that is valid for longer from now. Seconds. */
const EXPIRES_WITHIN = 600;

/**
 * What GitHub answers (with 401) to an App's token from a clock that is wrong, in its own words: by them octokit knows
 * that it has to correct its clock by the answer's `date`. `now`: epoch seconds. Undefined where nothing is wrong with the times.
 */
export function jwtTimeProblem(token: string, now: number): string | undefined {
  const { iat, exp } = claimsOf(token);
  if (typeof exp === 'number' && exp <= now)
    return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
  if (typeof iat === 'number' && iat > now)
    return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
  if (typeof exp === 'number' && exp > now + EXPIRES_WITHIN)
    return "'Expiration time' claim ('exp') is too far in the future";
  return undefined;
}

/** By a clock that a test of this process does not set when it sets `Date`. Epoch seconds. */
export function secondsNow(): number {
  return (performance.timeOrigin + performance.now()) / 1000;
}

/** None of a text that is no token; the emulator refuses it. */
function claimsOf(token: string): { readonly iat?: unknown; readonly exp?: unknown } {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return typeof claims === 'object' && claims !== null ? claims : {};
  } catch {
    return {};
  }
}
