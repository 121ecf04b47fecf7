import type { Control, Group, Profile, Severity } from '../control.ts';

type Words = readonly [title: string, why: string, source: string];
type Rest = Partial<Pick<Control, 'breaks' | 'applies' | 'undoNeedsReboot' | 'range'>>;

/** A setting of the kernel; more values than one are as good. */
export function sysctl(
  group: Group,
  [id, profile, severity]: readonly [string, Profile, Severity],
  [key, value, ...also]: readonly [string, string, ...string[]],
  [title, why, source]: Words,
  rest: Rest = {},
): Control {
  const more = {
    ...(also.length > 0 ? { also } : {}),
    ...(rest.undoNeedsReboot ? { atBoot: true as const } : {}),
  };
  const wants = { kind: 'sysctl', key, value, ...more } as const;
  return { kind: 'control', id, group, title, why, severity, source, profile, wants, ...rest };
}
