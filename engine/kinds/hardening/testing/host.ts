import type { FactQuery } from '../../../facts/fact.ts';
import type { SshdLine } from '../../../facts/sshd.ts';
import type { SurveyState } from '../../../facts/survey.ts';
import { sha256Of } from '../wants/text.ts';

/** A Debian 12 on which one thing or another is different. */
export interface HardenedHost {
  readonly survey?: Partial<SurveyState>;
  /** Besides one value for each setting that a control asks for. */
  readonly sshd?: Readonly<Record<string, string>>;
  /** Of files of sshd. */
  readonly lines?: readonly SshdLine[];
  readonly sftpMissing?: string;
  readonly sysctl?: string;
  /** What our file of it says. */
  readonly persisted?: string;
  /** Packages; left out: all. */
  readonly installed?: readonly string[];
  /** Units; left out: all. */
  readonly active?: readonly string[];
  /** Packages that apt would remove. */
  readonly removes?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly system?: Readonly<Record<'os' | 'osId' | 'osVersion', string>>;
}

/** What reading an item there gives. */
export function stateOn(
  {
    survey,
    sshd,
    lines,
    sftpMissing,
    sysctl,
    persisted,
    installed,
    active,
    removes,
    files,
    system,
  }: HardenedHost,
  { fact, key }: FactQuery,
): unknown {
  switch (fact) {
    case 'survey':
      return { ...SURVEY, ...survey };
    case 'sshd':
      return {
        present: true,
        includes: true,
        ports: [22],
        matches: [],
        ...(lines && { lines }),
        settings: { ...SETTINGS, ...sshd },
        ...(sftpMissing ? { sftpMissing } : {}),
      };
    case 'system':
      return { os: 'Debian', osId: 'debian', osVersion: '12', ...system };
    case 'sysctl':
      return { present: true, runtime: sysctl ?? '0', writable: true, ...(persisted && { persisted }) };
    case 'path':
      return fileOf(files?.[key] ?? (key === '/etc/login.defs' ? 'PASS_MAX_DAYS\t99999\n' : undefined));
    case 'package':
      return {
        present: installed?.includes(key) ?? true,
        ...(removes && { transaction: { installs: [], upgrades: [], downgrades: [], removes } }),
      };
    case 'unit':
      return { present: true, active: active?.includes(key) ?? true, file: 'enabled', load: 'loaded' };
    default:
      return { present: true, active: true, file: 'enabled', load: 'loaded' };
  }
}

function fileOf(text: string | undefined): unknown {
  if (text === undefined) return { type: 'absent', present: false };
  const content = Buffer.from(text).toString('base64');
  const sha256 = sha256Of(text);
  return { type: 'file', present: true, mode: '0644', owner: 'root', group: 'root', sha256, content };
}

const SETTINGS = { x11forwarding: 'yes', passwordauthentication: 'yes', maxsessions: '10' };

const SURVEY: SurveyState = {
  present: true,
  today: '2026-11-26',
  ownKernel: true,
  appArmor: true,
  accounts: [],
  routers: [],
  interfaces: ['eth0'],
  advertised: false,
  namespaceUsers: [],
  mounts: {},
  fstab: [],
  found: {},
  incomplete: false,
};
