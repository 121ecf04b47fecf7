import { createHash } from 'node:crypto';
import type { Sh } from '../shell/sh.ts';
import { informational } from './accounts.ts';
import type { Fact } from './fact.ts';
import { quietly } from './quietly.ts';

export interface MachineQuery {
  readonly fact: 'machine';
  readonly key: 'all';
}

/** Which machine answers, whatever address and host key it is reached by. Informational: it is another one after a reboot. */
export interface MachineState {
  readonly present: true;
  /** Hash of what no two running machines have in common; left out where the host does not tell it. */
  readonly id?: string;
}

/**
 * machine-id(5) is copied with a disk and the boot id (random(4)) is the kernel's, which containers share, so neither is enough alone;
 * containers that were copied from each other differ by their namespace of processes (namespaces(7)).
 */
const READ: Sh = {
  kind: 'sh',
  text: `doaas_id= doaas_boot=
read -r doaas_id < /etc/machine-id; read -r doaas_boot < /proc/sys/kernel/random/boot_id
echo "~ machine $doaas_id $doaas_boot $(readlink /proc/self/ns/pid)"`,
};

const WHOLE = /^[0-9a-f]{32} [0-9a-f-]{36} (?:pid:\[\d{1,20}\])?$/;

export const machineFact: Fact<MachineQuery, MachineState> = {
  fact: 'machine',
  read: (queries) => quietly(queries, READ),
  parse: (output) => {
    const [whole] = WHOLE.exec(informational(output, 'machine') ?? '') ?? [];
    return { present: true, ...(whole === undefined ? {} : { id: hashOf(whole) }) };
  },
};

/** machine-id(5) asks that the id itself be shown to nobody. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
