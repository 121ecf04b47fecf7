import { encodeKey, splitItemKey } from '../facts/fact.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Session } from './session.ts';

/**
 * Who changed an item, as the host's own logs tell it. Text from the host: untrusted. Whatever else ran at that time is in
 * those logs too, and its arguments may be passwords: of a command line only the program's name is told, and the words
 * that name the item itself.
 */
export interface Trace {
  /** `fact:key` */
  readonly item: string;
  /** Sentences without a full stop, newest last. */
  readonly said: readonly string[];
}

/** Items asked for on one host; the others are reported without traces. */
const ITEMS_MAX = 50;
/** sudo writes its line before the command runs; a command that takes long is not found. Seconds. */
const BEFORE_SECONDS = 120;
const AFTER_SECONDS = 5;
/** Lines told of one item. */
const LINES_MAX = 3;
const TIMEOUT_SECONDS = 30;
const OUTPUT_MAX_BYTES = 256 * 1024;
/** Of a program's or a person's name. Characters. */
const NAME_MAX = 64;

/** Reads only. An item about which the logs say nothing has no entry. Throws HostError. */
export async function readTraces(session: Session, items: readonly string[]): Promise<readonly Trace[]> {
  if (items.length === 0) return [];
  const result = await session.run(tracesScript(items.slice(0, ITEMS_MAX)), {
    timeoutSeconds: TIMEOUT_SECONDS,
    maxOutputBytes: OUTPUT_MAX_BYTES,
  });
  return parseTraces(items, result.stdout);
}

/**
 * The time of an item's last change, then sudo's lines of the journal around it, and apt's own record of a package.
 * The engine's logins are in the journal too; they are told by the word that begins each of its scripts.
 */
export function tracesScript(items: readonly string[]): Sh {
  return lines(FUNCTIONS, ...items.map(traceOf));
}

/** In the command line of each run of apt that the engine makes (`apt_run` in engine/operations/apt.sh). */
const OWN_APT = 'DPkg::Pre-Install-Pkgs::=sh /var/lib/doaas/';

/** Of a command that it refused, sudo says first why. */
const RAN = ' : (HOST|TTY|CHROOT|PWD|USER)=.* ; COMMAND=';

const FUNCTIONS: Sh = sh`sudos() {
  [ -n "$1" ] || return 0
  journalctl -q --no-pager -o short-unix -t sudo --since "@$(($1 - ${BEFORE_SECONDS}))" --until "@$(($1 + ${AFTER_SECONDS}))" 2>/dev/null | grep -E ${RAN} | grep -vF doaas-ready | tail -n ${LINES_MAX}
}
apts() { # PACKAGE, when dpkg changed it, if that is known: the entry that did it, unless it is of another time, or our own
  entry=$(awk -v RS= -v p=" $1:" 'index($0, p) { last = $0 } END { print last }' /var/log/apt/history.log 2>/dev/null)
  case $entry in *${OWN_APT}*) return 0 ;; esac
  if [ -n "$2" ]; then
    began=$(since_epoch "$(dated Start)"); ended=$(since_epoch "$(dated End)"); [ -n "$ended" ] || ended=$2
    if [ -z "$began" ] || [ $(($2 + ${AFTER_SECONDS})) -lt "$began" ] || [ $(($2 - ${AFTER_SECONDS})) -gt "$ended" ]; then return 0; fi
  else # it is gone
    printf '%s\n' "$entry" | grep -E '^(Remove|Purge): ' | grep -qF " $1:" || return 0
  fi
  printf '%s\n' "$entry" | grep -E '^(Start-Date|Commandline|Requested-By): '
}
dated() { printf '%s\n' "$entry" | sed -n "s/^$1-Date: //p"; }
files() { # PACKAGE: the list of its files; one that is gone has none
  ls -d -- "/var/lib/dpkg/info/$1.list" "/var/lib/dpkg/info/$1":*.list 2>/dev/null | grep -m 1 . || echo "/var/lib/dpkg/info/$1.list"
}
since_epoch() { [ -z "$1" ] || date -d "$1" +%s 2>/dev/null; } # of nothing, date makes today's midnight
units() { # systemd forgets a unit that is stopped and that nothing needs; its own line in the journal stays
  changed=$(since_epoch "$(systemctl show -p StateChangeTimestamp --value -- "$1" 2>/dev/null)")
  [ -n "$changed" ] || changed=$(journalctl -q --no-pager -o short-unix -n 1 _PID=1 "UNIT=$1" 2>/dev/null | cut -d. -f1)
  echo "$changed"
}
paths() { stat -c %Z -- "$1" 2>/dev/null || stat -c %Y -- "$(dirname -- "$1")" 2>/dev/null; }`;

function traceOf(item: string): Sh {
  const { fact, key } = splitItemKey(item);
  const frame = sh`echo ${`= ${encodeKey(item)}`}`;
  switch (fact) {
    case 'path':
      return lines(frame, sh`sudos "$(paths ${key})"`);
    case 'unit':
      return lines(frame, sh`sudos "$(units ${key})"`);
    case 'package':
      return lines(
        frame,
        sh`apts ${key} "$(stat -c %Z -- "$(files ${key})" 2>/dev/null)"`,
        sh`sudos "$(paths "$(files ${key})")"`,
      );
    case 'user':
    case 'group':
      return lines(frame, sh`sudos "$(paths /etc/passwd)"`);
    case 'hosts-entry':
      return lines(frame, sh`sudos "$(paths /etc/hosts)"`);
    case 'timezone':
      return lines(frame, sh`sudos "$(paths /etc/localtime)"`);
    default:
      return frame;
  }
}

/** Pure; takes any bytes. */
export function parseTraces(items: readonly string[], output: string): readonly Trace[] {
  const blocks = new Map<string, string[]>();
  let block: string[] = [];
  for (const line of output.split('\n')) {
    if (line.startsWith('= ')) {
      block = [];
      blocks.set(line.slice(2), block);
    } else block.push(line);
  }
  return items.flatMap((item): readonly Trace[] => {
    const told = blocks.get(encodeKey(item)) ?? [];
    const own = wordsOf(item);
    const said = [...aptOf(told, own), ...told.flatMap((line) => sudoOf(line, own))].slice(-LINES_MAX);
    return said.length === 0 ? [] : [{ item, said }];
  });
}

/** `1795413564.509123 web-1 sudo[123]:   ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/tee /etc/motd` */
const SUDO = /^(\d{9,11})\.\d+ \S+ sudo\[\d+\]:\s+(\S{1,64}) : (.*)$/;

function sudoOf(line: string, own: readonly string[]): readonly string[] {
  const [, at, who, fields] = SUDO.exec(line) ?? [];
  if (at === undefined || who === undefined || fields === undefined) return [];
  const ran = ranOf(fields.split(' ; '));
  return ran === undefined
    ? []
    : [`${who} ran with sudo as ${ran.as} at ${clock(Number(at))}: ${programOf(ran.command, own)}`];
}

/** What sudo may write before the person whom a command ran as; of a refused one it says first why. */
const BEFORE_USER = /^(HOST|TTY|CHROOT|PWD)=/;
const AS = /^USER=(\S{1,64})$/;
const COMMAND = 'COMMAND=';

/**
 * Between the person and the command sudo writes the group (`sudo -g`), the name of a recording (`log_output`) and what the command was
 * given as environment, whose values are nobody's business. A value, a folder or an argument may hold the separator itself.
 */
function ranOf(fields: readonly string[]): { readonly as: string; readonly command: string } | undefined {
  const [first = ''] = fields;
  if (!BEFORE_USER.test(first) && !AS.test(first)) return undefined;
  const person = fields.findIndex((field) => AS.test(field));
  const command = fields.findIndex((field, i) => i > person && field.startsWith(COMMAND));
  const as = AS.exec(fields[person] ?? '')?.[1];
  if (as === undefined || command === -1) return undefined;
  return { as, command: fields.slice(command).join(' ; ').slice(COMMAND.length) };
}

const APT_DATE = /^\d{4}-\d\d-\d\d +\d\d:\d\d:\d\d$/;
const APT_PERSON = /^\S{1,64} \(\d{1,10}\)$/;

function aptOf(told: readonly string[], own: readonly string[]): readonly string[] {
  const field = (name: string) =>
    told.findLast((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const start = field('Start-Date') ?? '';
  if (!APT_DATE.test(start)) return [];
  const person = field('Requested-By') ?? '';
  const who = APT_PERSON.test(person) ? person : 'root';
  return [`${who} ran at ${start} (the server's time): ${programOf(field('Commandline') ?? 'apt', own)}`];
}

/** Words of a command line that are told, because they name the item. */
function wordsOf(item: string): readonly string[] {
  const { fact, key } = splitItemKey(item);
  switch (fact) {
    case 'path':
    case 'package':
    case 'user':
    case 'group':
      return [key];
    case 'unit':
      return [key, key.replace(/\.service$/, '')];
    case 'hosts-entry':
      return [key, '/etc/hosts'];
    case 'timezone':
      return ['/etc/localtime', '/etc/timezone'];
    default:
      return [];
  }
}

/** `tee /etc/motd`, `mysql …`, `systemctl … nginx`: `…` is what is left out. */
function programOf(command: string, own: readonly string[]): string {
  const [path = '', ...words] = command.trim().split(/ +/);
  const name = path.split('/').at(-1) ?? '';
  const program = name.length <= NAME_MAX && /^[\w.+-]+$/.test(name) ? name : 'a program';
  const told = words.map((word) => (own.includes(word) ? word : '…'));
  return [program, ...told.filter((word, n) => word !== '…' || told[n - 1] !== '…')].join(' ');
}

function clock(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 16).replace('T', ' ').concat(' UTC');
}
