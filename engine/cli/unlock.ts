import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { messageOf } from '../hosts/host-error.ts';
import { didYouMean } from '../spec/nearest.ts';
import { StoreError } from '../store/error.ts';
import type { Recovery } from '../store/hosts.ts';
import type { HeldLock } from '../store/lock-order.ts';
import { isSameMachine } from '../store/machine.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { misuse, onlyOne } from './command.ts';
import { withStore } from './openStore.ts';
import { addressOf } from './status.ts';
import { CliError, EXIT, type Io, printable } from './terminal.ts';

/**
 * `doaas unlock HOST`: takes the lock of a held run away, by hand. A run that has not ended would go on changing the
 * host, so it keeps its lock unless `--force` is given. Of a host that nobody locks and that needs recovery: with `--force`, what
 * dead runs left there stays as it is.
 */
export async function runUnlock(argv: readonly string[], io: Io): Promise<number> {
  const { host, force } = parse(argv);
  const said = await withStore('write', async (store) => {
    const locks = await store.locks.list();
    const needing = locks.some(({ host: identity }) => isMeant(identity, host))
      ? []
      : (await store.hosts.needRecovery()).filter(({ identity }) => isMeant(identity, host));
    return needing.length === 0 ? unlock(store, locks, host, force) : leave(store, locks, needing, force);
  }).catch((error: unknown) => {
    throw error instanceof StoreError && error.type === 'store-locked' ? engineRuns() : error;
  });
  io.stdout.write(said);
  return EXIT.done;
}

function parse(argv: readonly string[]): { readonly host: string; readonly force: boolean } {
  try {
    const options = { force: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const host = onlyOne(positionals, 'Give one HOST, its address as `doaas status` shows it.');
    return { host, force: values.force === true };
  } catch (error) {
    throw misuse('unlock', messageOf(error));
  }
}

async function unlock(
  store: Store,
  locks: readonly HeldLock[],
  host: string,
  force: boolean,
): Promise<string> {
  const lock = lockOf(locks, host);
  const run = await store.runs.get(lock.runId);
  if (!force && mayGoOn(run)) throw stillRuns(lock);
  const { was, stays } = await store.locks.forceRelease(lock, actor());
  if (was === undefined)
    throw new CliError(
      `The run ${lock.runId} gave ${lock.host} up meanwhile; \`doaas status\` shows who holds it now.`,
    );
  return (
    `${printable(addressOf(lock.host))} is free: the lock of run ${printable(lock.runId)} (${printable(lock.pull)}) was taken away, and the audit log says by whom.\n` +
    `What that run left on the server ${stays ? 'stays as it is; the next plan shows what is still to do' : 'stays until the next run there, which first undoes it'}. ` +
    'Who waits goes on within 5 minutes of the engine running.\n'
  );
}

function actor(): string {
  return `${userInfo().username} (doaas unlock)`;
}

/** The machine is gone, or has other host keys for good: no run would ever meet it again, to undo what was left there. */
async function leave(
  store: Store,
  locks: readonly HeldLock[],
  [recovery, second]: readonly Recovery[],
  force: boolean,
): Promise<string> {
  if (recovery === undefined || second !== undefined)
    throw new CliError(
      'Several servers with this address need recovery; give the whole identity of one, as `doaas status --json` shows it.',
      EXIT.usage,
    );
  const place = printable(addressOf(recovery.identity));
  const held = locks.find((lock) => isSameMachine(lock.host, recovery.identity));
  if (held !== undefined)
    throw new CliError(
      `${place} is the machine that run ${printable(held.runId)} holds as ${addressOf(held.host)}.`,
    );
  const open = await store.receipts.open(recovery.identity);
  const runs = await Promise.all(
    [...new Set(open.map(({ runId }) => runId))].map((id) => store.runs.get(id)),
  );
  const known = runs.filter((run) => run !== undefined);
  const unnoticed = known.find(({ state }) => state !== 'needs-recovery');
  if (unnoticed !== undefined)
    throw new CliError(
      `Run ${printable(unnoticed.id)} is ${unnoticed.state}; \`doaas status\` has to show it as needs-recovery first, which the engine's next sweep does once its workflow is gone.`,
    );
  if (!force)
    throw new CliError(
      `${place} is not locked and needs recovery (${printable(recovery.reason)}): the next run on it undoes that first. ` +
        'If it is gone, or has other host keys for good, repeat this with --force: what was left there then stays as it is.',
    );
  await store.hosts.leave(recovery, known, actor());
  const whose = known.map(({ id }) => printable(id)).join(', ');
  return `${place} needs recovery no more: what ${whose === '' ? 'was left' : `was left by ${whose}`} there stays as it is, and the audit log says by whom. The next plan shows what is still to do.\n`;
}

function mayGoOn(run: Run | undefined): boolean {
  return run !== undefined && run.endedAt === null && run.state !== 'held' && run.state !== 'needs-recovery';
}

/** HOST is an address, ADDRESS:PORT or a whole identity. */
function isMeant(identity: string, host: string): boolean {
  const place = addressOf(identity);
  return identity === host || place === host || place.replace(/:\d+$/, '') === host;
}

export function lockOf(locks: readonly HeldLock[], host: string): HeldLock {
  const [lock, second] = locks.filter(({ host: identity }) => isMeant(identity, host));
  if (second !== undefined)
    throw new CliError(
      `Several locked servers have the address ${printable(host)}; give ADDRESS:PORT.`,
      EXIT.usage,
    );
  if (lock !== undefined) return lock;
  const places = locks.map(({ host: identity }) => addressOf(identity));
  if (places.length === 0) throw new CliError('No server is locked.');
  throw new CliError(
    `No lock is held on "${printable(host)}"${didYouMean(host, places)} \`doaas status\` lists all.`,
  );
}

function stillRuns({ runId, pull }: HeldLock): CliError {
  return new CliError(
    `Run ${printable(runId)} of ${printable(pull)} has not ended: it goes on as soon as the engine runs, and would change the server without its lock. ` +
      'Comment `/doaas rollback` there to stop and undo it. If its workflow is gone for good, repeat this with --force.',
  );
}

function engineRuns(): CliError {
  return new CliError(
    'The engine is running and owns the store, so ask it: comment `/doaas unlock` on the pull request that holds the server (`doaas status` names it). Or stop the engine, then repeat this.',
  );
}
