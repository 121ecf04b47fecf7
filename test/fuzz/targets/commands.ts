import { COMMANDS, parseCommand } from '../../../engine/github/commands.ts';
import { renderAnswer } from '../../../engine/github/render/answer.ts';
import { fence } from '../../../engine/github/render/escape.ts';
import { expectTame } from '../markdown.ts';
import { mutateBytes } from '../mutate.ts';
import { expectSame } from '../same.ts';
import { hold, type Target } from '../target.ts';

const MESSAGE_MAX = 2_000;
const SHA = '0123456789abcdef'.repeat(3).slice(0, 40);

const WORDS = [
  ...[
    '/doaas',
    '/DOAAS',
    '/doaas apply',
    ' ',
    '\n',
    '```\n',
    '~~~\n',
    '> ',
    '    ',
    '<!--',
    '-->',
    '\n\n',
    '--',
  ],
  ...['--break-glass ', '--override ', 'reason', SHA, 'keep', 'unlock web-1', ...Object.keys(COMMANDS)],
];

/** The body of a comment. */
export const commands: Target = {
  name: 'commands',
  about: 'commands in comments',
  seeds: () =>
    [
      ...Object.entries(COMMANDS).map(([name, { argument }]) => `/doaas ${name} ${argument ?? ''}`),
      `Looks good.\n\n/doaas apply ${SHA}\nthanks`,
      '/doaas apply --break-glass the shop is down',
      '> /doaas apply\n\nno\n',
      '```\n/doaas apply\n```\n',
      '<!-- /doaas apply -->',
      '/doaas cancel keep',
      '/doaas apply\n/doaas plan',
    ].map((text) => Buffer.from(text)),
  mutate: mutateBytes(WORDS),
  check: (input) => {
    const body = input.toString('utf8');
    const parsed = parseCommand(body);
    expectSame(parseCommand(body), parsed, 'the command of the same comment');
    if (parsed.kind === 'none') return;
    hold(/\/doaas(\s|<!--|$)/i.test(body), 'a command that nobody wrote');
    expectHidden(body);
    if (parsed.kind === 'wrong') {
      hold(parsed.message.length <= MESSAGE_MAX, `an answer of ${parsed.message.length} characters`);
      expectTame(parsed.message);
      expectTame(renderAnswer({ kind: 'failed', command: 'apply', reason: parsed.given }));
      return;
    }
    hold(Object.hasOwn(COMMANDS, parsed.name), 'a command that does not exist');
    const { name, argument, override } = parsed;
    const option = override === undefined ? (argument ?? '') : `--${override.kind} ${override.reason}`;
    expectSame(parseCommand(`/doaas ${name} ${option}`), parsed, 'the command as it is written shortly');
  },
  secondsMax: 1,
};

/** Quoted or shown as code, whoever answers or cites must not command by it. */
function expectHidden(body: string): void {
  const quoted = body.split(/\r\n|\r|\n/).map((line) => `> ${line}`);
  hold(parseCommand(quoted.join('\n')).kind === 'none', 'a quoted command is obeyed');
  hold(parseCommand(fence(body)).kind === 'none', 'a command within a block of code is obeyed');
}
