import { describe, expect, test } from 'vitest';
import { parseTemplate, renderTemplate, undeclaredNames } from './template.ts';
import type { VariableValue } from './types.generated.ts';

function render(text: string, values: Readonly<Record<string, VariableValue>> = {}): unknown {
  const template = parseTemplate(text);
  if (template.kind === 'problem') return template;
  const result = renderTemplate(template, new Map(Object.entries(values)));
  return result.kind === 'rendered' ? result.text : `${result.line}: ${result.message}`;
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
    ['a\n{{x}}', '2: uses "x", which has no value on this host'],
    ['{{host.labels.env}}', '1: uses "host.labels.env", which has no value on this host'],
    ['{{xs}}', '1: prints the list "xs"; write {{#xs}}{{.}}{{/xs}}'],
  ])('%j is a problem', (text, problem) => {
    expect(render(text, { xs: ['a'] })).toBe(problem);
  });

  test('lists within lists end', () => {
    const xs = Array.from({ length: 1024 }, String);
    const open = '{{#xs}}'.repeat(5);
    const close = '{{/xs}}'.repeat(5);
    expect(render(`${open}x${close}`, { xs })).toBe('1: gives more than 1024 KiB; make it smaller');
    expect(render(`${open}${close}`, { xs })).toBe('1: gives more than 1024 KiB; make it smaller');
  });
});

describe('mistakes in a template', () => {
  test.each([
    ['a\nb {{#x}}\n', 2, 'is not a valid template: unclosed section "x"'],
    ['a\n{{x', 2, 'is not a valid template: unclosed tag'],
    ['{{/x}}', 1, 'is not a valid template: unopened section "x"'],
    ['\n{{> other}}', 2, 'includes the partial "other", which is not supported; write its text here'],
    [`${'{{#x}}'.repeat(5000)}${'{{/x}}'.repeat(5000)}`, 1, 'nests sections more than 16 deep; flatten it'],
  ])('%j', (text, line, message) => {
    const problem = parseTemplate(text);
    expect(problem).toMatchObject({ kind: 'problem', message });
    if (!text.startsWith('a\nb')) expect(problem).toMatchObject({ line });
  });

  test('names that nothing declares, inherited ones too', () => {
    const template = parseTemplate('{{prot}}\n{{#xs}}{{.}}{{/xs}}{{constructor}}{{host.constructor}}\n{{.}}');
    expect(template.kind).toBe('template');
    if (template.kind !== 'template') return;
    expect(undeclaredNames(template, new Set(['port', 'xs', 'host.name']))).toEqual([
      { kind: 'problem', line: 1, message: 'uses "prot", which is not declared; did you mean "port"?' },
      {
        kind: 'problem',
        line: 2,
        message: 'uses "constructor", which is not declared; declare it under "variables"',
      },
      {
        kind: 'problem',
        line: 2,
        message: 'uses "host.constructor", which is not declared; declare it under "variables"',
      },
      { kind: 'problem', line: 3, message: 'uses ".", which is not declared; declare it under "variables"' },
    ]);
  });
});
