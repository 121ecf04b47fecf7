/** Functions that another thread may call. Arguments and results are cloned; of an error only its message arrives. */
export type Callable<T> = { readonly [K in keyof T]: (...args: never[]) => Promise<unknown> };

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string };

/** Of a `MessagePort`, or of a `Worker`. */
export interface Port {
  readonly postMessage: (message: Message) => void;
  readonly on: (event: 'message', listener: (message: Message) => void) => unknown;
}

export interface Calls<Theirs extends Callable<Theirs>> {
  readonly call: <K extends keyof Theirs & string>(
    name: K,
    ...args: Parameters<Theirs[K]>
  ) => Promise<Awaited<ReturnType<Theirs[K]>>>;
  /** The other thread has ended: what waits for it, and what is asked from now on, fails. */
  readonly end: (reason: Error) => void;
}

/** Calls between two threads, both ways. */
export function callsOver<Theirs extends Callable<Theirs>, Ours extends Callable<Ours>>(
  port: Port,
  ours: Ours,
): Calls<Theirs> {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let last = 0;
  let ended: Error | undefined;

  const answer = async (id: number, name: string, args: readonly unknown[]): Promise<void> => {
    try {
      const known = Object.hasOwn(ours, name) ? ours[name as keyof Ours] : undefined;
      if (known === undefined) throw new Error(`the other thread asked for ${name}, which is not there`);
      port.postMessage({ kind: 'result', id, value: await known(...(args as never[])) });
    } catch (error) {
      port.postMessage({ kind: 'failure', id, message: error instanceof Error ? error.message : `${error}` });
    }
  };
  port.on('message', (message) => {
    if (message.kind === 'call') return void answer(message.id, message.name, message.args);
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    return message.kind === 'result'
      ? asked?.resolve(message.value)
      : asked?.reject(new Error(message.message));
  });
  return {
    call: (name, ...args) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended);
        const id = ++last;
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
        return port.postMessage({ kind: 'call', id, name, args });
      }),
    end: (reason) => {
      ended = reason;
      for (const { reject } of waiting.values()) reject(reason);
      waiting.clear();
    },
  };
}
