import { controlNamed } from './catalogue.ts';
import type { Control, Profile, Wants } from './control.ts';

/** What a document wants of a host. */
export interface ResolvedHardening {
  readonly profile: Profile;
  /** In the order of the catalogue, without those that are waived. */
  readonly controls: readonly { readonly id: string; readonly value?: number }[];
  readonly waivers: readonly Waiver[];
  /** Who else looks before and after a change. */
  readonly witness?: 'lynis';
}

export interface Waiver {
  readonly id: string;
  readonly reason: string;
  readonly owner: string;
  /** Last day that it counts on, `2027-01-31`. */
  readonly expires: string;
}

/** A control of a document, its value in place. */
export interface Active {
  readonly control: Control;
  readonly wants: Wants;
}

export function activeControls(spec: ResolvedHardening): readonly Active[] {
  return spec.controls.map(({ id, value }) => {
    const control = controlNamed(id);
    if (control === undefined) throw new Error(`no control is named ${id}`);
    return { control, wants: filled(control.wants, value ?? control.range?.value) };
  });
}

/** Texts of `wants` are written by us, so `$value` stands nowhere by chance. */
function filled<T>(wants: T, value: number | undefined): T {
  if (value === undefined) return wants;
  if (typeof wants === 'string') return wants.replaceAll('$value', String(value)) as T;
  if (Array.isArray(wants)) return wants.map((part) => filled(part, value)) as T;
  if (typeof wants !== 'object' || wants === null) return wants;
  return Object.fromEntries(Object.entries(wants).map(([key, part]) => [key, filled(part, value)])) as T;
}
