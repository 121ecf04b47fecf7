import type { AlgorithmWish, Control, Profile, Severity, SshWish } from '../control.ts';

type Rest = Partial<Pick<Control, 'breaks' | 'applies' | 'range'>>;

/** A setting of sshd. */
export function ssh(
  id: string,
  profile: Profile,
  severity: Severity,
  wants: SshWish | AlgorithmWish,
  [title, why, source]: readonly [string, string, string],
  rest: Rest = {},
): Control {
  return { kind: 'control', id, group: 'ssh', title, why, severity, source, profile, wants, ...rest };
}

export function set(
  keyword: string,
  value: string,
  judge: SshWish['judge'] = 'equal',
  more: Partial<SshWish> = {},
): SshWish {
  return { kind: 'ssh', keyword, value, judge, ...more };
}
