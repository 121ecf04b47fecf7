import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkRepository, errorsByOwnPolicy } from './check.ts';
import { loadPolicy, POLICY_FILE } from './policy.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const head = 'apiVersion: doaas/v1\nkind: Policy\nmetadata: {name: p}\n';
const load = (text: string) => loadPolicy(new Map([[POLICY_FILE, bytes(text)]]));
const window = (given: string) => `${head}spec:\n  rules:\n    r:\n      window: {timeZone: UTC, ${given}}\n`;

test('no file is no policy, and no mistake', () => {
  expect(loadPolicy(new Map())).toEqual({ spec: undefined, errors: [], codeowners: undefined });
});

test('a policy is read, with the owners that GitHub would take', () => {
  const files = new Map([
    [POLICY_FILE, bytes(`${head}spec: {trigger: merge}\n`)],
    ['CODEOWNERS', bytes('* @b')],
    ['.github/CODEOWNERS', bytes('* @a')],
  ]);
  expect(loadPolicy(files)).toEqual({ spec: { trigger: 'merge' }, errors: [], codeowners: '* @a' });
});

describe('what cannot be kept is a mistake at its place, never "no policy"', () => {
  test.each<readonly [string, string, number, string]>([
    ['empty', '', 1, 'holds no Policy document'],
    ['a comment', '# later\n', 1, 'holds no Policy document'],
    ['no YAML', `${head}spec: [`, 4, 'ends too early'],
    ['two', `${head}spec: {}\n---\n${head}spec: {}\n`, 6, 'has one policy'],
    ['another kind', head.replace('Policy', 'Server').concat('spec: {}\n'), 2, '"Policy"'],
    ['a misspelt property', `${head}spec: {triger: comment}\n`, 4, 'trigger'],
    ['our own check', `${head}spec: {rules: {r: {checks: [doaas/plan]}}}\n`, 4, 'would wait for itself'],
    [
      'our own check by its App',
      `${head}spec: {rules: {r: {checks: [{name: doaas/plan, app: doaas}]}}}\n`,
      4,
      'would wait for itself',
    ],
    ['a check without its App', `${head}spec: {rules: {r: {checks: [{name: ci}]}}}\n`, 4, 'has no "app"'],
    ['an App that is none', `${head}spec: {rules: {r: {checks: [{name: ci, app: "A B"}]}}}\n`, 4, 'an App'],
    ['no approvals in a count', `${head}spec: {rules: {r: {approvals: [{count: 0}]}}}\n`, 4, 'at least 1'],
    ['a zone that is none', window('').replace('UTC', 'Europe/Bärlin'), 7, 'time zone'],
    ['an unknown zone', window('').replace('UTC', 'Europe/Atlantis'), 7, 'There is no time zone'],
    ['empty hours', window('hours: {from: "09:00", to: "09:00"}'), 7, 'These hours are empty'],
    [
      'a day that is none',
      window('freeze: [{from: "2026-02-30", to: "2026-03-01"}]'),
      7,
      'There is no 2026-02-30',
    ],
    ['a freeze backwards', window('freeze: [{from: "2026-03-02", to: "2026-03-01"}]'), 7, 'before it begins'],
    [
      'freezes that keep a window shut',
      window(
        `days: [mon], freeze: [
          {from: "2027-07-05", to: "2028-03-01"},
          {from: "2027-01-06", to: "2027-07-03"}]`,
      ),
      8,
      'From 2027-01-06 to 2028-03-01 the window would not open for more than a year; freeze fewer days.',
    ],
  ])('%s', (_name, text, line, message) => {
    const { spec, errors } = load(text);
    expect(spec).toBeUndefined();
    expect(errors[0]).toMatchObject({
      position: { file: POLICY_FILE, line },
      message: expect.stringContaining(message),
    });
  });

  test.each([
    [new Map([['.doaas/policy.yml', bytes(head)]]), [], 'rename this file'],
    [new Map(), [{ path: POLICY_FILE, why: 'a symbolic link, which is never followed' }], 'symbolic link'],
    [new Map(), [{ path: '.doaas', why: 'a submodule, which is never fetched' }], 'submodule'],
  ])('under another name, a link, a submodule %#', (files, refused, message) => {
    expect(loadPolicy(files, refused)).toMatchObject({
      spec: undefined,
      errors: [{ message: expect.stringContaining(message) }],
    });
  });
});

test('the repository is not valid with a broken policy, and a policy elsewhere is said to hold for nothing', () => {
  const broken = checkRepository(new Map([[POLICY_FILE, bytes(`${head}spec: {x: 1}\n`)]]));
  expect(broken.errors).toHaveLength(1);
  const elsewhere = checkRepository(new Map([['policy.yaml', bytes(`${head}spec: {}\n`)]]));
  expect(elsewhere.errors[0]?.message).toBe(`A policy here holds for nothing; move it to ${POLICY_FILE}.`);
});

test('no text makes it throw, and what it takes has no mistake', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'spec:',
      '  rules: {a: {window: {timeZone: UTC}}}',
      '  trigger: merge',
      '--- ',
      'x: &a [*a]',
    ),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.boolean(), (lines, headed) => {
      const { spec, errors } = load(`${headed ? head : ''}${lines.join('\n')}`);
      expect(spec === undefined).toBe(errors.length > 0);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['pinned', 1],
  ['firstUse', 0],
])('hostKeys: %s leaves %i mistakes where a server has no key', (hostKeys, mistakes) => {
  const servers = '{apiVersion: doaas/v1, kind: Server, metadata: {name: new}, spec: {address: new.test}}\n';
  const files = new Map([
    ['servers.yaml', bytes(servers)],
    [POLICY_FILE, bytes(`${head}spec: {hostKeys: ${hostKeys}}\n`)],
  ]);
  const checked = checkRepository(files);
  expect(checked.errors).toEqual([]);
  expect(checked.unpinned.map(({ name }) => name)).toEqual(['new']);
  expect(errorsByOwnPolicy(checked)).toHaveLength(mistakes);
});
