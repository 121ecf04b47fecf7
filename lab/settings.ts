import { join } from 'node:path';

/** Where the lab keeps what it makes. Only two places on the machine, beside kernel objects named `doaas-lab*`. */
export interface LabSettings {
  /** Running labs: one folder each, removed with the lab. */
  readonly stateDir: string;
  /** Base images and downloaded packages: safe to delete while no lab runs. */
  readonly cacheDir: string;
}

export function labSettings(env: NodeJS.ProcessEnv = process.env): LabSettings {
  return {
    stateDir: env.DOAAS_LAB_DIR || '/var/lib/doaas-lab',
    cacheDir: env.DOAAS_LAB_CACHE_DIR || '/var/cache/doaas-lab',
  };
}

/** One per machine, whatever the state folder: the bridge, its addresses and the apt cache exist once. */
export const RUN_DIR = '/run/doaas-lab';

export const BRIDGE = 'doaas-lab0';
export const SUBNET = '10.77.0';
export const PREFIX_LENGTH = 24;
export const BRIDGE_ADDRESS = `${SUBNET}.1`;
/** Not 3142: the distribution's own apt-cacher-ng service may listen there. */
export const APT_CACHE_PORT = 3177;
/** .1 is the bridge, .255 the broadcast address. */
export const FIRST_HOST = 2;
export const LAST_HOST = 254;

export const SSH_PORT = 22;
/** Booted at the same time; more would only queue for the processors. */
export const PARALLEL_BOOTS = 12;

export function labDir(settings: LabSettings, lab: string): string {
  return join(settings.stateDir, 'labs', lab);
}

/** Name of a host's network namespace, link on the bridge and control groups. */
export function kernelName(index: number): string {
  return `doaas-lab-${index}`;
}

/**
 * Of a host's network card; one address, one card. Whoever gets an address again would else not be found for as long as the
 * machine remembers the card of before: 15 to 45 s (`base_reachable_time`, arp(7)). Locally administered (IEEE 802).
 */
export function cardAddress(index: number): string {
  return `02:d0:aa:05:00:${index.toString(16).padStart(2, '0')}`;
}

export type Progress = (line: string) => void;
