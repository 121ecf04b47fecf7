import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { answer, problem } from './answers.ts';
import { answerApi } from './api.ts';
import type { ApiAnswer, ApiCall, LabContext } from './context.ts';
import type { Fault, Faults } from './faults.ts';
import { parseGitRequest, serveGit } from './git-http.ts';
import type { RateLimiter } from './rate-limits.ts';
import type { Recorder } from './recorder.ts';
import { sleep } from './webhook-faults.ts';

/** GitHub's own bound is lower for most requests; this only protects the lab. Bytes. */
const BODY_LIMIT_BYTES = 50 * 1024 * 1024;

export interface ServerParts {
  readonly context: LabContext;
  readonly faults: Faults;
  readonly limiter: RateLimiter;
  readonly recorder: Recorder;
  readonly stopped: AbortSignal;
  readonly clock: LabClock;
}

/** What time it is on GitHub for whoever reads the `date` of its answers; what it writes into them stays as it is. */
export interface LabClock {
  /** Of the machine's clock; ms. */
  aheadMs: number;
}

export async function listen(port: number, host: string): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error("the lab's GitHub got no port");
  return { server, port: address.port };
}

export function serve(server: Server, parts: ServerParts): void {
  server.on('request', (req, res) => {
    // else Node's own, which a test that sets the clock of its process back does not change
    const { aheadMs } = parts.clock;
    if (aheadMs !== 0) res.setHeader('date', new Date(Date.now() + aheadMs).toUTCString());
    handle(parts, req, res).catch((error: unknown) => {
      console.error("lab GitHub: a request failed inside the lab's own code:", error);
      if (!res.headersSent) send(res, problem(500, `lab failure: ${String(error)}`));
      else res.destroy();
    });
  });
}

async function handle(parts: ServerParts, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const url = req.url ?? '/';
  const gitRequest = parseGitRequest(url);
  const method = req.method ?? 'GET';
  const path = url.replace(/^\/api\/v3(?=\/)/, '');
  const fault = parts.faults.take(method, path);
  if (gitRequest) {
    if (fault && !(await suffered(parts, fault, req, res))) return;
    return serveGit(parts.context, gitRequest, req, res);
  }
  const body = await readBody(req);
  if (body === undefined) return send(res, problem(413, 'Payload too large'));
  const call: ApiCall = { method, path, headers: headersOf(req), body };
  const recorded = parts.recorder.record(call);
  const limited = parts.limiter.take(method, path, Date.now());
  if (limited !== undefined) {
    recorded.status = limited.status;
    return send(res, answer(limited.status, limited.body, limited.headers));
  }
  if (fault?.afterEffect) await answerApi(parts.context, call);
  if (fault && !(await suffered(parts, fault, req, res))) {
    recorded.status = res.headersSent ? res.statusCode : 0;
    return;
  }
  const found = await answerApi(parts.context, call);
  recorded.status = found.status;
  send(res, found);
}

/** Applies a fault; true when the request is still to be answered as usual. */
async function suffered(
  parts: ServerParts,
  fault: Fault,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<boolean> {
  const effect = fault.respond;
  if (effect === 'drop') {
    req.socket.destroy();
    return false;
  }
  if ('delayMs' in effect) {
    await sleep(effect.delayMs, parts.stopped);
    return true;
  }
  if ('until' in effect) {
    await effect.until;
    return true;
  }
  send(res, answer(effect.status, effect.body ?? { message: `Injected ${effect.status}` }, effect.headers));
  return false;
}

function headersOf(req: IncomingMessage): Record<string, string> {
  const pairs = Object.entries(req.headers).flatMap(([name, value]) =>
    typeof value === 'string' && name !== 'content-length' && name !== 'connection' ? [[name, value]] : [],
  );
  return Object.fromEntries(pairs);
}

async function readBody(req: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req) {
    const part: Buffer = chunk;
    size += part.length;
    if (size <= BODY_LIMIT_BYTES) chunks.push(part);
  }
  return size > BODY_LIMIT_BYTES ? undefined : Buffer.concat(chunks);
}

function send(res: ServerResponse, found: ApiAnswer): void {
  const headers = { 'x-github-request-id': 'LAB0:0:0:0:0', ...found.headers, server: 'github.com' };
  res.writeHead(found.status, { ...headers, 'content-length': found.body.length });
  res.end(found.body);
}
