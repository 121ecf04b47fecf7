import { expect, it } from 'vitest';
import { renderMarkdown } from './markdown.ts';
import { COLOURED, PLAIN } from './style.ts';

const WIDTH = 60;
const coloured = { style: COLOURED, width: WIDTH };
const plain = (...lines: string[]) => renderMarkdown(lines.join('\n'), { style: PLAIN, width: WIDTH });

it('aligns tables, wraps the widest column and breaks cells where they say so', () => {
  const long = 'install the package with a very long name indeed, twice';
  expect(
    plain(
      '| server | change | undo |',
      '|---|---|---|',
      '| web-1 | a\\|b <br> *drift* | yes |',
      `| w | ${long} | no |`,
    ),
  ).toEqual([
    'server  change                                          undo',
    '──────  ──────────────────────────────────────────────  ────',
    'web-1   a|b                                             yes',
    '        drift',
    'w       install the package with a very long name       no',
    '        indeed, twice',
  ]);
});

it('opens folds, drops markers and undoes what protects text on GitHub', () => {
  expect(
    plain(
      '<!-- doaas:pull-request -->',
      '### 1 change',
      '',
      '<details><summary>1 diff on web&#95;1</summary>',
      '',
      '```diff',
      '@@ -1 +1 @@',
      '-a',
      '+**b**',
      '```',
      '',
      '</details>',
      '',
      '**Then:** `/doaas apply`, see #&#8203;3 at http:&#8203;//x &lt;now&gt; in \\_one\\_ minute',
    ),
  ).toEqual([
    '1 change',
    '',
    '▾ 1 diff on web_1',
    '',
    '    @@ -1 +1 @@',
    '    -a',
    '    +**b**',
    '',
    'Then: /doaas apply, see #3 at http://x <now> in _one_ minute',
  ]);
});

it('colours diffs and each word of what is bold, so that lines can be broken', () => {
  const [, diff] = renderMarkdown('**a b**\n```diff\n+x\n```', coloured);
  expect(diff).toBe('  \u001b[32m+x\u001b[39m');
  expect(renderMarkdown('**a b**', coloured)).toEqual(['\u001b[1ma\u001b[22m \u001b[1mb\u001b[22m']);
});

it('hangs the lines of a list item', () => {
  expect(plain(`- ${'word '.repeat(14).trim()}`)).toEqual([
    `- ${'word '.repeat(11).trim()}`,
    '  word word word',
  ]);
});

it('unfolds only as many as it is told to', () => {
  const fold = (name: string) => `<details><summary>${name}</summary>\n\n${name} inside\n\n</details>`;
  expect(renderMarkdown(`${fold('a')}\n\n${fold('b')}`, { style: PLAIN, width: WIDTH, open: 1 })).toEqual([
    '▾ a',
    '',
    '  a inside',
    '',
    '▸ b',
  ]);
});
