import { describe, expect, test } from 'vitest';
import { cpuMs } from '../../test/cpuMs.ts';
import { parseTemplate, renderTemplate, type TemplateProblem, undeclaredNames } from './template.ts';
import type { VariableValue } from './types.generated.ts';

/** Place and words of a problem, as people read them. */
function said({ position: { line, column, endLine, endColumn }, message }: TemplateProblem): string {
  const end = line === endLine ? `${endColumn}` : `${endLine}:${endColumn}`;
  return `${line}:${column}-${end} ${message}`;
}

function render(text: string, values: Readonly<Record<string, VariableValue>> = {}): unknown {
  const template = parseTemplate('t.conf', text);
  if (template.kind === 'problem') return template;
  const result = renderTemplate(template, new Map(Object.entries(values)));
  return result.kind === 'rendered' ? result.text : said(result);
}

describe('rendering', () => {
  test.each([
    ['a {{x}} b', { x: '<&">' }, 'a <&"> b'],
    ['{{{x}}}{{&x}}', { x: 'y' }, 'yy'],
    ['{{host.name}} {{host.labels.app/tier}}', { 'host.name': 'a', 'host.labels.app/tier': 'b' }, 'a b'],
    ['{{n}} {{b}}', { n: 8080, b: false }, '8080 false'],
    ['{{#xs}}[{{.}}]{{/xs}}', { xs: ['1', '2'] }, '[1][2]'],
    ['{{#on}}yes{{/on}}{{^on}}no{{/on}}', { on: true }, 'yes'],
    ['{{#on}}yes{{/on}}{{^on}}no{{/on}}', { on: false }, 'no'],
    ['{{#xs}}yes{{/xs}}{{^xs}}none{{/xs}}', { xs: [] }, 'none'],
    [
      '{{#host.labels.env}}in {{.}}{{/host.labels.env}}{{^host.labels.env}}nowhere{{/host.labels.env}}',
      {},
      'nowhere',
    ],
    ['{{#host.labels.env}}in {{.}}{{/host.labels.env}}', { 'host.labels.env': 'prod' }, 'in prod'],
    ['a\n{{#on}}\nb\n{{/on}}\nc\n', { on: true }, 'a\nb\nc\n'],
    ['a{{! a remark }}b', {}, 'ab'],
    ['{{=<% %>=}}<% x %>', { x: 'y' }, 'y'],
    ['{{x}}', { x: '{{y}}' }, '{{y}}'],
  ] as const)('%s', (text, values, expected) => {
    expect(render(text, values as unknown as Readonly<Record<string, VariableValue>>)).toBe(expected);
  });

  test.each([
    ['a\nb {{x}}', '2:3-8 uses "x", which has no value'],
    [
      '{{host.labels.env}}',
      '1:1-20 uses "host.labels.env", which has no value; give the server that label, or write {{#host.labels.env}}{{.}}{{/host.labels.env}}',
    ],
    ['{{^y}}{{/y}}', '1:1-7 uses "y", which has no value'],
    ['{{xs}}', '1:1-7 prints the list "xs"; write {{#xs}}{{.}}{{/xs}}'],
  ])('%j is a problem', (text, problem) => {
    expect(render(text, { xs: ['a'] })).toBe(problem);
  });

  test('lists within lists end', () => {
    const xs = Array.from({ length: 1024 }, String);
    const open = '{{#xs}}'.repeat(5);
    const close = '{{/xs}}'.repeat(5);
    expect(render(`${open}x${close}`, { xs })).toMatch(/gives more than 1024 KiB; make it smaller$/);
    expect(render(`${open}${close}`, { xs })).toMatch(/gives more than 1024 KiB; make it smaller$/);
    expect(render('{{x}}', { x: 'ä'.repeat(600_000) })).toBe(
      '1:1-1 gives more than 1024 KiB; make it smaller',
    );
  });
});

describe('mistakes in a template', () => {
  test.each([
    ['a\nb {{#x}}\nc\n', '2:3-9 is not valid: unclosed section "x"'],
    ['{{#x}}a{{/x}}\n {{# x }}b{{#y}}{{/y}}', '2:2-23 is not valid: unclosed section "x"'],
    ['{{^Box}}\n{{#y}}\n{{/Box}}\n{{/y}}\n', '2:1-7 is not valid: unclosed section "y"'],
    ['a\nb {{x\nc\nd', '2:3-6 is not valid: unclosed tag'],
    ['{{x}}\n{{{y}}\n', '2:1-7 is not valid: unclosed tag'],
    ['a\n {{/x}} b', '2:2-10 is not valid: unopened section "x"'],
    ['a\n{{= x =}}', '1:1-2 is not valid: invalid tags: x'],
    ['\n {{> other}}', '2:2-13 includes the partial "other", which is not supported; write its text here'],
    ['{{=<% %>=}}\n<%#x%>', '2:7-7 is not valid: unclosed section "x"'],
    ['{{/%}}', '1:1-7 is not valid: unopened section "%"'],
  ])('%j', (text, sentence) => {
    const problem = parseTemplate('t.conf', text);
    expect(problem.kind === 'problem' && said(problem)).toBe(sentence);
    expect(problem.kind === 'problem' && problem.position.file).toBe('t.conf');
  });

  test('sections within sections end', () => {
    expect(parseTemplate('t', `${'{{#x}}'.repeat(5000)}${'{{/x}}'.repeat(5000)}`)).toMatchObject({
      message: 'nests sections more than 16 deep; flatten it',
    });
  });

  test('blanks in a tag cannot keep the parser busy', () => {
    const problem = parseTemplate('t', `a\n{{a${' '.repeat(260_000)}b}}`);
    expect(problem.kind === 'problem' && said(problem)).toBe(
      '2:4-4 is not valid: it has more than 256 spaces and line ends in a row; take some out',
    );
    const most = `{{a${`${' '.repeat(256)}b`.repeat(1_000)}}}`;
    expect(
      cpuMs(() => {
        expect(parseTemplate('t', most).kind).toBe('template');
      }),
    ).toBeLessThan(5_000);
  });

  test('a name of any length is shown in short', () => {
    const problem = parseTemplate('t', `{{/${'x'.repeat(200_000)}}}`);
    expect(problem.kind === 'problem' && problem.message.length).toBeLessThan(200);
  });

  test('names that nothing declares, inherited ones too', () => {
    const text = '{{prot}}\n{{#xs}}{{.}}{{/xs}}{{constructor}}{{host.constructor}}\n{{.}}';
    const template = parseTemplate('t.conf', text);
    expect(template.kind).toBe('template');
    if (template.kind !== 'template') return;
    expect(undeclaredNames(template, new Set(['port', 'xs', 'host.name'])).map(said)).toEqual([
      '1:1-9 uses "prot", which is not declared; did you mean "port"?',
      '2:20-35 uses "constructor", which is not declared; declare it under "variables"',
      '2:35-55 uses "host.constructor", which is not declared; declare it under "variables"',
      '3:1-6 uses ".", which is not declared; declare it under "variables"',
    ]);
  });
});
