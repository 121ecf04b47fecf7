import type { Client } from 'ssh2';
import { limiter } from '../limit.ts';
import { type ConnectLimits, connectClient } from './connect.ts';
import { type Credentials, type Login, loadLogin } from './credentials.ts';
import { forward } from './forward.ts';
import { HostError } from './host-error.ts';
import { pinnedKeys } from './host-key.ts';
import { createMemory, type Memory } from './memory.ts';
import { countRefusedLogins } from './refusedLogins.ts';
import { runScript } from './run.ts';
import type { Session, Transport } from './session.ts';
import { CONNECT_TIMEOUT_MS, openSocket } from './socket.ts';
import { describeTarget, type HostTarget, targetKey } from './target.ts';

/** How long an unused connection stays open. */
export const IDLE_MS = 60_000;
/** Unused connections that stay open, some 100 KiB each; the one that is unused longest closes first. */
export const MAX_IDLE = 256;
/** Handshakes at the same time: more only queue for the CPU and run into each other's time limits. */
export const MAX_CONNECTING = 32;
/** sshd's MaxSessions is 10 by default; two stay free for ending processes. */
export const MAX_RUNS_PER_CONNECTION = 8;

export interface TransportSettings extends ConnectLimits {
  readonly credentials: Credentials;
  readonly idleMs?: number;
  readonly maxIdle?: number;
  readonly connectTimeoutMs?: number;
}

/** One connection in the pool. */
interface Link {
  readonly client: Client;
  readonly session: Session;
  readonly closed: Promise<void>;
}

interface Entry {
  readonly link: Promise<Link>;
  users: number;
  idle: NodeJS.Timeout | undefined;
  /** Closed when its last user leaves. */
  retired: boolean;
}

/** The pool. It holds sockets open, so a program that wants to exit calls `close`. */
export function createTransport(settings: TransportSettings): Transport {
  const entries = new Map<string, Entry>();
  /** Those without a user, the one that is unused longest first. */
  const unused = new Map<string, Entry>();
  const closing = new Set<Promise<void>>();
  const fresh = new Set<Link>();
  const connecting = limiter(MAX_CONNECTING);
  const login = rememberLogin(settings.credentials);
  const memory = createMemory();
  const counted = countRefusedLogins();
  let ended = false;

  const enter = (target: HostTarget): Entry => {
    const key = targetKey(target);
    const open = entries.get(key);
    if (open !== undefined) {
      clearTimeout(open.idle);
      unused.delete(key);
      open.users += 1;
      return open;
    }
    const entry: Entry = { link: openLink(target), users: 1, idle: undefined, retired: false };
    entries.set(key, entry);
    const forget = () => {
      clearTimeout(entry.idle);
      if (unused.get(key) === entry) unused.delete(key);
      if (entries.get(key) === entry) entries.delete(key);
    };
    entry.link.then((link) => link.closed.then(forget), forget);
    return entry;
  };

  const leave = (key: string, entry: Entry) => {
    entry.users -= 1;
    if (entry.users > 0) return;
    if (entry.retired || entries.get(key) !== entry) return hangUp(entry);
    entry.idle = setTimeout(() => retire(key, entry), settings.idleMs ?? IDLE_MS);
    unused.set(key, entry);
    const [oldest] = unused;
    if (unused.size > (settings.maxIdle ?? MAX_IDLE) && oldest !== undefined) retire(...oldest);
  };

  const retire = (key: string, entry: Entry) => {
    clearTimeout(entry.idle);
    if (unused.get(key) === entry) unused.delete(key);
    if (entries.get(key) === entry) entries.delete(key);
    entry.retired = true;
    if (entry.users === 0) hangUp(entry);
  };

  const hangUp = (entry: Entry) => {
    const work = entry.link.then(async (link) => {
      link.client.end();
      await link.closed;
    });
    const done = work.catch(() => {}).then(() => void closing.delete(done));
    closing.add(done);
  };

  const withEntry = async <T>(target: HostTarget, use: (link: Link) => Promise<T>): Promise<T> => {
    if (ended) throw new HostError('cancelled', target.name, 'The SSH transport is closed.');
    const key = targetKey(target);
    const entry = enter(target);
    try {
      return await use(await entry.link);
    } finally {
      leave(key, entry);
    }
  };

  const withFresh = async <T>(target: HostTarget, use: (session: Session) => Promise<T>): Promise<T> => {
    if (ended) throw new HostError('cancelled', target.name, 'The SSH transport is closed.');
    const link = await openLink(target);
    fresh.add(link);
    try {
      return await use(link.session);
    } finally {
      link.client.end();
      fresh.delete(link);
    }
  };

  const openLink = async (target: HostTarget): Promise<Link> => {
    pinnedKeys(target);
    const { jump } = target;
    if (jump === undefined) return counted(target, () => connecting(() => connectDirect(target)));
    return openThrough(target, jump);
  };

  /** The jump host's connection is opened outside of the limit (or targets could hold all places and wait for it), and is held as long as ours lives. */
  const openThrough = async (target: HostTarget, jump: HostTarget): Promise<Link> => {
    const key = targetKey(jump);
    const entry = enter(jump);
    try {
      const via = await entry.link;
      const link = await counted(target, () => connecting(() => connectThrough(target, via)));
      link.closed.then(() => leave(key, entry));
      return link;
    } catch (error) {
      leave(key, entry);
      throw error;
    }
  };

  const connectDirect = async (target: HostTarget): Promise<Link> => {
    const known = await login.get(target);
    const socket = await openSocket(target, settings.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
    return makeLink(
      target,
      memory,
      await connectClient(target, socket, known, settings).catch(login.forgetOnFailure),
    );
  };

  const connectThrough = async (target: HostTarget, via: Link): Promise<Link> => {
    const known = await login.get(target);
    const stream = await via.session.connect(target.address, target.port).catch((error) => {
      throw unreachableThrough(target, error);
    });
    return makeLink(
      target,
      memory,
      await connectClient(target, stream, known, settings).catch(login.forgetOnFailure),
    );
  };

  const empty = async () => {
    for (const [key, entry] of entries) retire(key, entry);
    // The end of a connection can release its jump host's, which then closes too.
    while (closing.size > 0) await Promise.all(closing);
  };

  const close = async () => {
    ended = true;
    for (const { client } of fresh) client.destroy();
    const all = [...entries.values()];
    await empty();
    await Promise.all(all.map(async (entry) => (await entry.link.catch(() => undefined))?.client.destroy()));
    await empty();
  };

  return {
    withSession: (target, use) => withEntry(target, (link) => use(link.session)),
    withFreshSession: withFresh,
    empty,
    close,
  };
}

function makeLink(target: HostTarget, memory: Memory, connected: { client: Client; identity: string }): Link {
  const { client, identity } = connected;
  const places = limiter(MAX_RUNS_PER_CONNECTION);
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  const session: Session = {
    target,
    identity,
    memory,
    run: (script, options) => places(() => runScript(client, target, script, options)),
    // what lasts, such as the way to another host, would keep all places to itself
    connect: (address, port, timeoutMs) =>
      forward(client, target, address, port, {
        timeoutMs,
        places: timeoutMs === undefined ? (work) => work() : places,
      }),
  };
  return { client, session, closed };
}

function unreachableThrough(target: HostTarget, error: unknown): HostError {
  const cause = error instanceof Error ? error.message : String(error);
  return new HostError('unreachable', target.name, `${describeTarget(target)} cannot be reached: ${cause}`, {
    cause: error,
  });
}

/** Keys are read once and read again after a failed login, so a replaced key is picked up. */
function rememberLogin(credentials: Credentials) {
  let loaded: Promise<Login> | undefined;
  const get = (target: HostTarget): Promise<Login> => {
    loaded ??= loadLogin(credentials, target).catch((error) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
  const forgetOnFailure = (error: unknown): never => {
    loaded = undefined;
    throw error;
  };
  return { get, forgetOnFailure };
}
