import { createHmac, randomUUID } from 'node:crypto';
import { createWebhookFaults, type WebhookFaults } from './webhook-faults.ts';

/** GitHub gives up on a receiver after this time. Milliseconds. */
const DELIVERY_TIMEOUT_MS = 10_000;
/** Deliveries kept for redelivery and inspection; the oldest go first. */
const DELIVERIES_KEPT = 20_000;
const HOOK_ID = '486511093';

export interface Attempt {
  readonly at: string;
  /** Undefined while under way; 0 when no answer came. */
  status: number | undefined;
  durationMs: number;
  readonly redelivery: boolean;
  readonly id: number;
}

export interface Delivery {
  readonly guid: string;
  readonly event: string;
  readonly action: string | undefined;
  /** The exact bytes sent, as text. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly attempts: Attempt[];
}

export interface Deliveries {
  readonly faults: WebhookFaults;
  readonly all: () => readonly Delivery[];
  readonly emit: (event: string, action: string | undefined, payload: object) => Delivery | undefined;
  /** Sends a recorded delivery again with the same GUID and body; gives the receiver's status (0: none). */
  readonly redeliver: (guid: string) => Promise<number>;
  readonly setTarget: (url: string | undefined) => void;
  readonly setSecret: (secret: string) => void;
  /** Resolves when nothing is under way or held back. */
  readonly settled: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface DeliveriesOptions {
  readonly url: string | undefined;
  readonly secret: string;
  readonly appId: number;
  /** Events that the App subscribes to. */
  readonly events: readonly string[];
  /** Whether the App hears of this at all. */
  readonly reaches: (payload: object) => boolean;
}

/** Headers of GitHub's webhooks: https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers */
export function deliveryHeaders(
  input: { event: string; guid: string; appId: number; secret: string },
  body: string,
): Record<string, string> {
  const hmac = (algorithm: string) => createHmac(algorithm, input.secret).update(body).digest('hex');
  return {
    accept: '*/*',
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/044aadd',
    'x-github-delivery': input.guid,
    'x-github-event': input.event,
    'x-github-hook-id': HOOK_ID,
    'x-github-hook-installation-target-id': String(input.appId),
    'x-github-hook-installation-target-type': 'integration',
    'x-hub-signature': `sha1=${hmac('sha1')}`,
    'x-hub-signature-256': `sha256=${hmac('sha256')}`,
  };
}

export function createDeliveries(options: DeliveriesOptions): Deliveries {
  let { url, secret } = options;
  let attemptId = 1;
  const kept: Delivery[] = [];
  const underWay = new Set<Promise<unknown>>();
  const stopped = new AbortController();

  const send = async (delivery: Delivery, redelivery: boolean): Promise<number> => {
    const started = Date.now();
    const attempt: Attempt = {
      at: new Date().toISOString(),
      status: undefined,
      durationMs: 0,
      redelivery,
      id: attemptId++,
    };
    delivery.attempts.push(attempt);
    const status = url === undefined ? 0 : await post(url, delivery, stopped.signal);
    attempt.status = status;
    attempt.durationMs = Date.now() - started;
    return status;
  };
  const track = <T>(work: Promise<T>): Promise<T> => {
    underWay.add(work);
    void work.finally(() => underWay.delete(work)).catch(() => {});
    return work;
  };
  const faults = createWebhookFaults(stopped.signal);
  const emit: Deliveries['emit'] = (event, action, payload) => {
    if (stopped.signal.aborted || !options.events.includes(event) || !options.reaches(payload))
      return undefined;
    const body = JSON.stringify(payload);
    const guid = randomUUID();
    const headers = deliveryHeaders({ event, guid, appId: options.appId, secret }, body);
    const delivery: Delivery = { guid, event, action, body, headers, attempts: [] };
    kept.push(delivery);
    if (kept.length > DELIVERIES_KEPT) kept.shift();
    track(faults.pass(event, action, () => send(delivery, false)));
    return delivery;
  };
  return {
    faults,
    all: () => kept,
    emit,
    redeliver: (guid) => {
      const found = kept.find((delivery) => delivery.guid === guid);
      if (found === undefined) throw new Error(`no webhook delivery has the GUID ${guid}`);
      return track(send(found, true));
    },
    setTarget: (next) => {
      url = next;
    },
    setSecret: (next) => {
      secret = next;
    },
    settled: async () => {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
    close: async () => {
      stopped.abort();
      await Promise.allSettled(underWay);
    },
  };
}

async function post(url: string, delivery: Delivery, stopped: AbortSignal): Promise<number> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: delivery.headers,
      body: delivery.body,
      signal: AbortSignal.any([stopped, AbortSignal.timeout(DELIVERY_TIMEOUT_MS)]),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}
