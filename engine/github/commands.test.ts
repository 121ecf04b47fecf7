import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { helpText, ISSUE_COMMANDS, parseCommand } from './commands.ts';

const name = (body: string) => {
  const parsed = parseCommand(body);
  return parsed.kind === 'command' ? parsed.name : parsed.kind;
};

test.each([
  ['/doaas apply', 'apply'],
  ['  /doaas   plan  ', 'plan'],
  ['/DOAAS Apply', 'apply'],
  ['Looks good.\r\n\r\n/doaas apply\r\nthanks', 'apply'],
  ['```\n/doaas apply\n```\n/doaas status', 'status'],
  ['~~~~\n```\n/doaas apply\n~~~\n~~~~\n/doaas help', 'help'],
])('%j is %s', (body, expected) => {
  expect(name(body)).toBe(expected);
});

describe('not a command', () => {
  test.each([
    'please /doaas apply',
    '/doaasapply',
    '/doaas-apply',
    '    /doaas apply',
    '\t/doaas apply',
    '> /doaas apply',
    '```\n/doaas apply',
    '```sh\n/doaas apply\n```',
    '<!-- \n/doaas apply\n-->',
    '<!--\n/doaas apply',
    '`/doaas apply`',
    '/other apply',
    '',
  ])('%j', (body) => {
    expect(name(body)).toBe('none');
  });
});

test.each([
  [
    '/doaas aply',
    'There is no command `aply`. Did you mean `/doaas apply`? Commands: plan, apply, cancel, rollback, status, security, unlock, adopt, help.',
  ],
  [
    '/doaas',
    'A command is missing after `/doaas`: plan, apply, cancel, rollback, status, security, unlock, adopt, help.',
  ],
  [
    '/doaas xyzzy',
    'There is no command `xyzzy`. Commands: plan, apply, cancel, rollback, status, security, unlock, adopt, help.',
  ],
  [
    '/doaas constructor',
    'There is no command `constructor`. Commands: plan, apply, cancel, rollback, status, security, unlock, adopt, help.',
  ],
  ['/doaas apply web-1 now', '`/doaas apply` takes one argument, but got `now`. Nothing was done.'],
  ['/doaas unlock a b', '`/doaas unlock` takes one argument, but got `b`. Nothing was done.'],
  [
    '/doaas plan\n\n/doaas apply',
    'That comment holds 2 commands: `/doaas plan`, `/doaas apply`. Say one in a comment. Nothing was done.',
  ],
  [
    '/doaas @ops',
    'There is no command `@ops`. Commands: plan, apply, cancel, rollback, status, security, unlock, adopt, help.',
  ],
])('%j is answered', (body, message) => {
  expect(parseCommand(body)).toMatchObject({ kind: 'wrong', message });
});

test('unlock takes a server', () => {
  expect(parseCommand('/doaas unlock web-1')).toEqual({ kind: 'command', name: 'unlock', argument: 'web-1' });
});

test('a word of another bot', () => {
  expect(parseCommand('/ops apply')).toEqual({ kind: 'none' });
});

test('any text is parsed, and what is quoted is never a command', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (body) => {
      expect(['none', 'wrong', 'command']).toContain(parseCommand(body).kind);
      const quoted = body
        .split(/\r\n|\r|\n/)
        .map((line) => `> ${line}`)
        .join('\n');
      expect(parseCommand(quoted).kind).toBe('none');
    }),
  );
});

test('the help lists every command', () => {
  expect(helpText()).toContain('| `/doaas unlock [SERVER]` | ');
  expect(helpText().split('\n')).toHaveLength(11);
  expect(helpText(ISSUE_COMMANDS)).not.toContain('apply');
});

const SHA = 'a'.repeat(40);

test.each([
  [`/doaas plan ${SHA}`, { kind: 'command', name: 'plan', argument: SHA }],
  [
    '/doaas apply --break-glass the shop is down | @all',
    {
      kind: 'command',
      name: 'apply',
      argument: undefined,
      override: { kind: 'break-glass', reason: 'the shop is down | @all' },
    },
  ],
  [
    '/doaas APPLY --override twelve of them, on purpose',
    { name: 'apply', override: { kind: 'override', reason: 'twelve of them, on purpose' } },
  ],
  ['/doaas apply --break-glass', { kind: 'wrong', message: expect.stringContaining('needs a reason') }],
  ['/doaas plan abc123', { kind: 'wrong', message: expect.stringContaining('takes the whole SHA') }],
  ['/doaas plan --break-glass x', { kind: 'wrong' }],
])('%s', (body, wanted) => {
  expect(parseCommand(body)).toMatchObject(wanted);
});
