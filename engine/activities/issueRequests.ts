import { helpText, ISSUE_COMMANDS, type ParsedCommand, parseCommand } from '../github/commands.ts';
import type { IssueCommented } from '../github/events.ts';
import type { IssueRequest } from './types.ts';

/** What a comment on an issue asks for; undefined where it holds no command. Pure. */
export function issueRequestOf({
  author,
  authorId,
  commentId,
  createdAt,
  body,
}: IssueCommented): IssueRequest | undefined {
  const asked = commandOf(parseCommand(body));
  const actor = { actor: author, ...(authorId === undefined ? {} : { actorId: authorId }) };
  return asked && { ...actor, at: createdAt, commentId, headSha: undefined, ...asked };
}

function commandOf(
  parsed: ParsedCommand,
): Pick<IssueRequest, 'command' | 'argument' | 'mistaken'> | undefined {
  const known = helpText(ISSUE_COMMANDS);
  switch (parsed.kind) {
    case 'none':
      return undefined;
    case 'wrong':
      return { command: 'help', mistaken: `${parsed.message}\n\n${known}` };
    case 'command': {
      const command = ISSUE_COMMANDS.find((name) => name === parsed.name);
      if (command !== undefined) return { command, argument: parsed.argument };
      const message = `\`/doaas ${parsed.name}\` belongs on a pull request. Nothing was done.`;
      return { command: 'help', mistaken: `${message}\n\n${known}` };
    }
  }
}

/** What means something on an issue only is answered on a pull request, as all that is mistaken. */
export function onPull(parsed: ParsedCommand) {
  if (parsed.kind !== 'command') return parsed;
  const { name } = parsed;
  if (name !== 'adopt') return { ...parsed, name };
  const message = `\`/doaas adopt\` belongs on a drift issue: there it opens a pull request that changes the YAML to what is on the servers. Nothing was done.`;
  return { kind: 'wrong' as const, given: name, message };
}
