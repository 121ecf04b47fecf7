import { expect, it } from 'vitest';
import { HostError } from './host-error.ts';
import { countRefusedLogins, REFUSED_LOGINS_MAX, REFUSED_WITHIN_MS } from './refusedLogins.ts';
import type { HostTarget } from './target.ts';

const target: HostTarget = {
  name: 'web-1',
  address: '10.0.0.5',
  port: 22,
  user: 'deploy',
  hostKeys: [],
  become: 'sudo',
  site: 'default',
};

function refusing(now: () => number) {
  const login = countRefusedLogins(now);
  const tried: number[] = [];
  const attempt = (to: HostTarget, type: 'auth-failed' | 'unreachable' = 'auth-failed') =>
    login(to, async () => {
      tried.push(now());
      throw new HostError(type, to.name, 'no');
    }).catch((error: HostError) => `${error.type}: ${error.message}`);
  return { login, attempt, tried };
}

it('a host that refuses is tried four times in any ten minutes, however often that is asked for', async () => {
  let clock = 0;
  const { attempt, tried } = refusing(() => clock);
  for (; clock < 60 * 60_000; clock += 1_000) await attempt(target);
  const worst = Math.max(
    ...tried.map((from) => tried.filter((at) => at >= from && at <= from + 10 * 60_000).length),
  );
  expect(worst).toBe(REFUSED_LOGINS_MAX);
  // and it is not given up either
  expect(tried.length).toBeGreaterThanOrEqual(5 * REFUSED_LOGINS_MAX);
});

it('says why it is not tried, and when it will be', async () => {
  const { attempt } = refusing(() => 0);
  for (let n = 0; n < REFUSED_LOGINS_MAX; n += 1) expect(await attempt(target)).toBe('auth-failed: no');
  expect(await attempt({ ...target, user: 'other' })).toBe(
    'auth-failed: web-1 (other@10.0.0.5:22) refused the login 4 times in ten minutes, and fail2ban bans at the fifth: it is tried again in 11 min. What it refused before says what to mend.',
  );
  expect(await attempt({ ...target, port: 2222 })).toBe('auth-failed: no');
});

it('a host that is away, or lets in, is no such host', async () => {
  let clock = 0;
  const { attempt, login, tried } = refusing(() => clock);
  for (let n = 0; n < 10; n += 1) await attempt(target, 'unreachable');
  expect(tried).toHaveLength(10);
  for (let n = 0; n < 10; n += 1) expect(await login(target, async () => 'in')).toBe('in');
  await attempt(target);
  clock += REFUSED_WITHIN_MS;
  for (let n = 0; n < REFUSED_LOGINS_MAX; n += 1) expect(await attempt(target)).toBe('auth-failed: no');
});
