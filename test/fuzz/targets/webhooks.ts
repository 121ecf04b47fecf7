import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import Fastify from 'fastify';
import { secret } from '../../../engine/config/secret.ts';
import type { EngineEvent } from '../../../engine/github/events.ts';
import { EVENTS } from '../../../engine/github/map-event.ts';
import { registerWebhooks } from '../../../engine/http/webhooks.ts';
import { createLogger } from '../../../engine/log.ts';
import { createReceiverMetrics } from '../../../engine/metrics.ts';
import { mutateBytes } from '../mutate.ts';
import { mutateJson } from '../mutate-json.ts';
import { expectSame } from '../same.ts';
import { hold, type Target } from '../target.ts';

const SECRET = 'a webhook secret for tests only';
/** What is stored of one delivery: a comment has at most 8,192 characters, each of which JSON may write as six. */
const EVENT_MAX = 80_000;
const ANSWER_MAX = 2_000;
/** Events the engine acts upon, and one that it does not know. */
const NAMES = [...EVENTS, 'star'];

interface Recorded {
  readonly name: string;
  readonly examples: readonly unknown[];
}

/** The name of an event in the first line, then a body. */
export const webhooks: Target = {
  name: 'webhooks',
  about: "deliveries over HTTP, from GitHub's own recorded payloads",
  seeds: () => {
    const recorded: readonly Recorded[] = createRequire(import.meta.url)('@octokit/webhooks-examples');
    return recorded
      .filter(({ name }) => NAMES.includes(name))
      .flatMap(({ name, examples }) =>
        examples.map((example) => Buffer.from(`${name}\n${JSON.stringify(example)}`)),
      );
  },
  mutate: (random, input, seeds) => {
    if (random.chance(0.2)) return mutateBytes()(random, input, seeds);
    const { name, body } = split(input);
    const event = random.chance(0.1) ? random.pick(NAMES) : name;
    return Buffer.from(`${event}\n${mutateJson(random, body.toString('utf8'))}`);
  },
  check: async (input) => {
    const { name, body } = split(input);
    accepted.splice(0);
    const post = (signed: Buffer) =>
      server.inject({
        method: 'POST',
        url: '/webhooks/github',
        headers: headersOf(name, signed),
        payload: body,
      });
    const forged = await post(Buffer.concat([body, Buffer.from(' ')]));
    hold(
      forged.statusCode === 401 && accepted.length === 0,
      `a forged delivery was answered ${forged.statusCode}`,
    );
    const { statusCode, body: answer } = await post(body);
    hold(statusCode === 202 || statusCode === 400, `answered ${statusCode}: ${answer.slice(0, 300)}`);
    hold(answer.length <= ANSWER_MAX, `an answer of ${answer.length} characters`);
    for (const event of accepted) {
      const text = JSON.stringify(event);
      hold(text.length <= EVENT_MAX, `an event of ${text.length} characters`);
      // what is undefined is left out, and all else comes back from the inbox as it was understood
      expectSame(JSON.parse(text), defined(event), 'the event that comes out of the inbox');
      const isNamed = event.kind === 'access-changed' || (event.repo.owner !== '' && event.repo.name !== '');
      hold(isNamed, 'an event of no repository');
    }
  },
  secondsMax: 3,
};

/** What the server took since it was emptied; inputs are checked one after the other. */
const accepted: EngineEvent[] = [];
const server = Fastify();
registerWebhooks(server, {
  log: createLogger('silent'),
  metrics: createReceiverMetrics(),
  secrets: [secret(SECRET)],
  appId: 1,
  accept: async (event) => {
    accepted.push(event);
    return 'new';
  },
  concurrency: 10,
  bodyLimitBytes: 25 * 1024 * 1024,
});

function split(input: Buffer): { readonly name: string; readonly body: Buffer } {
  const at = input.indexOf(0x0a);
  return { name: input.subarray(0, Math.max(0, at)).toString('latin1'), body: input.subarray(at + 1) };
}

function defined(event: EngineEvent): unknown {
  return structuredClone(
    Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined)),
  );
}

/** HTTP itself takes no other characters. */
function headersOf(name: string, signed: Buffer) {
  return {
    'content-type': 'application/json',
    'x-github-event': name.replace(/[^\x20-\x7e]/g, '').slice(0, 1000),
    'x-github-delivery': '00000000-0000-0000-0000-000000000000',
    'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(signed).digest('hex')}`,
  };
}
