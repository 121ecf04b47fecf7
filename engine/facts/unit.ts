import { type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact, FactError } from './fact.ts';

export interface UnitQuery {
  readonly fact: 'unit';
  /** Name with suffix. */
  readonly key: string;
}

export interface UnitState {
  /** systemd knows it. */
  readonly present: boolean;
  /** `loaded`, `not-found`, `masked`, `bad-setting`, ...; `no-systemd` where systemd does not run. */
  readonly load: string;
  /** `enabled`, `disabled`, `static`, `masked`, ...; empty when there is no file. */
  readonly file: string;
  readonly active: boolean;
  /** systemd's own word: `active`, `failed`, `activating`, ... Informational. */
  readonly activity: string;
  readonly fragment: string;
  readonly canReload: boolean;
  /** `oneshot`, `simple`, ...; empty for other than services. */
  readonly type: string;
  readonly remains: boolean;
}

const PROPERTIES = [
  'LoadState',
  'UnitFileState',
  'ActiveState',
  'FragmentPath',
  'CanReload',
  'Type',
  'RemainAfterExit',
];

/**
 * A unit that is starting counts as active and one that failed as inactive, or a before-state would change by itself.
 * Drop-ins and alias links are not part of the state.
 */
const PRINT = `awk -v keys="$doaas_keys" '
function flush() {
  if (!seen) return
  a = v["ActiveState"]; on = (a == "active" || a == "reloading" || a == "activating" || a == "refreshing") ? "active" : "inactive"
  print "= " k[++n]
  print "unit " v["LoadState"] " " (v["UnitFileState"] == "" ? "-" : v["UnitFileState"]) " " on
  print "~ activity " a; print "~ fragment " v["FragmentPath"]; print "~ reload " v["CanReload"]
  print "~ type " v["Type"]; print "~ remains " v["RemainAfterExit"]
  split("", v); seen = 0
}
BEGIN { total = split(keys, k, " ") }
$0 == "" { flush(); next }
{ at = index($0, "="); v[substr($0, 1, at - 1)] = substr($0, at + 1); seen = 1 }
END { flush(); while (n < total) { print "= " k[++n]; print "unit no-systemd - inactive" } }'`;

/** One call for all units. */
export const unitFact: Fact<UnitQuery, UnitState> = {
  fact: 'unit',
  read: (queries) => {
    const keys = queries.map((q) => encodeKey(q.key)).join(' ');
    return sh`doaas_keys=${keys}
{ LC_ALL=C systemctl show --no-pager -p ${PROPERTIES.join(',')} -- ${queries.map((q) => q.key)} 2>/dev/null || :; } | ${code(PRINT)}`;
  },
  parse: (output, query) => {
    const [type, load = '', file = '', active = ''] = (output[0] ?? '').split(' ');
    if (type !== 'unit' || active === '')
      throw new FactError(`${query.key}: the host answered a unit state that is not understood`);
    return {
      present: load !== 'not-found' && load !== 'no-systemd',
      load,
      file: file === '-' ? '' : file,
      active: active === 'active',
      activity: told(output, 'activity'),
      fragment: told(output, 'fragment'),
      canReload: told(output, 'reload') === 'yes',
      type: told(output, 'type'),
      remains: told(output, 'remains') === 'yes',
    };
  },
};

function code(text: string): Sh {
  return { kind: 'sh', text };
}

function told(output: readonly string[], name: string): string {
  const prefix = `~ ${name} `;
  return output.find((line) => line.startsWith(prefix))?.slice(prefix.length) ?? '';
}
