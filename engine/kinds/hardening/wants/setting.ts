import { pathFact } from '../../../facts/path.ts';
import { stateOf } from '../../readings.ts';
import type { EditedFileName, SettingWish } from '../control.ts';
import type { Active } from '../spec.ts';
import { attention, notApplicable, passedIf, type Verdict, type View } from '../view.ts';
import { textOf } from './text.ts';

interface EditedFile {
  readonly path: string;
  /** Text with the setting as it is wanted. */
  readonly edit: (text: string, wish: SettingWish) => string;
  /** Each value that it is set to; none where it is not set. */
  readonly read: (text: string, wish: SettingWish) => readonly string[];
}

/** In time that no text makes long: the file is whatever the owner of the host writes there. */
function linesOf(key: string): RegExp {
  return new RegExp(`^[ \\t]*${key}(?![^ \\t=\\n])[ \\t=]*(.*)$`, 'gm');
}

function valuesOf(text: string, key: string): readonly string[] {
  return [...text.matchAll(linesOf(key))].map(([, value = '']) => value.trimEnd());
}

/** Where a later line counts. */
export function lastValueOf(text: string, key: string): string | undefined {
  return valuesOf(text, key).at(-1);
}

/** Of several lines the last counts for programs of shadow and for pam_faillock, and the first of login.defs for modules of PAM: all must hold. */
const KEY_VALUE = (between: string): Omit<EditedFile, 'path'> => ({
  read: (text, { key }) => valuesOf(text, key),
  edit: (text, { key, value }) => {
    if (value === null) return text.replace(linesOf(key), (found) => `# ${found}`);
    const wanted = `${key}${between}${value}`;
    return valuesOf(text, key).length > 0
      ? text.replace(linesOf(key), () => wanted)
      : `${ended(text)}${wanted}\n`;
  },
});

/** `value` is the group whose members may; who is root already is let through before (pam_rootok). */
const WHEEL = /^auth[ \t]+(?:required|requisite)[ \t]+pam_wheel\.so[ \t].*\bgroup=(\S+)/m;
const ROOT_OK = /^auth[ \t]+sufficient[ \t]+pam_rootok\.so.*$/m;

const PAM_SU: Omit<EditedFile, 'path'> = {
  read: (text) => WHEEL.exec(text)?.slice(1) ?? [],
  edit: (text, { value }) => {
    const wanted = `auth       required   pam_wheel.so use_uid group=${value}`;
    if (WHEEL.test(text)) return text.replace(WHEEL, () => wanted);
    return text.replace(ROOT_OK, (line) => `${line}\n${wanted}`);
  },
};

/** Files of the distribution in which single settings are changed, since they read no folder of drop-ins. */
export const EDITED_FILES: { readonly [Name in EditedFileName]: EditedFile } = {
  'login.defs': { path: '/etc/login.defs', ...KEY_VALUE('\t') },
  'faillock.conf': { path: '/etc/security/faillock.conf', ...KEY_VALUE(' = ') },
  'pam-su': { path: '/etc/pam.d/su', ...PAM_SU },
};

export function judgeSetting(wish: SettingWish, { readings }: View): Verdict {
  const { path, read, edit } = EDITED_FILES[wish.file];
  const state = stateOf(readings, pathFact, path);
  if (!state.present) return notApplicable(`there is no ${path}`);
  const text = textOf(state);
  if (text === undefined)
    return attention(`${path} is no file that everybody may read, so it is not changed: look at it`);
  const now = read(text, wish);
  if (now.length === 0 ? holds(wish, undefined) : now.every((value) => holds(wish, value)))
    return passedIf(true);
  return edit(text, wish) === text
    ? attention(`${path} has no line that this could follow: add it by hand`)
    : passedIf(false);
}

export function holds(
  { value, judge }: Pick<SettingWish, 'value' | 'judge'>,
  now: string | undefined,
): boolean {
  if (value === null || now === undefined) return value === null && now === undefined;
  const number = Number.parseInt(now, 10);
  switch (judge) {
    case 'equal':
      return now === value;
    case 'at-most':
      return number > 0 && number <= Number(value);
    case 'at-least':
      return number >= Number(value);
  }
}

/** Text of the file with all of its failing settings as they are wanted. */
export function editedText(file: EditedFileName, failing: readonly Active[], view: View): string {
  const { path, edit } = EDITED_FILES[file];
  const before = textOf(stateOf(view.readings, pathFact, path)) ?? '';
  return failing.reduce(
    (text, { wants }) => (wants.kind === 'setting' && wants.file === file ? edit(text, wants) : text),
    before,
  );
}

function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
