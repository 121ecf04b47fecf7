import type { FastifyInstance } from 'fastify';
import type { ReceiverMetrics } from '../metrics.ts';

/** Rejects with a sentence while its part does not work. */
export type ReadinessCheck = () => Promise<void>;

const CHECK_TIMEOUT_MS = 2000;

/** `/healthz`: the process answers. `/readyz`: its parts work. `/metrics`: for Prometheus. */
export function registerHealth(
  server: FastifyInstance,
  checks: Readonly<Record<string, ReadinessCheck>>,
  metrics: Pick<ReceiverMetrics, 'registry'>,
  otherMetrics: () => Promise<string> = async () => '',
): void {
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/readyz', async (_, reply) => {
    const entries = Object.entries(checks);
    const parts = Object.fromEntries(
      await Promise.all(entries.map(async ([name, check]) => [name, await outcome(check)] as const)),
    );
    const ready = Object.values(parts).every((part) => part === 'ok');
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'not ready', parts });
  });
  server.get('/metrics', async (_, reply) => {
    const others = inTime(otherMetrics).catch((error: Error) => `# other threads: ${error.message}\n`);
    const own = await metrics.registry.metrics();
    return reply.type(metrics.registry.contentType).send(`${own}\n${await others}`);
  });
}

async function outcome(check: ReadinessCheck): Promise<string> {
  try {
    await inTime(check);
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function inTime<T>(work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  return Promise.race([work(), late]).finally(() => clearTimeout(timer));
}
