import type {
  Control,
  EditedFileName,
  Group,
  Judge,
  OwnFileName,
  Profile,
  Severity,
  Wants,
} from '../control.ts';

export type Head = readonly [id: string, profile: Profile, severity: Severity];
export type Words = readonly [title: string, why: string, source: string];
export type Rest = Partial<Pick<Control, 'breaks' | 'applies' | 'range'>>;

export function control(
  group: Group,
  [id, profile, severity]: Head,
  wants: Wants,
  [title, why, source]: Words,
  rest: Rest = {},
): Control {
  return { kind: 'control', id, group, title, why, severity, source, profile, wants, ...rest };
}

/** A setting within a file of the distribution. */
export function setting(
  file: EditedFileName,
  key: string,
  value: string | null,
  judge: Judge = 'equal',
): Wants {
  return { kind: 'setting', file, key, value, judge };
}

/** Lines of a file of our own. */
export function lines(file: OwnFileName, ...text: readonly string[]): Wants {
  return { kind: 'lines', file, lines: text };
}
