import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics.ts';

/** Rejects with a sentence while its part does not work. */
export type ReadinessCheck = () => Promise<void>;

const CHECK_TIMEOUT_MS = 2000;

/** `/healthz`: the process answers. `/readyz`: its parts work. `/metrics`: for Prometheus. */
export function registerHealth(
  server: FastifyInstance,
  checks: Readonly<Record<string, ReadinessCheck>>,
  metrics: Metrics,
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
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}

async function outcome(check: ReadinessCheck): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), late]);
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
