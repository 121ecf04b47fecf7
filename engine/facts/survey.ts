import type { Fact, FactQuery } from './fact.ts';
import { quietly } from './quietly.ts';
import { APT_OPTIONS, MODULES, SURVEY, SYSTEMD_SETTINGS, WORD_MAX, WORDS_MAX } from './surveyScript.ts';

export interface SurveyQuery extends FactQuery {
  readonly fact: 'survey';
  readonly key: 'all';
}

/** What security depends on and no single item tells. Informational: nothing here is changed as such. */
export interface SurveyState {
  readonly present: true;
  /** By the host's clock, `2026-11-26`. */
  readonly today: string;
  /** Process 1 is in the first PID namespace: the kernel is this machine's own. */
  readonly ownKernel: boolean;
  readonly appArmor: boolean;
  /** Accounts that a shell can be had with. */
  readonly accounts: readonly Account[];
  /** What nsswitch.conf(5) has look for users, in its order. Left out: nothing. */
  readonly userSources?: readonly string[];
  /** Names of programs that route for containers or virtual machines, and of network interfaces that do. */
  readonly routers: readonly string[];
  /** Network interfaces with an IPv4 address that others reach. */
  readonly interfaces: readonly string[];
  /** An IPv6 address or route comes from router advertisements. */
  readonly advertised: boolean;
  /** Programs that need user namespaces without root. */
  readonly namespaceUsers: readonly string[];
  /** Options of mount points, as the kernel has them. */
  readonly mounts: Readonly<Record<string, readonly string[]>>;
  /** Mount points in fstab(5). */
  readonly fstab: readonly string[];
  /** What was found, by check; see `FINDINGS`. */
  readonly found: Readonly<Partial<Record<SurveyFinding, readonly string[]>>>;
  /** The search through system folders took too long, or broke off. */
  readonly incomplete: boolean;
  /** Of the modules that are looked for, those that the kernel has loaded. Left out: none. */
  readonly modules?: readonly SurveyModule[];
  /** What all files together come to, by option of apt (`true`, `false`) and `[Section]Key` of systemd. Left out: not told. */
  readonly counts?: Readonly<Record<string, string>>;
  /** Of these sorts it found more than are told. Left out: of none. */
  readonly cut?: readonly SurveyFinding[];
}

export interface Account {
  readonly name: string;
  readonly uid: number;
  /** `none`: no password at all; `locked`: no password opens it. */
  readonly password: 'set' | 'locked' | 'none';
  /** It has keys where sshd looks for them. */
  readonly keys: boolean;
}

/** Names of the lines that the script prints, one for each thing found. */
export const FINDINGS = [
  'uid0',
  'empty',
  'twice',
  'legacy',
  'shell',
  'weak',
  'shadow-group',
  'unshadowed',
  'root-group',
  'homeless',
  'leftover',
  'path',
  'suid',
  'writable',
  'unowned',
  'host-key',
] as const;
export type SurveyFinding = (typeof FINDINGS)[number];

export type SurveyModule = (typeof MODULES)[number];

export const surveyFact: Fact<SurveyQuery, SurveyState> = {
  fact: 'survey',
  read: (queries) => quietly(queries, SURVEY),
  parse: parseSurvey,
};

function parseSurvey(output: readonly string[]): SurveyState {
  const words = (name: string) =>
    output.filter((line) => line.startsWith(`~ ${name} `)).map((line) => line.slice(name.length + 3));
  const found = Object.fromEntries(FINDINGS.map((name) => [name, words(name)]));
  return {
    present: true,
    today: words('today')[0] ?? '',
    ownKernel: words('kernel')[0] === 'own',
    appArmor: output.includes('~ apparmor'),
    accounts: words('account').map(parseAccount),
    userSources: words('user-source')
      .slice(0, WORDS_MAX)
      .map((word) => word.slice(0, WORD_MAX)),
    routers: [...new Set(words('router'))],
    interfaces: [...new Set(words('interface'))],
    advertised: output.includes('~ advertised'),
    namespaceUsers: words('namespaces'),
    mounts: Object.fromEntries(words('mount').map(parseMount)),
    fstab: words('fstab'),
    found,
    incomplete: output.includes('~ incomplete'),
    modules: MODULES.filter((name) => output.includes(`~ module ${name}`)),
    counts: countsOf(words('counts')),
    cut: FINDINGS.filter((name) => output.includes(`~ incomplete ${name}`)),
  };
}

function countsOf(words: readonly string[]): Readonly<Record<string, string>> {
  const told = new Map(words.map(halves));
  return Object.fromEntries(
    [...APT_OPTIONS, ...SYSTEMD_SETTINGS].flatMap((name) => {
      const value = told.get(name);
      return value === undefined ? [] : [[name, value.slice(0, WORD_MAX)]];
    }),
  );
}

function parseAccount(line: string): Account {
  const [name = '', uid = '', password = '', keys = ''] = line.split(':');
  return {
    name,
    uid: Number(uid),
    password: password === 'set' || password === 'none' ? password : 'locked',
    keys: keys === 'yes',
  };
}

function parseMount(line: string): readonly [string, readonly string[]] {
  const [path, options] = halves(line);
  return [path, options.split(',')];
}

function halves(line: string): readonly [string, string] {
  const at = line.indexOf(' ');
  return [line.slice(0, at), line.slice(at + 1)];
}
