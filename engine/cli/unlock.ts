import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { messageOf } from '../hosts/host-error.ts';
import { didYouMean } from '../spec/nearest.ts';
import { StoreError } from '../store/error.ts';
import type { HeldLock } from '../store/lock-order.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { misuse, onlyOne } from './command.ts';
import { withStore } from './openStore.ts';
import { addressOf } from './status.ts';
import { CliError, EXIT, type Io, printable } from './terminal.ts';

/**
 * `doaas unlock HOST`: takes the lock of a held run away, by hand. A run that has not ended would go on changing the
 * host, so it keeps its lock unless `--force` is given.
 */
export async function runUnlock(argv: readonly string[], io: Io): Promise<number> {
  const { host, force } = parse(argv);
  const { lock, stays } = await withStore('write', (store) => unlock(store, host, force)).catch(
    (error: unknown) => {
      throw error instanceof StoreError && error.type === 'store-locked' ? engineRuns() : error;
    },
  );
  io.stdout.write(
    `${printable(addressOf(lock.host))} is free: the lock of run ${printable(lock.runId)} (${printable(lock.pull)}) was taken away, and the audit log says by whom.\n` +
      `What that run left on the server ${stays ? 'stays as it is; the next plan shows what is still to do' : 'stays until the next run there, which first undoes it'}. ` +
      'Who waits goes on within 5 minutes of the engine running.\n',
  );
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
  host: string,
  force: boolean,
): Promise<{ readonly lock: HeldLock; readonly stays: boolean }> {
  const lock = lockOf(await store.locks.list(), host);
  const run = await store.runs.get(lock.runId);
  if (!force && mayGoOn(run)) throw stillRuns(lock);
  const { was, stays } = await store.locks.forceRelease(lock, `${userInfo().username} (doaas unlock)`);
  if (was === undefined)
    throw new CliError(
      `The run ${lock.runId} gave ${lock.host} up meanwhile; \`doaas status\` shows who holds it now.`,
    );
  return { lock, stays };
}

function mayGoOn(run: Run | undefined): boolean {
  return run !== undefined && run.endedAt === null && run.state !== 'held' && run.state !== 'needs-recovery';
}

/** HOST is an address, ADDRESS:PORT or a whole identity. */
export function lockOf(locks: readonly HeldLock[], host: string): HeldLock {
  const found = locks.filter(({ host: identity }) => {
    const place = addressOf(identity);
    return identity === host || place === host || place.replace(/:\d+$/, '') === host;
  });
  const [lock, second] = found;
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
