import type { ApiAnswer, ApiCall, LabContext } from './context.ts';
import { asJson, type Json, parseJson } from './json.ts';

/** The emulator refuses a token's 5,000th request in an hour; a new alias comes before that. */
const USES_PER_ALIAS = 4_500;

/** Calls the emulator itself: no faults, no recording, no changes of the layer. */
export async function callEmulator(context: LabContext, call: ApiCall): Promise<ApiAnswer> {
  const headers = new Headers(call.headers);
  const token = tokenOf(headers.get('authorization') ?? undefined);
  if (token !== undefined && context.emulator.tokens.has(token)) {
    headers.set('authorization', `token ${aliasOf(context, token)}`);
  }
  const hasBody = call.method !== 'GET' && call.method !== 'HEAD';
  const response = await context.emulator.fetch(
    new Request(`${context.baseUrl}${call.path}`, {
      method: call.method,
      headers,
      // The emulator's parser wants a JSON body also where GitHub needs none.
      ...(hasBody && { body: call.body.length > 0 ? new Uint8Array(call.body) : '{}' }),
    }),
  );
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  };
}

/** A GET as the lab's administrator; throws on any answer but 2xx. */
export async function callJson(context: LabContext, path: string): Promise<Json> {
  const authorization = `token ${context.admin.token}`;
  const answer = await callEmulator(context, {
    method: 'GET',
    path,
    headers: { authorization },
    body: Buffer.alloc(0),
  });
  if (answer.status >= 300) throw new Error(`the lab's GET ${path} answered ${answer.status}`);
  return asJson(parseJson(answer.body));
}

/** The token of an Authorization header: `token T`, `Bearer T`, or Basic with the token as password. */
export function tokenOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const [scheme = '', value = ''] = header.trim().split(/\s+/, 2);
  if (scheme.toLowerCase() !== 'basic') return value === '' ? scheme : value;
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const password = decoded.slice(colon + 1);
  return password === '' || password === 'x-oauth-basic' ? decoded.slice(0, colon) : password;
}

function aliasOf(context: LabContext, token: string): string {
  const uses = context.state.tokenUses.get(token) ?? 0;
  context.state.tokenUses.set(token, uses + 1);
  const generation = Math.floor(uses / USES_PER_ALIAS);
  if (generation === 0) return token;
  const alias = `${token}.${generation}`;
  const user = context.emulator.tokens.get(token);
  if (user) context.emulator.tokens.set(alias, user);
  return alias;
}
