import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cpuMs } from '../../test/cpuMs.ts';
import type { PolicyMatch } from '../spec/types.generated.ts';
import { ownersOf, parseCodeowners } from './codeowners.ts';
import { matchesGlob } from './glob.ts';
import { coversAll, matchedRules } from './match.ts';
import { change, step, target } from './testing.ts';

const db = target('db-1', {
  site: 'frankfurt',
  labels: { role: 'db', env: 'prod' },
  steps: [step({ host: 'db-1', disruption: 'restart', reversible: 'no', document: 'Configuration/db' })],
});
const matches = (
  match: PolicyMatch,
  given = change({ targets: [target('web-1'), db], paths: ['db/a.yaml'] }),
) => matchedRules({ r: { match } }, given).length === 1;

test.each<readonly [PolicyMatch, boolean]>([
  [{}, true],
  [{ kinds: ['Configuration'] }, true],
  [{ kinds: ['Firewall'] }, false],
  [{ paths: ['db/**'] }, true],
  [{ paths: ['web/**'] }, false],
  [{ labels: { role: 'db' } }, true],
  [{ labels: { role: 'db', env: 'test' } }, false],
  [{ sites: ['frankfurt'] }, true],
  [{ sites: ['paris'] }, false],
  [{ disruption: ['failover', 'reboot'] }, false],
  [{ disruption: ['restart'] }, true],
  [{ reversible: ['no'] }, true],
  [{ reversible: ['best-effort'] }, false],
  [{ hostsAtLeast: 2 }, true],
  [{ hostsAtLeast: 3 }, false],
  // all of it must be true of one server
  [{ labels: { role: 'web' }, disruption: ['restart'] }, false],
  [{ labels: { role: 'db' }, disruption: ['restart'], hostsAtLeast: 2 }, false],
  [{ paths: ['db/**'], labels: { role: 'web' } }, true],
  [{ paths: ['db/**'], labels: { role: 'mail' } }, false],
])('%j', (match, wanted) => {
  expect(matches(match)).toBe(wanted);
});

/** `db-1` becomes `role: web`, with steps or without. */
const relabelled = (steps: Parameters<typeof step>[0][] = []) =>
  target('db-1', {
    labels: { role: 'web', env: 'prod' },
    before: db.now,
    moved: true,
    steps: steps.map((given) => step({ host: 'db-1', ...given })),
  });

test.each<readonly [string, PolicyMatch, ReturnType<typeof target>, boolean]>([
  ['its old label', { labels: { role: 'db' } }, relabelled([{}]), true],
  ['its new label', { labels: { role: 'web' } }, relabelled([{}]), true],
  ['one label of each', { labels: { role: 'web' }, sites: ['frankfurt'] }, relabelled([{}]), false],
  ['its old site and label', { labels: { role: 'db' }, sites: ['frankfurt'] }, relabelled([{}]), true],
  ['its old label, without a step', { labels: { role: 'db' } }, relabelled(), true],
  ['what it would do next', { labels: { role: 'db' }, disruption: ['restart'] }, relabelled(), true],
  ['files that it would touch next', { labels: { role: 'db' }, paths: ['db/**'] }, relabelled(), true],
  [
    'what it keeps, and does not do',
    { labels: { env: 'prod' }, disruption: ['restart'] },
    relabelled(),
    false,
  ],
  ['what no rule loses', { disruption: ['restart'] }, relabelled(), false],
  ['documents of servers', { kinds: ['Server'] }, relabelled(), true],
  ['documents of servers that stay', { kinds: ['Server'] }, db, false],
  ['one that is dropped', { labels: { role: 'db' } }, { ...relabelled(), now: [] }, true],
])('a server that is moved matches by %s: %j', (_name, match, moved, wanted) => {
  expect(matches(match, change({ targets: [moved], paths: ['servers.yaml'] }))).toBe(wanted);
});

test.each<readonly [string, PolicyMatch, ReturnType<typeof target>, boolean]>([
  ['what it was and will be', { labels: { env: 'prod' } }, relabelled([{}]), true],
  ['only what it will be', { labels: { role: 'web' } }, relabelled([{}]), false],
  ['only what it was', { labels: { role: 'db' } }, relabelled([{}]), false],
  ['only what it will be, without a step', { labels: { role: 'web' } }, relabelled(), false],
  ['a disruption, which a move is none of', { disruption: ['none'] }, relabelled(), false],
  ['another kind', { kinds: ['Configuration'] }, relabelled([{}]), false],
  ['everything', {}, relabelled([{}]), true],
])('a rule relaxes for a server that is moved by %s: %j', (_name, match, moved, wanted) => {
  expect(coversAll(match, change({ targets: [moved] }))).toBe(wanted);
});

test('names of the prototype are no labels', () => {
  expect(matches({ labels: { constructor: 'x' } })).toBe(false);
});

test.each([
  ['db/**', 'db/a/b.yaml', true],
  ['db/**', 'db', true],
  ['db/*', 'db/a/b', false],
  ['**/b.yaml', 'b.yaml', true],
  ['**/b.yaml', 'a/c/b.yaml', true],
  ['a/**/z', 'a/z', true],
  ['a/**/z', 'a/b/c/z', true],
  ['*.yaml', 'a.yaml', true],
  ['*.yaml', 'x/a.yaml', false],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['a.c', 'abc', false],
  ['**', 'any/thing', true],
])('glob %s on %s: %s', (pattern, path, wanted) => {
  expect(matchesGlob(pattern, path)).toBe(wanted);
});

test('a glob agrees with the plain definition, and ends soon', () => {
  const segment = fc.stringMatching(/^[ab]{0,3}$/);
  const wild = fc.oneof(fc.constantFrom('*', '**', 'a*', '*b', '?'), segment);
  const list = (part: fc.Arbitrary<string>) => fc.array(part, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(list(wild), list(segment), (pattern, path) => {
      expect(matchesGlob(pattern.join('/'), path.join('/'))).toBe(plain(pattern, path));
    }),
  );
  const hostile = Array.from({ length: 80 }, () => '**/a*a*a*').join('/');
  expect(
    cpuMs(() => {
      matchesGlob(hostile, Array.from({ length: 200 }, () => 'a'.repeat(20)).join('/'));
    }),
  ).toBeLessThan(1_000);
});

function plain(pattern: readonly string[], path: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return path.length === 0;
  if (first === '**') return plain(rest, path) || (path.length > 0 && plain(pattern, path.slice(1)));
  if (path[0] === undefined) return false;
  const source = first.replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(path[0]) && plain(rest, path.slice(1));
}

// examples of docs.github.com, "About code owners"
const OWNERS = `
# comment
*       @global-owner1 @global-owner2
*.js    @js-owner # inline
/build/logs/ @doctocat
docs/*  docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octo
/apps/github
!/not @x
`;

test.each([
  ['README', '@global-owner1 @global-owner2'],
  ['src/a.js', '@js-owner'],
  ['build/logs/x/y', '@octo'],
  ['x/apps/a', '@octocat'],
  ['docs/a', '@doctocat'],
  ['x/logs/deep/file', '@octo'],
  ['apps/github', ''],
  ['apps/github/deep', ''],
])('the owners of %s are %s', (path, owners) => {
  expect(ownersOf(parseCodeowners(OWNERS) ?? [], path).join(' ')).toBe(owners);
});

test('docs/* names only the files of that folder', () => {
  const lines = parseCodeowners('docs/* @a') ?? [];
  expect([ownersOf(lines, 'docs/x'), ownersOf(lines, 'docs/x/y'), ownersOf(lines, 'a/docs/x')]).toEqual([
    ['@a'],
    [],
    [],
  ]);
});

test.each([
  ['/customer\\ data/ @dba', 'customer data/a.sql', '@dba'],
  ['/customer\\ data/ @dba', 'customer/a.sql', '@all'],
  ['a\\ b\\\tc.sql\t@dba @x', 'deep/a b\tc.sql', '@dba @x'],
  ['/a\\ #b @dba # why', 'a #b', '@dba'],
  // what is escaped is meant as it stands, also where it would be a wild card
  ['/\\*.sql @dba', '*.sql', '@dba'],
  ['/\\*.sql @dba', 'a.sql', '@all'],
  ['/\\?.sql @dba', '?.sql', '@dba'],
  ['/\\?.sql @dba', 'a.sql', '@all'],
  ['/\\*\\*/x @dba', 'a/x', '@all'],
  ['/db/\\* @dba', 'db/*/deep', '@dba'],
  ['/\\!x @dba', '!x', '@dba'],
  ['\\!x @dba', 'a/!x', '@dba'],
  ['/d\\b\\/*.sql @dba', 'db/a.sql', '@dba'],
  ['/a\\\\/ @dba', 'a\\/x', '@dba'],
  ['/a\\\\ b @dba', 'a\\', 'b @dba'],
  // GitHub wants brackets escaped, and leaves a line out where they are not
  ['/app/\\[id\\]/ @dba', 'app/[id]/x', '@dba'],
  ['/app/\\[id\\]/ @dba', 'app/i/x', '@all'],
  ['/app/\\[id]/ @dba', 'app/[id]/x', '@all'],
  ['/app/\\\\[id\\] @dba', 'app/\\[id]', '@all'],
  // an escape of nothing matches nothing; `\#` begins no pattern on GitHub either
  ['/a\\', 'a', '@all'],
  ['/a\\', 'a\\', '@all'],
  ['\\#x @dba', '#x', '@all'],
])('by `%s` the owners of %j are %s', (line, path, owners) => {
  expect(ownersOf(parseCodeowners(`* @all\n${line}`) ?? [], path).join(' ')).toBe(owners);
});

test('a backslash in the paths of a rule stands for itself', () => {
  expect([matchesGlob('a\\*', 'a\\b'), matchesGlob('a\\*', 'a*')]).toEqual([true, false]);
});

test('a CODEOWNERS of backslashes, blanks and stars is read and matched soon', () => {
  expect(
    cpuMs(() => {
      for (const hostile of ['\\', '\\ ', ' \\\\', '\\*', '*\\a']) {
        expect(parseCodeowners(hostile.repeat(100_000))?.length).toBeLessThan(2);
        const lines = parseCodeowners(`/${hostile.trimStart().repeat(500)}x @dba`) ?? [];
        ownersOf(lines, 'a'.repeat(1_000));
      }
    }),
  ).toBeLessThan(1_000);
});
