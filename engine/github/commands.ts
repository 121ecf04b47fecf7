import { nearestName } from '../spec/nearest.ts';
import { code } from './render/escape.ts';

export const COMMANDS = {
  plan: { argument: 'SHA', does: 'read the servers and plan again (of a fork: the head with this SHA)' },
  apply: { argument: 'SHA', does: 'apply the plan that is shown, once it is approved' },
  cancel: {
    argument: 'keep',
    does: 'stop what runs at the next safe point, and ask whether to roll back (or keep what is done); on a drift issue: roll the correction back without asking (or keep)',
  },
  rollback: { argument: undefined, does: 'put the servers back as they were before this pull request' },
  status: { argument: undefined, does: 'say what is going on and what is waited for' },
  security: {
    argument: undefined,
    does: 'read the servers of the default branch, and report controls, waivers, open ports and updates',
  },
  unlock: {
    argument: 'SERVER',
    does: 'give up the lock on a server (all that this pull request holds without a name)',
  },
  adopt: {
    argument: undefined,
    does: 'on a drift issue: open a pull request that changes the YAML to what is on the servers',
  },
  help: { argument: undefined, does: 'list the commands' },
} as const satisfies Record<string, { argument: string | undefined; does: string }>;

export type CommandName = keyof typeof COMMANDS;

/** What may be said on a drift issue. */
export const ISSUE_COMMANDS = [
  'adopt',
  'cancel',
  'status',
  'security',
  'unlock',
  'help',
] as const satisfies readonly CommandName[];

/** Options of `apply` that take something away, for those whom the policy names. */
export type OverrideKind = 'override' | 'break-glass';

export type ParsedCommand =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'command';
      readonly name: CommandName;
      readonly argument: string | undefined;
      readonly override?: { readonly kind: OverrideKind; readonly reason: string };
    }
  | { readonly kind: 'wrong'; readonly given: string; readonly message: string };

/** Characters of a comment that are looked at; a command stands at the beginning of a line near the top. */
const LOOKED_AT = 8192;
const GIVEN_MAX = 80;
/** Commands of one comment that are repeated in its answer. */
const SHOWN_MAX = 5;

/**
 * The line that begins with `/doaas`, outside code blocks, quotes and HTML comments. Of two, none is taken: a comment is
 * answered once, and nobody should have to guess which it was. Pure.
 */
export function parseCommand(body: string): ParsedCommand {
  const lines = visibleLines(body.slice(0, LOOKED_AT)).filter((candidate) => isCommand(candidate));
  const [line] = lines;
  if (line === undefined) return { kind: 'none' };
  if (lines.length > 1) return { kind: 'wrong', given: line.slice(0, GIVEN_MAX), message: several(lines) };
  const [name = '', ...args] = line.trim().split(/\s+/).slice(1);
  return overriding(name, args) ?? understand(name, args);
}

/** Characters of a reason; the rest of the line is for people. */
const REASON_MAX = 500;

/** `apply --break-glass REASON` and `apply --override REASON`; undefined for any other command. */
function overriding(name: string, [option, ...words]: readonly string[]): ParsedCommand | undefined {
  const kind = option === '--break-glass' || option === '--override' ? option.slice(2) : undefined;
  if (name.toLowerCase() !== 'apply' || kind === undefined) return undefined;
  const reason = words.join(' ').slice(0, REASON_MAX).trimEnd();
  const message = `\`/doaas apply --${kind}\` needs a reason behind it, for all to read. Nothing was done.`;
  if (reason === '') return { kind: 'wrong', given: 'apply', message };
  return {
    kind: 'command',
    name: 'apply',
    argument: undefined,
    override: { kind: kind === 'override' ? 'override' : 'break-glass', reason },
  };
}

export function helpText(only: readonly string[] = Object.keys(COMMANDS)): string {
  const named = Object.entries(COMMANDS).filter(([name]) => only.includes(name));
  const rows = named.map(([name, { argument, does }]) => {
    const call = argument === undefined ? `/doaas ${name}` : `/doaas ${name} [${argument}]`;
    return `| \`${call}\` | ${does} |`;
  });
  return ['| command | what it does |', '|---|---|', ...rows].join('\n');
}

function several(lines: readonly string[]): string {
  const shown = lines.slice(0, SHOWN_MAX).map((line) => code(line, GIVEN_MAX));
  const more = lines.length > shown.length ? ' ...' : '';
  return `That comment holds ${lines.length} commands: ${shown.join(', ')}${more}. Say one in a comment. Nothing was done.`;
}

function understand(given: string, args: readonly string[]): ParsedCommand {
  const name = given.toLowerCase();
  if (!isName(name)) return { kind: 'wrong', given: given.slice(0, GIVEN_MAX), message: unknown(given) };
  const { argument } = COMMANDS[name];
  const extra = args.slice(argument === undefined ? 0 : 1);
  const first = args[0];
  if (extra.length === 0 && argument === 'SHA' && first !== undefined && !SHA.test(first))
    return { kind: 'wrong', given: name, message: notSha(name, first) };
  if (extra.length === 0) return { kind: 'command', name, argument: first };
  const takes = argument === undefined ? 'no arguments' : 'one argument';
  return {
    kind: 'wrong',
    given: name,
    message: `\`/doaas ${name}\` takes ${takes}, but got ${code(extra.join(' '), GIVEN_MAX)}. Nothing was done.`,
  };
}

/** Whole: somebody else can make a commit with the same first characters. */
const SHA = /^[0-9a-f]{40}$/;

function notSha(name: string, given: string): string {
  return `\`/doaas ${name}\` takes the whole SHA of the head (40 characters), but got ${code(given, GIVEN_MAX)}. Nothing was done.`;
}

function unknown(given: string): string {
  const list = Object.keys(COMMANDS).join(', ');
  if (given === '') return `A command is missing after \`/doaas\`: ${list}.`;
  const nearest = nearestName(given.toLowerCase(), Object.keys(COMMANDS));
  const hint = nearest === undefined ? '' : ` Did you mean \`/doaas ${nearest}\`?`;
  return `There is no command ${code(given, GIVEN_MAX)}.${hint} Commands: ${list}.`;
}

function isName(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** Up to three spaces, as markdown allows before a paragraph; four make a code block. */
function isCommand(line: string): boolean {
  const match = /^ {0,3}\/(\S+)(\s|$)/.exec(line);
  return match?.[1]?.toLowerCase() === 'doaas';
}

/** Lines that a reader of the comment sees as text: no fences, quotes or HTML comments. */
function visibleLines(body: string): readonly string[] {
  const seen: string[] = [];
  let fence: string | undefined;
  for (const line of withoutComments(body).split(/\r\n|\r|\n/)) {
    const ticks = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined && ticks === undefined && !/^ {0,3}>/.test(line)) seen.push(line);
    else if (fence === undefined) fence = ticks;
    else if (
      ticks !== undefined &&
      ticks[0] === fence[0] &&
      ticks.length >= fence.length &&
      line.trim() === ticks
    )
      fence = undefined;
  }
  return seen;
}

/** Also one that is never closed: it hides all that follows. A blank stays, so that no command is put together from two pieces. */
function withoutComments(body: string): string {
  return body.replace(/<!--[\s\S]*?(-->|$)/g, ' ');
}
