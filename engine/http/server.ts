import { randomUUID } from 'node:crypto';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  LogController,
} from 'fastify';
import type { Logger } from '../log.ts';
import { dropRest } from './dropRest.ts';
import { type ReadinessCheck, registerHealth } from './health.ts';
import { type PlanPages, registerPlans } from './plans.ts';
import { registerWebhooks, type WebhookOptions } from './webhooks.ts';

export interface ServerOptions extends WebhookOptions {
  readonly log: Logger;
  /** Metrics of other threads, in Prometheus' text format. */
  readonly otherMetrics?: () => Promise<string>;
  /** Each resolves when its part works and rejects with a sentence when not. */
  readonly readiness: Readonly<Record<string, ReadinessCheck>>;
  /** Turns on signed links to whole plans. */
  readonly plans?: PlanPages;
}

/** GitHub gives a delivery up after 10 s; a client that sends slower than that holds a socket for nothing. */
const REQUEST_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 5_000;
const IDLE_CONNECTION_MS = 30_000;
/** GitHub sends some 15 headers of less than 1 KiB each. */
const HEADER_BYTES_MAX = 16 * 1024;
/** Each is a file of the process. What a sender opens above that is closed at once; GitHub's are asked for again. */
export const CONNECTIONS_MAX = 512;
/** How often Node looks for sockets over their time. */
const TIMEOUT_CHECK_MS = 1000;
const PATH_PARAMETER_MAX = 100;
const TOO_LARGE = 'FST_ERR_CTP_BODY_TOO_LARGE';

/** The engine's HTTP side. Not listening yet; `close()` ends it after the requests in flight are answered. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const log: FastifyBaseLogger = options.log;
  const server = Fastify({
    loggerInstance: log,
    // one line per delivery is written by the handler, with its outcome
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: options.bodyLimitBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: IDLE_CONNECTION_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: PATH_PARAMETER_MAX },
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    },
  });
  server.server.maxConnections = CONNECTIONS_MAX;
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  server.setErrorHandler<FastifyError>(async (error, request, reply) => {
    if (error.code === TOO_LARGE) await dropRest(request.raw, 2 * options.bodyLimitBytes);
    const status = error.statusCode ?? 500;
    request.log[status >= 500 ? 'error' : 'info'](
      { err: error, url: request.routeOptions.url },
      'request failed',
    );
    return reply.code(status).send({
      error: status >= 500 ? 'The engine failed; its log has the reason.' : messageOf(error, options),
    });
  });
  server.setNotFoundHandler((_, reply) => reply.code(404).send({ error: 'There is nothing here.' }));
  registerHealth(server, options.readiness, options.metrics, options.otherMetrics);
  if (options.plans !== undefined) registerPlans(server, { ...options.plans, secrets: options.secrets });
  await server.register(async (scope) => registerWebhooks(scope, options));
  return server;
}

function messageOf(error: FastifyError, options: ServerOptions): string {
  if (error.code !== TOO_LARGE) return error.message;
  return `The body is larger than ${options.bodyLimitBytes} bytes (DOAAS_WEBHOOK_BODY_MIB).`;
}
