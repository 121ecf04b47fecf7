import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Secret } from '../config/secret.ts';
import type { EngineEvent } from '../github/events.ts';
import { mapEvent } from '../github/map-event.ts';
import type { Logger } from '../log.ts';
import type { ReceiverMetrics } from '../metrics.ts';
import { BODIES_BYTES_MAX, createBodies, NO_ROOM } from './bodies.ts';
import { dropRest } from './dropRest.ts';
import { signatureProblem, verifySignature } from './signature.ts';

export interface WebhookOptions {
  readonly log: Logger;
  readonly metrics: ReceiverMetrics;
  /** The live secrets: one, or two while they are rotated. */
  readonly secrets: readonly Secret[];
  readonly appId: number;
  /**
   * Stores the event. Resolved means durable: only then is the delivery answered with 202. `guid`: GitHub's id of the
   * delivery; one that is `known` has no second effect.
   */
  readonly accept: (event: EngineEvent, guid: string) => Promise<'new' | 'known'>;
  /** Deliveries answered at the same time; one more is refused. */
  readonly concurrency: number;
  /** Of one delivery. */
  readonly bodyLimitBytes: number;
  /** Of those of all deliveries that are answered at the same time; default: `BODIES_BYTES_MAX`. */
  readonly bodiesLimitBytes?: number;
}

/** GitHub waits 10 s; an answer after that is an answer to nobody. */
const ACCEPT_TIMEOUT_MS = 8000;
const RETRY_AFTER_SECONDS = 5;
const BUSY = 'Too many deliveries at once; try again.';
const GUID = /^[A-Za-z0-9-]{1,64}$/;
const EVENT_NAME = /^[a-z_]{1,64}$/;

type Outcome = 'accepted' | 'known' | 'ignored' | 'unsigned' | 'malformed' | 'busy' | 'failed';

interface Answer {
  readonly status: number;
  readonly outcome: Outcome;
  readonly body: Readonly<Record<string, unknown>>;
}

/** `POST /webhooks/github`: verify, map, store, answer. Nothing else happens in the request. */
export function registerWebhooks(server: FastifyInstance, options: WebhookOptions): void {
  if (options.secrets.length === 0 || options.secrets.some((secret) => secret.reveal() === '')) {
    throw new Error('An empty webhook secret would accept everybody; set GITHUB_WEBHOOK_SECRET.');
  }
  const { metrics, bodyLimitBytes } = options;
  const bodies = createBodies({
    oneMax: bodyLimitBytes,
    allMax: options.bodiesLimitBytes ?? BODIES_BYTES_MAX,
  });
  let inFlight = 0;
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (request: FastifyRequest) => bodies.read(request.raw));

  // before the body is read: a flood must not fill the memory with bodies
  server.addHook('onRequest', async (request, reply) => {
    const problem = signatureProblem(
      header(request, 'x-hub-signature-256'),
      header(request, 'x-hub-signature'),
    );
    if (problem !== undefined)
      return send(reply, told(request, options, '', refuse(401, 'unsigned', problem)));
    if (inFlight >= options.concurrency) {
      metrics.webhooks.inc({ event: 'unknown', outcome: 'busy' });
      return reply.code(503).header('retry-after', RETRY_AFTER_SECONDS).send({ error: BUSY });
    }
    metrics.webhooksInFlight.set(++inFlight);
    reply.raw.once('close', () => {
      bodies.release(request.raw);
      metrics.webhooksInFlight.set(--inFlight);
    });
    return undefined;
  });
  server.post('/webhooks/github', async (request, reply) => {
    const started = performance.now();
    const answer = await handle(request, options);
    metrics.webhookSeconds.observe({ outcome: answer.outcome }, (performance.now() - started) / 1000);
    return send(reply, answer);
  });
}

async function handle(request: FastifyRequest, options: WebhookOptions): Promise<Answer> {
  if (request.body === NO_ROOM) {
    await dropRest(request.raw, 2 * options.bodyLimitBytes);
    return told(request, options, '', refuse(503, 'busy', BUSY));
  }
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const verdict = verifySignature(
    body,
    header(request, 'x-hub-signature-256'),
    header(request, 'x-hub-signature'),
    options.secrets,
  );
  const name = header(request, 'x-github-event') ?? '';
  const answer = verdict.valid
    ? await accept(request, name, body, options)
    : refuse(401, 'unsigned', verdict.reason);
  return told(request, options, name, answer);
}

/** Counts and logs it. */
function told(request: FastifyRequest, options: WebhookOptions, name: string, answer: Answer): Answer {
  // an unverified sender must not be able to make label values
  const event = answer.outcome === 'unsigned' || !EVENT_NAME.test(name) ? 'unknown' : name;
  options.metrics.webhooks.inc({ event, outcome: answer.outcome });
  request.log[answer.status < 400 ? 'info' : 'warn'](
    { event, delivery: guidOf(request), ...answer },
    'webhook',
  );
  return answer;
}

async function accept(
  request: FastifyRequest,
  name: string,
  body: Buffer,
  options: WebhookOptions,
): Promise<Answer> {
  const guid = guidOf(request);
  if (guid === undefined || name === '')
    return refuse(400, 'malformed', 'X-GitHub-Event or X-GitHub-Delivery is missing or malformed.');
  const payload = parseJson(body);
  if (payload === undefined) {
    return refuse(
      400,
      'malformed',
      'The body is not JSON. Set the content type of the webhook to application/json.',
    );
  }
  const mapped = mapEvent(name, payload.value, { appId: options.appId });
  if (mapped.kind === 'ignored') return { status: 202, outcome: 'ignored', body: { ignored: mapped.reason } };
  try {
    const taken = await within(ACCEPT_TIMEOUT_MS, options.accept(mapped.event, guid));
    return taken === 'new'
      ? { status: 202, outcome: 'accepted', body: { accepted: mapped.event.kind } }
      : { status: 202, outcome: 'known', body: { known: mapped.event.kind } };
  } catch (error) {
    request.log.error({ err: error, delivery: guid, event: mapped.event.kind }, 'delivery was not stored');
    return refuse(
      503,
      'failed',
      'The event could not be stored; redeliver it from the settings of the GitHub App.',
    );
  }
}

function send(reply: FastifyReply, answer: Answer) {
  if (answer.status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS);
  return reply.code(answer.status).send(answer.body);
}

function refuse(status: number, outcome: Outcome, error: string): Answer {
  return { status, outcome, body: { error } };
}

function parseJson(body: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body.toString('utf8')) };
  } catch {
    return undefined;
  }
}

/** The event may still be stored after this; it is known by its id then, so a redelivery does no harm. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not stored within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function guidOf(request: FastifyRequest): string | undefined {
  const value = header(request, 'x-github-delivery');
  return value !== undefined && GUID.test(value) ? value : undefined;
}
