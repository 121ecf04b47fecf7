import { answer, ok, problem } from './answers.ts';
import type { ApiAnswer, Reaction } from './context.ts';
import { callEmulator, callJson } from './internal.ts';
import { asJson, parseJson } from './json.ts';
import { levelOf, roleOf } from './permissions.ts';
import type { Route, RouteInput } from './routes.ts';

export const OTHER_ROUTES: readonly Route[] = [
  { method: 'GET', path: /^\/collaborators\/([^/]+)\/permission$/, handle: permission },
  { method: 'PATCH', path: /^\/issues\/comments\/(\d+)$/, handle: editComment },
  { method: 'POST', path: /^\/issues\/comments\/(\d+)\/reactions$/, handle: react },
  { method: 'GET', path: /^\/issues\/comments\/(\d+)\/reactions$/, handle: listReactions },
  { method: 'DELETE', path: /^\/issues\/comments\/(\d+)\/reactions\/(\d+)$/, handle: unreact },
];

async function permission(input: RouteInput): Promise<ApiAnswer> {
  const { context, repo } = input;
  const login = decodeURIComponent(input.params[0] ?? '');
  const known = context.store.users.findOneBy('login', login);
  // an App is nobody's collaborator
  if (known === undefined || known.type === 'Bot') {
    return problem(404, `${login} is not a user`);
  }
  const role = roleOf(context.store, context.admin.login, repo, login);
  const user = await callJson(context, `/users/${encodeURIComponent(login)}`);
  return answer(200, { permission: levelOf(role), role_name: role, user });
}

/** The emulator's webhook does not say what the comment said before. */
async function editComment(input: RouteInput): Promise<ApiAnswer> {
  const before = await readComment(input);
  if (ok(before))
    input.context.state.textsBefore.set(
      Number(input.params[0]),
      String(asJson(parseJson(before.body)).body ?? ''),
    );
  return callEmulator(input.context, input.call);
}

const CONTENTS = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes'];

/** 200 when this user already reacted so, 201 for a new reaction. */
async function react(input: RouteInput): Promise<ApiAnswer> {
  const { context } = input;
  const comment = await readComment(input);
  if (!ok(comment)) return comment;
  const content = String(asJson(input.json).content);
  if (!CONTENTS.includes(content)) return problem(422, 'Validation Failed');
  const id = Number(input.params[0]);
  const present = context.state.reactions.get(id) ?? [];
  const same = present.find((reaction) => reaction.login === input.actor && reaction.content === content);
  if (same) return answer(200, await reactionJson(input, same));
  const reaction = {
    id: context.state.nextReactionId++,
    login: input.actor,
    content,
    created_at: new Date().toISOString(),
  };
  context.state.reactions.set(id, [...present, reaction]);
  return answer(201, await reactionJson(input, reaction));
}

function readComment({ context, repo, call, params }: RouteInput): Promise<ApiAnswer> {
  const authorization = call.headers.authorization ?? '';
  return callEmulator(context, {
    method: 'GET',
    path: `/repos/${repo.full_name}/issues/comments/${params[0]}`,
    headers: authorization === '' ? {} : { authorization },
    body: Buffer.alloc(0),
  });
}

async function reactionJson({ context }: RouteInput, reaction: Reaction) {
  const { id, content, created_at, login } = reaction;
  const user = await callJson(context, `/users/${encodeURIComponent(login)}`);
  return { id, node_id: `RE_${id}`, user, content, created_at };
}

async function listReactions(input: RouteInput): Promise<ApiAnswer> {
  const comment = await readComment(input);
  if (!ok(comment)) return comment;
  const wanted = input.query.get('content');
  const present = input.context.state.reactions.get(Number(input.params[0])) ?? [];
  const shown = present.filter((reaction) => wanted === null || reaction.content === wanted);
  return answer(200, await Promise.all(shown.map((reaction) => reactionJson(input, reaction))));
}

async function unreact(input: RouteInput): Promise<ApiAnswer> {
  const id = Number(input.params[0]);
  const present = input.context.state.reactions.get(id) ?? [];
  const rest = present.filter((reaction) => reaction.id !== Number(input.params[1]));
  if (rest.length === present.length) return problem(404, 'Not Found');
  input.context.state.reactions.set(id, rest);
  return { status: 204, headers: {}, body: Buffer.alloc(0) };
}
