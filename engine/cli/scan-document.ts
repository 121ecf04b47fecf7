import type { Machine } from '../hosts/machine.ts';
import type { ScannedKey } from '../hosts/scan.ts';

/** What `doaas scan` found out. `--json` prints it as it is. */
export interface ScanReport {
  readonly kind: 'scan-report';
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly become: 'none' | 'sudo';
  readonly hostKeys: readonly ScannedKey[];
  readonly machine: Machine | undefined;
  /** Why there are no facts of the machine. */
  readonly loginProblem: string | undefined;
}

/** A name for the document from what the user typed: `web-1.internal` gives `web-1`, `10.0.0.5` gives `host-10-0-0-5`. */
export function documentName(address: string): string {
  const plain = /^[\d.]+$|:/.test(address) ? `host-${address}` : (address.split('.')[0] ?? address);
  const name = plain
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);
  return name === '' ? 'host' : name;
}

/** The `Server` document as YAML, with the machine's facts and the other keys as comments. */
export function scanDocument(report: ScanReport): string {
  const [best, ...others] = report.hostKeys;
  const { machine } = report;
  const facts = machine === undefined ? [] : describeMachine(machine);
  const lines = [
    ...facts.map((line) => `# ${line}`),
    ...(report.loginProblem === undefined
      ? []
      : [`# No facts, because the login failed: ${report.loginProblem}`]),
    'apiVersion: doaas/v1',
    'kind: Server',
    `metadata: {name: ${JSON.stringify(report.name)}}`,
    'spec:',
    `  address: ${JSON.stringify(report.address)}`,
    ...(report.port === 22 ? [] : [`  port: ${report.port}`]),
    `  user: ${JSON.stringify(report.user)}`,
    `  become: ${report.become}`,
    ...(best === undefined ? [] : [`  hostKey: ${JSON.stringify(best.line)} # ${best.fingerprint}`]),
    ...others.map((key) => `  # also shown: ${key.type} ${key.fingerprint}`),
  ];
  return `${lines.join('\n')}\n`;
}

function describeMachine(machine: Machine): string[] {
  return [
    `OS: ${machine.os}`,
    `CPUs: ${machine.cpus}, memory: ${machine.memory}, root file system: ${machine.disk}, init: ${machine.init}`,
  ];
}
