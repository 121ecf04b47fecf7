import { type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import type { HttpProbe } from '../kinds/kind.ts';
import { excerpt, messageOf } from './host-error.ts';
import type { Attempt } from './probe.ts';
import { connectWithin, isUnanswered } from './probe-tcp.ts';
import type { Session } from './session.ts';

/** It may have had to wait before it could connect at all. */
const ANSWER_MIN_MS = 1_000;

/** `contains` is looked for in this much of the body. */
export const HTTP_BODY_MAX_BYTES = 1024 * 1024;

/**
 * One GET as seen from the host, over a connection that the host makes: no curl is needed there. Redirects are not
 * followed. A certificate is not checked: `https://localhost` never matches one, nothing secret is sent, and the way
 * to the host is SSH.
 */
export async function tryHttp(session: Session, probe: HttpProbe, timeoutMs: number): Promise<Attempt> {
  const started = performance.now();
  const url = new URL(probe.url);
  const what = `GET ${probe.url}`;
  const secure = url.protocol === 'https:';
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  const address = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const stream = await connectWithin(session, address, port, timeoutMs);
  if (isUnanswered(stream)) return { passed: false, detail: `${what}: ${address}:${port} ${stream.words}` };
  try {
    const left = Math.max(timeoutMs - (performance.now() - started), ANSWER_MIN_MS);
    const answer = await get(url, secure ? overTls(stream, address) : stream, left);
    return judge(what, probe, answer);
  } catch (error) {
    return { passed: false, detail: `${what} failed: ${excerpt(messageOf(error))}` };
  } finally {
    stream.destroy();
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function judge(what: string, probe: HttpProbe, answer: Answer): Attempt {
  const said = `${what} answered ${answer.status}`;
  if (answer.status !== probe.status) return { passed: false, detail: `${said}, expected ${probe.status}` };
  if (probe.contains === undefined || answer.body.includes(probe.contains))
    return { passed: true, detail: said };
  const begins =
    answer.body === '' ? 'its body is empty' : `it begins "${excerpt(answer.body).slice(0, 80)}"`;
  return { passed: false, detail: `${said} without "${probe.contains}" (${begins})` };
}

function overTls(stream: Duplex, address: string): Duplex {
  const name = /^[\d.]+$|:/.test(address) ? {} : { servername: address };
  return tlsConnect({ socket: stream, rejectUnauthorized: false, ...name });
}

function get(url: URL, stream: Duplex, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`no whole answer within ${Math.round(timeoutMs / 100) / 10} s`));
      sent.destroy();
    }, timeoutMs);
    const sent = request({
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: { host: url.host, 'user-agent': 'doaas-probe', accept: '*/*', connection: 'close' },
      createConnection: () => stream,
    });
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      finish();
    };
    stream.on('error', (error) => settle(() => reject(error)));
    sent.on('error', (error) => settle(() => reject(error)));
    sent.on('response', (response) => {
      readBody(response).then(
        (body) => settle(() => resolve({ status: response.statusCode ?? 0, body })),
        (error) => settle(() => reject(error)),
      );
    });
    sent.end();
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, HTTP_BODY_MAX_BYTES - size));
    size += chunk.length;
    if (size >= HTTP_BODY_MAX_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
