/** What happens to a webhook instead of one prompt delivery. */
export type WebhookEffect = 'drop' | 'duplicate' | 'after-next' | { readonly delayMs: number };

export interface WebhookFault {
  readonly event?: string;
  readonly action?: string;
  /** How many webhooks it hits. */
  readonly times: number;
  readonly effect: WebhookEffect;
}

export interface WebhookFaults {
  readonly add: (fault: WebhookFault) => void;
  /** Ends all faults and sends what was held back. */
  readonly clear: () => void;
  /** Sends a webhook, subject to the faults. */
  readonly pass: (event: string, action: string | undefined, send: () => Promise<unknown>) => Promise<void>;
}

interface Active {
  readonly fault: WebhookFault;
  left: number;
}

export function createWebhookFaults(stopped: AbortSignal): WebhookFaults {
  let active: Active[] = [];
  let held: (() => void)[] = [];

  const release = () => {
    const waiting = held;
    held = [];
    for (const go of waiting) go();
  };
  const take = (event: string, action: string | undefined): WebhookEffect | undefined => {
    const found = active.find((entry) => entry.left > 0 && matches(entry.fault, event, action));
    if (found === undefined) return undefined;
    found.left -= 1;
    return found.fault.effect;
  };
  stopped.addEventListener('abort', release);
  return {
    add: (fault) => active.push({ fault, left: fault.times }),
    clear: () => {
      active = [];
      release();
    },
    pass: async (event, action, send) => {
      const effect = take(event, action);
      if (effect === 'drop') return;
      if (effect === 'after-next') {
        await new Promise<void>((resolve) => held.push(resolve));
        await send();
        return;
      }
      if (typeof effect === 'object') await sleep(effect.delayMs, stopped);
      await Promise.all([send(), ...(effect === 'duplicate' ? [send()] : [])]);
      release();
    },
  };
}

function matches(fault: WebhookFault, event: string, action: string | undefined): boolean {
  return (
    (fault.event === undefined || fault.event === event) &&
    (fault.action === undefined || fault.action === action)
  );
}

export function sleep(milliseconds: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stopped.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    stopped.addEventListener('abort', done);
  });
}
