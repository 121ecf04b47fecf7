import { createServer } from 'node:http';
import { Webhooks } from '@octokit/webhooks';
import type { Json } from '../json.ts';
import type { LabGitHub } from '../lab-github.ts';

export const SECRET = 'a secret of this test';
/** For an octokit whose calls are meant to fail. */
export const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

export interface Received {
  readonly event: string;
  readonly guid: string;
  readonly verified: boolean;
  readonly payload: Json;
}

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  readonly close: () => void;
}

/** Takes webhooks as the engine would, and checks their signatures. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const verifier = new Webhooks({ secret: SECRET });
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString('utf8');
    const verified = await verifier.verify(body, String(req.headers['x-hub-signature-256']));
    received.push({
      event: String(req.headers['x-github-event']),
      guid: String(req.headers['x-github-delivery']),
      verified,
      payload: JSON.parse(body),
    });
    res.writeHead(202).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/hook`, received, close: () => server.close() };
}

/** Events about one repository, once all are delivered. */
export async function eventsOf(
  lab: LabGitHub,
  { received }: Receiver,
  repo: { readonly name: string },
  event: string,
): Promise<Json[]> {
  await lab.webhooks.settled();
  return received
    .filter((entry) => entry.event === event && JSON.stringify(entry.payload.repository).includes(repo.name))
    .map((entry) => entry.payload);
}
