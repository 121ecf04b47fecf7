import { parseArgs } from 'node:util';
import { messageOf } from '../hosts/host-error.ts';
import type { Recovery } from '../store/hosts.ts';
import { type HeldLock, type Place, placeOf, type Waiter } from '../store/lock-order.ts';
import type { Run } from '../store/runs.ts';
import { misuse } from './command.ts';
import { withStore } from './openStore.ts';
import { columns, EXIT, type Io, painter, printable } from './terminal.ts';

/** Ended runs that are shown. */
const RECENT_RUNS = 10;

interface Status {
  readonly open: readonly Run[];
  readonly recent: readonly Run[];
  readonly locks: readonly HeldLock[];
  readonly queue: readonly Waiter[];
  readonly needRecovery: readonly Recovery[];
}

/** `doaas status`: what runs, who holds which hosts, who waits. Reads the store only. */
export async function runStatus(argv: readonly string[], io: Io): Promise<number> {
  const json = parse(argv);
  const status = await withStore('read', async (store): Promise<Status> => {
    const recent = await store.runs.recent(RECENT_RUNS);
    return {
      open: await store.runs.open(),
      recent: recent.filter((run) => run.endedAt !== null),
      locks: await store.locks.list(),
      queue: await store.locks.queue(),
      needRecovery: await store.hosts.needRecovery(),
    };
  });
  io.stdout.write(json ? asJson(status) : asText(status, io));
  return EXIT.done;
}

function parse(argv: readonly string[]): boolean {
  try {
    return parseArgs({ args: [...argv], options: { json: { type: 'boolean' } } }).values.json === true;
  } catch (error) {
    throw misuse('status', messageOf(error));
  }
}

/** Runs without their details, which hold whole references. */
function asJson(status: Status): string {
  const bare = ({ detail: _, ...run }: Run) => run;
  const shown = { ...status, open: status.open.map(bare), recent: status.recent.map(bare) };
  return `${JSON.stringify(shown, undefined, 2)}\n`;
}

function asText({ open, recent, locks, queue, needRecovery }: Status, io: Io): string {
  const paint = painter(io);
  const section = (title: string, rows: readonly (readonly string[])[], none: string): string =>
    `${paint('bold', title)}\n${rows.length === 0 ? `  ${none}\n` : columns(rows.map((row) => ['', ...row.map(printable)]))}`;
  return [
    section('Running', open.map(runRow), 'no run'),
    section('Ended', recent.map(runRow), 'none yet'),
    section(
      'Locked servers',
      locks.map((lock) => [addressOf(lock.host), lock.pull, lock.runId, `since ${time(lock.takenAt)}`]),
      'none',
    ),
    section(
      'Waiting for servers',
      queue.map((waiter) => waiterRow(waiter, placeOf(waiter, queue, locks))),
      'nobody',
    ),
    ...(needRecovery.length === 0
      ? []
      : [
          section(
            'Servers that need recovery (the next run on them does it first)',
            needRecovery.map(({ identity, reason }) => [addressOf(identity), reason]),
            '',
          ),
        ]),
  ].join('\n');
}

/** Whom a waiter far back waits for would fill the screen. */
const BEHIND_SHOWN = 5;

/** The place is that in the queue of its own servers. */
function waiterRow({ pull, runId, hosts }: Waiter, { position, holders, ahead }: Place): readonly string[] {
  const behind = [...new Set([...holders, ...ahead].map((other) => other.pull))];
  const more = behind.length > BEHIND_SHOWN ? ' ...' : '';
  const waitsFor = behind.length === 0 ? [] : [`behind ${behind.slice(0, BEHIND_SHOWN).join(', ')}${more}`];
  return [String(position), pull, runId, hosts.map(addressOf).join(', '), ...waitsFor];
}

function runRow(run: Run): readonly string[] {
  const pull = run.pullNumber === null ? run.repository : `${run.repository}#${run.pullNumber}`;
  const when = run.endedAt === null ? `since ${time(run.startedAt)}` : `at ${time(run.endedAt)}`;
  const untold = isUnshown(run) ? ['not shown on GitHub yet'] : [];
  return [run.id, run.kind, run.state, pull, when, `by ${run.actor}`, ...untold];
}

/** GitHub has not taken how it ended. */
function isUnshown({ detail }: Run): boolean {
  return typeof detail === 'object' && detail !== null && 'unshown' in detail;
}

/** A host's identity is `ADDRESS:PORT FINGERPRINT`. */
export function addressOf(identity: string): string {
  return identity.split(' ')[0] ?? identity;
}

/** UTC, whole seconds. */
function time(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
