import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Secret } from '../config/secret.ts';
import { judgePlanLink } from './planLink.ts';

export interface PlanPages {
  /** The whole stored plan as text for people; undefined when it is not stored (any more). */
  readonly text: (digest: string) => Promise<string | undefined>;
  /** Epoch ms. */
  readonly now: () => number;
}

export interface PlanPageOptions extends PlanPages {
  /** The live secrets, from which the keys of links are derived. */
  readonly secrets: readonly Secret[];
}

interface PlanRequest {
  readonly Params: { readonly digest: string };
  readonly Querystring: Readonly<Record<string, unknown>>;
}

/**
 * Plain text that no browser may take for anything else: what a plan shows comes from repositories and servers. The
 * link is the permission, so it must not leak: not by a cache, a Referer or a search engine.
 */
const HEADERS = {
  'content-type': 'text/plain; charset=utf-8',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'private, no-store',
  'x-robots-tag': 'noindex',
} as const;

const DIGEST = /^[0-9a-f]{64}$/;

const SENTENCES = {
  forged:
    'This link is not one that DOaaS signed, or it was cut when it was copied. Take it again from the check or the comment of the pull request.',
  expired:
    'This link has expired; such links work for 7 days. Say `/doaas plan` on the pull request for a new one, or `doaas plan show DIGEST` where the engine runs.',
  missing:
    'This plan is not stored any more. Say `/doaas plan` on the pull request to plan again on fresh facts.',
} as const;

/** `GET /plans/:digest?expires=EPOCH&signature=HEX`: a whole plan, for who has the link. */
export function registerPlans(server: FastifyInstance, options: PlanPageOptions): void {
  server.get<PlanRequest>('/plans/:digest', async (request, reply) => {
    const { digest } = request.params;
    const { expires, signature } = request.query;
    const link = { digest, expires: textOf(expires), signature: textOf(signature) };
    const verdict = DIGEST.test(digest) ? judgePlanLink(link, options.secrets, options.now()) : 'forged';
    if (verdict === 'forged') return say(reply, 403, SENTENCES.forged);
    if (verdict === 'expired') return say(reply, 410, SENTENCES.expired);
    const text = await options.text(digest);
    return text === undefined ? say(reply, 404, SENTENCES.missing) : say(reply, 200, text);
  });
}

/** A parameter that is given twice is an array. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function say(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply
    .code(status)
    .headers(HEADERS)
    .send(text.endsWith('\n') ? text : `${text}\n`);
}
