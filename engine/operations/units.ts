import { readFileSync } from 'node:fs';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Custody, Operation } from './operation.ts';

/** Folder of the units that the administrator, and so the engine, writes. */
export const UNIT_DIR = '/etc/systemd/system';

/** null: not managed. */
export type SetUnit = {
  readonly unit: string;
  /** sha256 of the text of /etc/systemd/system/NAME. */
  readonly content: string | null;
  readonly enabled: boolean | null;
  readonly running: boolean | null;
};
export type RemoveUnit = { readonly unit: string };
export type ActOnUnit = { readonly unit: string };

export const UNITS_LIBRARY: Sh = {
  kind: 'sh',
  text: readFileSync(new URL('./units.sh', import.meta.url), 'utf8'),
};

const RELOAD = sh`systemctl daemon-reload`;

const IS_ENABLED = sh`case $FILE in enabled | alias) : ;; *) false ;; esac`;

/** Enabled, masked and running; the text at its place is a `path` item of its own. */
export const unitCustody: Custody = {
  fact: 'unit',
  library: UNITS_LIBRARY,
  capture: (name, save) => sh`capture_unit ${name} ${save}`,
  restore: (items) => lines(...items.map(({ key, save }) => sh`restore_unit ${key} ${save}`)),
  settle: (items) => lines(...items.map(({ key, save }) => sh`settle_unit ${key} ${save}`)),
};

export const setUnit: Operation<SetUnit> = {
  operation: 'unit.set',
  library: UNITS_LIBRARY,
  // The text first: links and the running state are restored with the old text in place.
  items: (p) => [...(p.content === null ? [] : [`path:${UNIT_DIR}/${p.unit}` as const]), `unit:${p.unit}`],
  payloads: (p) => (p.content === null ? [] : [p.content]),
  check: (p) =>
    lines(
      ...(p.content === null ? [] : [sh`same_text ${p.unit} ${p.content} || exit 1`]),
      sh`unit_states ${p.unit}`,
      ...(p.content === null ? [] : [sh`[ "$STALE" = no ] || exit 1`]),
      ...given(p.enabled, (yes) => sh`${IS_ENABLED} ${yes ? sh`|| exit 1` : sh`&& exit 1`}`),
      ...given(p.running, (yes) => sh`[ "$ACTIVE" ${yes ? sh`=` : sh`!=`} active ] || exit 1`),
      sh`:`,
    ),
  // systemd reads all units anew for each reload, which is the dearest part: once, when text and links are in place.
  apply: (p) =>
    lines(
      ...(p.content === null ? [] : [writeText(p.unit, p.content, p.enabled === null ? RELOAD : sh`:`)]),
      ...given(p.enabled, (yes) =>
        lines(sh`systemctl ${yes ? 'enable' : 'disable'} --no-reload --quiet -- ${p.unit}`, RELOAD),
      ),
      ...given(p.running, (yes) => (yes ? sh`start_unit ${p.unit}` : sh`stop_unit ${p.unit}`)),
    ),
};

/** Stops and disables it, then removes its file. */
export const removeUnit: Operation<RemoveUnit> = {
  operation: 'unit.remove',
  library: UNITS_LIBRARY,
  items: (p) => [`path:${UNIT_DIR}/${p.unit}`, `unit:${p.unit}`],
  check: (p) => {
    const file = `${UNIT_DIR}/${p.unit}`;
    return sh`[ ! -e ${file} ] && [ ! -L ${file} ] && [ "$(unit_is ${p.unit} ActiveState)" != active ] && [ -z "$(unit_links ${p.unit})" ]`;
  },
  apply: (p) => sh`stop_unit ${p.unit}
if [ -e ${`${UNIT_DIR}/${p.unit}`} ]; then systemctl disable --no-reload --quiet -- ${p.unit}; fi
rm -f -- ${`${UNIT_DIR}/${p.unit}`}; sync ${UNIT_DIR}
unit_links ${p.unit} | while IFS= read -r l; do rm -f "$l"; done
systemctl daemon-reload
systemctl reset-failed -- ${p.unit} 2>/dev/null || :`,
};

export const reloadUnit: Operation<ActOnUnit> = act('reload');
export const restartUnit: Operation<ActOnUnit> = act('restart');

/** Done exactly once, also when the run is cut and taken up again: the unit itself tells whether it happened. */
function act(verb: 'reload' | 'restart'): Operation<ActOnUnit> {
  return {
    operation: `unit.${verb}`,
    library: UNITS_LIBRARY,
    items: () => [],
    check: (p) => sh`was_acted ${p.unit} ${verb}`,
    apply: (p) => sh`act_once ${p.unit} ${verb}`,
    afterRestore: (p) => sh`act_again ${p.unit} ${verb}`,
  };
}

function writeText(unit: string, sha256: string, then: Sh): Sh {
  return sh`same_unit ${unit} ${sha256} || { write_unit ${unit} ${sha256}; ${then}; }`;
}

function given(value: boolean | null, then: (yes: boolean) => Sh): readonly Sh[] {
  return value === null ? [] : [then(value)];
}
