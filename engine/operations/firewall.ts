import { readFileSync } from 'node:fs';
import {
  FIREWALL_FILE,
  FIREWALL_FUNCTIONS,
  FIREWALL_LOADED,
  FIREWALL_UNIT,
  FIREWALL_UNIT_FILE,
  FIREWALL_UNIT_TEXT,
} from '../facts/firewall.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Custody, Operation } from './operation.ts';
import { PATH_FUNCTIONS, pathCustody } from './path.ts';
import { unitCustody } from './units.ts';

/** The whole table and what loads it at boot. */
export type SetFirewall = {
  /** sha256 of the ruleset file. */
  readonly sha256: string;
};

const NAMES = sh`FILE=${FIREWALL_FILE}; UNIT=${FIREWALL_UNIT}; UNIT_FILE=${FIREWALL_UNIT_FILE}; LOADED=${FIREWALL_LOADED}
UNIT_TEXT=${FIREWALL_UNIT_TEXT}`;

const LIBRARY: Sh = lines(FIREWALL_FUNCTIONS, NAMES, PATH_FUNCTIONS, unitCustody.library ?? sh`:`, {
  kind: 'sh',
  text: readFileSync(new URL('./firewall.sh', import.meta.url), 'utf8'),
});

export const setFirewall: Operation<SetFirewall> = {
  operation: 'firewall.set',
  library: LIBRARY,
  endangersAccess: true,
  items: () => ['firewall:inet'],
  payloads: (p) => [p.sha256],
  check: (p) => sh`is_firewall ${p.sha256}`,
  apply: (p) => sh`apply_firewall ${p.sha256}`,
};

const FILES = [FIREWALL_FILE, FIREWALL_UNIT_FILE, FIREWALL_LOADED] as const;

/** Table, files and unit together: one without the others would come back at the next boot, or not. */
export const firewallCustody: Custody = {
  fact: 'firewall',
  library: LIBRARY,
  capture: (_, save) =>
    lines(
      sh`capture_table ${save}`,
      ...FILES.map((path, n) => pathCustody.capture(path, sh`${save}/${n}`)),
      unitCustody.capture(FIREWALL_UNIT, sh`${save}/unit`),
    ),
  restore: (items) =>
    lines(
      ...items.flatMap(({ save }) => [
        // before the files: with the unit's text gone systemd would know nothing to stop
        unitCustody.restore([{ key: FIREWALL_UNIT, save: sh`${save}/unit` }]),
        ...FILES.map((path, n) => pathCustody.restore([{ key: path, save: sh`${save}/${n}` }])),
        sh`restore_table ${save}`,
      ]),
    ),
  settle: (items) =>
    unitCustody.settle?.(items.map(({ save }) => ({ key: FIREWALL_UNIT, save: sh`${save}/unit` }))) ?? sh`:`,
};
