import type { Readings } from '../../../facts/fact.ts';
import { type PathState, pathFact } from '../../../facts/path.ts';
import type { ResolvedDirectory, ResolvedFile } from '../../../spec/configuration.ts';
import { childPointer } from '../../../spec/pointer.ts';
import type { DirectorySource, FileSource } from '../../../spec/types.generated.ts';
import { type Adoption, adopt, cannot, type Edit, set, type YamlValue } from '../../adoption.ts';
import { stateOf } from '../../readings.ts';
import { shownText, textEdit } from './contents.ts';

type OnHost<Type extends PathState['type']> = Extract<PathState, { type: Type }>;

/** A file or link of a document. */
export function adoptFile(
  path: string,
  source: FileSource,
  want: ResolvedFile,
  readings: Readings,
): Adoption {
  const now = stateOf(readings, pathFact, path);
  const pointer = childPointer('/spec/files', path);
  const whole = (value: Readonly<Record<string, YamlValue>>) =>
    adopt(set(pointer, keepingNotify(source, value)));
  switch (now.type) {
    case 'absent':
      return whole({ state: 'absent' });
    case 'link':
      return want.state === 'link'
        ? adopt(set(childPointer(pointer, 'linkTo'), now.target))
        : whole({ linkTo: now.target });
    case 'file':
      return want.state === 'file'
        ? adoptChanged(path, pointer, source, want, now)
        : cannot(`${path} is a file on the server; write its text into the document by hand`);
    default:
      return cannot(
        `${path} is ${now.type === 'directory' ? 'a directory' : now.description} on the server, and a file in the document`,
      );
  }
}

function adoptChanged(
  path: string,
  pointer: string,
  source: FileSource,
  want: Extract<ResolvedFile, { state: 'file' }>,
  now: OnHost<'file'>,
): Adoption {
  if (want.content.sealed !== undefined)
    return cannot(`${path} holds secrets, which stay out of the repository`);
  const owner = ownership(now, want);
  if (owner.kind === 'cannot') return owner;
  const attributes = setAll(pointer, owner.changed);
  if (now.sha256 === want.content.sha256) return adopt(...attributes);
  const text = shownText(path, now);
  if (text.kind === 'cannot') return text;
  const edit = textEdit(source, pointer, text.text);
  return edit.kind === 'cannot' ? edit : adopt(edit, ...attributes);
}

export function adoptDirectory(
  path: string,
  source: DirectorySource,
  want: ResolvedDirectory,
  readings: Readings,
): Adoption {
  const now = stateOf(readings, pathFact, path);
  const pointer = childPointer('/spec/directories', path);
  if (now.type === 'absent') return adopt(set(pointer, keepingNotify(source, { state: 'absent' })));
  if (now.type !== 'directory') return cannot(`${path} is no directory on the server`);
  const before = want.state === 'directory' ? want : { mode: '0755', owner: 'root', group: 'root' };
  const owner = ownership(now, before);
  if (owner.kind === 'cannot') return owner;
  return want.state === 'directory'
    ? adopt(...setAll(pointer, owner.changed))
    : adopt(set(pointer, keepingNotify(source, owner.changed)));
}

function setAll(pointer: string, values: Readonly<Record<string, string>>): readonly Edit[] {
  return Object.entries(values).map(([name, value]) => set(childPointer(pointer, name), value));
}

/** What is acted upon stays, whatever becomes of the item. */
function keepingNotify(
  { notify }: Pick<FileSource, 'notify'>,
  value: Readonly<Record<string, YamlValue>>,
): YamlValue {
  return notify === undefined ? value : { ...value, notify: JSON.parse(JSON.stringify(notify)) };
}

interface Owned {
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

type Ownership =
  | { readonly kind: 'owned'; readonly changed: Readonly<Record<string, string>> }
  | { readonly kind: 'cannot'; readonly why: string };

/** As the schema takes names of users and groups. */
const NAME = /^[a-z_][a-z0-9_-]{0,31}$/;

/** What differs of mode, owner and group. */
function ownership(now: Owned, before: Owned): Ownership {
  for (const name of [now.owner, now.group])
    if (!NAME.test(name))
      return { kind: 'cannot', why: `its owner or group ${name} is not a name that a document may use` };
  const changed = (['mode', 'owner', 'group'] as const).filter((key) => now[key] !== before[key]);
  return { kind: 'owned', changed: Object.fromEntries(changed.map((key) => [key, now[key]])) };
}
