import { HostError } from './host-error.ts';
import { describeTarget, type HostTarget } from './target.ts';

/** fail2ban bans whoever is refused five times in ten minutes, by default and as Hardening sets it. */
export const REFUSED_LOGINS_MAX = 4;
/** Those ten minutes, and a little for how late the host may count. ms */
export const REFUSED_WITHIN_MS = 10 * 60_000 + 10_000;

/** Tries a login, unless too many were refused there lately: then throws `auth-failed` without a try. */
export type CountedLogin = <T>(target: HostTarget, login: () => Promise<T>) => Promise<T>;

/** However often it is tried again, and by whom: no server is given a reason to shut the engine out. `now`: ms. */
export function countRefusedLogins(now: () => number = () => performance.now()): CountedLogin {
  const refused = new Map<string, readonly number[]>();
  const lately = (place: string) => (refused.get(place) ?? []).filter((at) => now() - at < REFUSED_WITHIN_MS);
  return async (target, login) => {
    const place = placeOf(target);
    const before = lately(place);
    const [first] = before;
    if (first === undefined) refused.delete(place);
    else if (before.length >= REFUSED_LOGINS_MAX) throw tooMany(target, first + REFUSED_WITHIN_MS - now());
    try {
      return await login();
    } catch (error) {
      if (error instanceof HostError && error.type === 'auth-failed')
        refused.set(place, [...lately(place), now()]);
      throw error;
    }
  };
}

/** A server counts by the address that it is asked from, whoever wants to be let in. */
function placeOf({ address, port, jump }: HostTarget): string {
  return JSON.stringify([address, port, jump === undefined ? null : placeOf(jump)]);
}

function tooMany(target: HostTarget, waitMs: number): HostError {
  const text = `${describeTarget(target)} refused the login ${REFUSED_LOGINS_MAX} times in ten minutes, and fail2ban bans at the fifth: it is tried again in ${Math.ceil(waitMs / 60_000)} min. What it refused before says what to mend.`;
  return new HostError('auth-failed', target.name, text);
}
