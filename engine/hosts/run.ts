import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'ssh2';
import type { Sh } from '../shell/sh.ts';
import type { RemoteSession } from './bootstrap.ts';
import { endSessionScript } from './end-session.ts';
import { type Ending, type Exec, startExec } from './exec.ts';
import { excerpt, HostError, type HostErrorType, messageOf } from './host-error.ts';
import type { RunOptions, RunResult } from './session.ts';
import { describeTarget, type HostTarget, needsSudo } from './target.ts';

/** Between TERM and KILL. */
export const END_GRACE_SECONDS = 5;
/** Grace, KILL and the way there and back, on a loaded host. */
const END_TIMEOUT_SECONDS = END_GRACE_SECONDS + 25;
/** For the ready line of a script that is cut before it came. */
const READY_WAIT_MS = 2_000;
const READY_POLL_MS = 20;

type Outcome =
  | { readonly kind: 'ended'; readonly ending: Ending }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'cancelled' };

/** Runs a script to its end, or ends its processes and throws. */
export async function runScript(
  client: Client,
  target: HostTarget,
  script: Sh,
  options: RunOptions,
): Promise<RunResult> {
  if (options.signal?.aborted === true) {
    throw new HostError('cancelled', target.name, `Cancelled before anything ran on ${target.name}.`);
  }
  const connection = watch(client);
  try {
    return await runWatched(client, target, script, options, connection.isLost);
  } finally {
    connection.forget();
  }
}

async function runWatched(
  client: Client,
  target: HostTarget,
  script: Sh,
  options: RunOptions,
  isLost: () => Promise<boolean>,
): Promise<RunResult> {
  const exec = await startExec(client, target, script, options);
  // A listener for lines that throws must not leave the script running either.
  const outcome = await firstOf(exec, options).catch((error: unknown) => ({
    kind: 'broken' as const,
    error,
  }));
  if (outcome.kind === 'ended') {
    const lost = outcome.ending.exit === undefined && (await isLost());
    return finished(exec, outcome.ending, lost, target, options);
  }
  const leftovers = await endProcesses(client, target, exec, options);
  exec.close();
  throw outcome.kind === 'broken'
    ? outcome.error
    : interrupted(outcome.kind, target, options, exec, leftovers);
}

async function firstOf(exec: Exec, options: RunOptions): Promise<Outcome> {
  const done = new AbortController();
  const interruption = new Promise<Outcome>((resolve) => {
    const timer = setTimeout(() => resolve({ kind: 'timed-out' }), options.timeoutSeconds * 1000);
    const onAbort = () => resolve({ kind: 'cancelled' });
    options.signal?.addEventListener('abort', onAbort, { signal: done.signal });
    done.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  const ended = exec.ended.then((ending): Outcome => ({ kind: 'ended', ending }));
  try {
    return await Promise.race([ended, interruption]);
  } finally {
    done.abort();
  }
}

/** Channels are told of the end of their connection before it is. */
const LOSS_TOLD_MS = 1_000;

/** Whether a channel ended alone or with its connection. */
function watch(client: Client) {
  let lost = false;
  const note = (): void => {
    lost = true;
  };
  client.once('close', note);
  const isLost = async (): Promise<boolean> => {
    for (const end = performance.now() + LOSS_TOLD_MS; !lost && performance.now() < end; )
      await sleep(READY_POLL_MS);
    return lost;
  };
  return { isLost, forget: () => client.off('close', note) };
}

function finished(
  exec: Exec,
  ending: Ending,
  lost: boolean,
  target: HostTarget,
  options: RunOptions,
): RunResult {
  const result = exec.result(ending);
  const answered = exec.ready.session() !== undefined;
  const said = excerpt(exec.stderr.text());
  // OpenSSH may close the channel of a command that ended at once before it tells the exit code
  const refused = !answered && (!lost || said !== '');
  if (ending.exit === undefined && !refused) {
    const text = `The connection to ${describeTarget(target)} was lost while a script ran; it may have run wholly, in part or not at all, and may still run.`;
    throw new HostError('connection-lost', target.name, text, { ambiguous: true, partial: result });
  }
  if (answered) return result;
  // sudo never refuses without a word; a login shell such as nologin or false does
  if (needsSudo(target, options.become) && said !== '') throw sudoRefused(target, said);
  const text = `${describeTarget(target)} gives no shell to ${target.user}${said === '' ? '' : `: ${said}`}. Give the user a login shell such as /bin/sh, and check ForceCommand in sshd_config.`;
  throw new HostError('shell-unusable', target.name, text);
}

function sudoRefused(target: HostTarget, said: string): HostError {
  const line = `${target.user} ALL=(root) NOPASSWD: /bin/sh`;
  const text = `${describeTarget(target)}: sudo refused to become root without a password${said === '' ? '' : ` (${said})`}. Put this line into /etc/sudoers.d/doaas on the host, mode 0440: ${line}`;
  return new HostError('sudo-refused', target.name, text);
}

/** Says what could not be ended; empty when nothing is left. */
async function endProcesses(
  client: Client,
  target: HostTarget,
  exec: Exec,
  options: RunOptions,
): Promise<string> {
  const session = await readySession(exec);
  if (session === undefined)
    return 'whether its processes ended is not known, because the shell never answered';
  try {
    const script = endSessionScript(session, END_GRACE_SECONDS);
    const { become } = options;
    const ending = await startExec(client, target, script, {
      timeoutSeconds: END_TIMEOUT_SECONDS,
      ...(become === undefined ? {} : { become }),
    });
    const outcome = await firstOf(ending, { timeoutSeconds: END_TIMEOUT_SECONDS });
    const left = outcome.kind === 'ended' ? ending.result(outcome.ending).stdout.trim() : '';
    if (left === '0') return '';
    return `its processes (session ${session.id}) could not all be ended${left === '' ? '' : `: ${excerpt(left)} left`}`;
  } catch (error) {
    return `its processes could not be ended: ${messageOf(error)}`;
  }
}

/** The ready line may be on its way still. */
async function readySession(exec: Exec): Promise<RemoteSession | undefined> {
  const deadline = performance.now() + READY_WAIT_MS;
  while (exec.ready.session() === undefined && performance.now() < deadline) await sleep(READY_POLL_MS);
  return exec.ready.session();
}

function interrupted(
  type: Extract<HostErrorType, 'timed-out' | 'cancelled'>,
  target: HostTarget,
  options: RunOptions,
  exec: Exec,
  leftovers: string,
): HostError {
  const what = type === 'timed-out' ? `took longer than ${options.timeoutSeconds} s` : 'was cancelled';
  const end = leftovers === '' ? 'its processes were ended' : leftovers;
  const text = `A script on ${describeTarget(target)} ${what}; ${end}. It may have done a part of its work.`;
  const partial = exec.result({ exit: undefined });
  return new HostError(type, target.name, text, { ambiguous: true, partial });
}
