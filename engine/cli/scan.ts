import { parseArgs } from 'node:util';
import type { Credentials } from '../hosts/credentials.ts';
import { HostError, messageOf } from '../hosts/host-error.ts';
import { type Machine, readMachine } from '../hosts/machine.ts';
import { scanHost } from '../hosts/scan.ts';
import type { HostTarget } from '../hosts/target.ts';
import { createTransport } from '../hosts/transport.ts';
import { misuse } from './command.ts';
import { ownCredentials } from './ownCredentials.ts';
import { documentName, type ScanReport, scanDocument } from './scan-document.ts';

export interface ScanIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Keys for the facts; left out: the user's own keys and agent. */
  readonly credentials?: Credentials;
}

type Request = Omit<ScanReport, 'kind' | 'hostKeys' | 'machine' | 'loginProblem'> & {
  readonly json: boolean;
};

/** Exit code: 0 printed, 1 the machine gave no key. Throws for wrong arguments. */
export async function runScan(argv: readonly string[], io: ScanIo): Promise<number> {
  const request = parseRequest(argv);
  if (typeof request === 'string') throw misuse('scan', request);
  try {
    const { json, ...wanted } = request;
    const { hostKeys } = await scanHost(request.address, request.port);
    const target: HostTarget = { ...wanted, hostKeys: hostKeys.map((key) => key.line), site: 'default' };
    const facts = await machineOf(target, io.credentials ?? ownCredentials());
    const report: ScanReport = { kind: 'scan-report', ...wanted, hostKeys, ...facts };
    io.out(json ? `${JSON.stringify(report, null, 2)}\n` : scanDocument(report));
    io.err(warning(report));
    return 0;
  } catch (error) {
    io.err(`${messageOf(error)}\n`);
    return 1;
  }
}

function warning(report: ScanReport): string {
  const prints = report.hostKeys.map((key) => `  ${key.type} ${key.fingerprint}\n`).join('');
  return `Compare the fingerprint before you commit this; whoever sits in between could have shown it:\n${prints}On the machine's console: for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -l -f "$f"; done\n`;
}

function parseRequest(argv: readonly string[]): Request | string {
  try {
    const text = { type: 'string' } as const;
    const options = { user: text, become: text, name: text, json: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [host, ...rest] = positionals;
    if (host === undefined || rest.length > 0) return 'Give one HOST.';
    const place = parsePlace(host);
    if (place === undefined)
      return `"${host}" is not a host or HOST:PORT, such as 10.0.0.5:22 or [2001:db8::5]:22.`;
    const user = values.user ?? 'root';
    if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) return `"${user}" is not a user name.`;
    const become = values.become ?? (user === 'root' ? 'none' : 'sudo');
    if (become !== 'sudo' && become !== 'none') return `--become is sudo or none, not "${become}".`;
    return {
      ...place,
      user,
      become,
      name: values.name ?? documentName(place.address),
      json: values.json ?? false,
    };
  } catch (error) {
    return messageOf(error);
  }
}

/** `HOST`, `HOST:PORT`, `[IPv6]:PORT` or a bare IPv6 address. */
export function parsePlace(text: string): { readonly address: string; readonly port: number } | undefined {
  const match =
    /^\[([0-9a-fA-F:.]+)\](?::(\d{1,5}))?$/.exec(text) ??
    /^([A-Za-z0-9][A-Za-z0-9.-]*)(?::(\d{1,5}))?$/.exec(text) ??
    /^([0-9a-fA-F]*:[0-9a-fA-F:.]+)$/.exec(text);
  if (match?.[1] === undefined) return undefined;
  const port = Number(match[2] ?? 22);
  return port >= 1 && port <= 65_535 ? { address: match[1], port } : undefined;
}

async function machineOf(
  target: HostTarget,
  credentials: Credentials,
): Promise<{ machine: Machine | undefined; loginProblem: string | undefined }> {
  const transport = createTransport({ credentials });
  try {
    return { machine: await transport.withSession(target, readMachine), loginProblem: undefined };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { machine: undefined, loginProblem: error.message };
  } finally {
    await transport.close();
  }
}
