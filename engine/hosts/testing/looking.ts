import { afterAll, beforeAll } from 'vitest';
import { type Lab, type LabHost, openLab } from '../../../lab/hosts.ts';
import { labTransport } from '../../../test/hostHarness.ts';
import type { Transport } from '../session.ts';

/** The first card of a host, in a script. */
export const DEVICE = "$(ip -o -4 addr show scope global | cut -d' ' -f2 | head -n 1)";

/** Two servers in real networks, of which one looks at the other and can ping it. They go with the test file. */
export interface Looking {
  readonly looker: () => LabHost;
  readonly server: () => LabHost;
  readonly transport: () => Transport;
  /** Throws where the script fails. */
  readonly on: (host: LabHost, script: string) => Promise<void>;
}

export function useLooking(): Looking {
  let lab: Lab | undefined;
  let hosts: readonly LabHost[] = [];
  let transport: Transport | undefined;
  const hostAt = (at: number): LabHost => {
    const host = hosts[at];
    if (host === undefined) throw new Error('the lab gave no host');
    return host;
  };
  const on: Looking['on'] = async (host, script) => {
    const { code, stderr } = await host.exec(`set -eu; ${script}`);
    if (code !== 0) throw new Error(stderr);
  };
  beforeAll(async () => {
    lab = await openLab();
    hosts = await lab.up(['looker', 'server']);
    transport = labTransport(hostAt(0));
    await on(hostAt(0), 'apt-get -qq install -y iputils-ping');
  }, 300_000);
  afterAll(async () => {
    await transport?.close();
    await lab?.down();
  });
  return {
    looker: () => hostAt(0),
    server: () => hostAt(1),
    transport: () => {
      if (transport === undefined) throw new Error('the lab is not up');
      return transport;
    },
    on,
  };
}
