import type { Readings } from '../../../facts/fact.ts';
import { pathFact } from '../../../facts/path.ts';
import { type UnitState, unitFact } from '../../../facts/unit.ts';
import { UNIT_DIR } from '../../../operations/units.ts';
import type { ResolvedUnit } from '../../../spec/configuration.ts';
import { childPointer } from '../../../spec/pointer.ts';
import type { UnitSource } from '../../../spec/types.generated.ts';
import { type Adoption, adopt, cannot, type Edit, set } from '../../adoption.ts';
import { stateOf } from '../../readings.ts';
import { shownText, textEdit } from './contents.ts';

export function adoptUnit(
  name: string,
  source: UnitSource,
  want: ResolvedUnit,
  readings: Readings,
): Adoption {
  const now = stateOf(readings, unitFact, name);
  const pointer = childPointer('/spec/units', name);
  if (want.state === 'absent')
    return cannot(`${name} is there again; write its text into a document by hand`);
  const file = want.content === undefined ? undefined : stateOf(readings, pathFact, `${UNIT_DIR}/${name}`);
  if (file?.type === 'absent') return adopt(set(pointer, { state: 'absent' }));
  if (!now.present) return cannot(`there is no unit ${name} on the server; is its package missing?`);
  const states = switches(name, pointer, want, now);
  if ('why' in states) return states;
  if (file === undefined || want.content === undefined) return adopt(...states.edits);
  if (file.type !== 'file' || file.mode !== '0644' || file.owner !== 'root' || file.group !== 'root')
    return cannot(`the file of ${name} is not root's with the mode 0644, and a document cannot say so`);
  if (file.sha256 === want.content.sha256) return adopt(...states.edits);
  const text = shownText(`${UNIT_DIR}/${name}`, file);
  if (text.kind === 'cannot') return text;
  const edit = textEdit(source, pointer, text.text);
  return edit.kind === 'cannot' ? edit : adopt(edit, ...states.edits);
}

type Switches = { readonly edits: readonly Edit[] } | Extract<Adoption, { kind: 'cannot' }>;

const ENABLED: Readonly<Record<string, boolean>> = { enabled: true, alias: true, disabled: false };
const RUNNING: Readonly<Record<string, boolean>> = {
  active: true,
  reloading: true,
  inactive: false,
  failed: false,
};

function switches(
  name: string,
  pointer: string,
  { enabled, running }: Extract<ResolvedUnit, { state: 'present' }>,
  now: UnitState,
): Switches {
  const isEnabled = ENABLED[now.file];
  const isRunning = RUNNING[now.activity];
  if (enabled !== undefined && isEnabled === undefined)
    return {
      kind: 'cannot',
      why: `${name} is ${now.file || 'of no file'} on the server, which a document cannot say`,
    };
  if (running !== undefined && isRunning === undefined)
    return { kind: 'cannot', why: `${name} is ${now.activity} on the server, neither running nor stopped` };
  return {
    edits: [
      ...(enabled === undefined || enabled === isEnabled
        ? []
        : [set(childPointer(pointer, 'enabled'), isEnabled === true)]),
      ...(running === undefined || running === isRunning
        ? []
        : [set(childPointer(pointer, 'running'), isRunning === true)]),
    ],
  };
}
