import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutMarkdown, cutText } from './cut.ts';
import { code, fence, folded, oneLine, prose, table, visible } from './escape.ts';
import { render } from './render.ts';
import { hostPlan, plan, planView, step } from './testing.ts';

describe('prose', () => {
  test.each([
    ['a | b', 'a \\| b'],
    ['@ops please', '@&#8203;ops please'],
    ['<img src=x>', '&lt;img src=x&gt;'],
    ['[click](http://evil)', '\\[click\\](http:&#8203;//evil)'],
    ['![x](y)', '\\!\\[x\\](y)'],
    ['see #12 and GH-7', 'see #&#8203;12 and GH-&#8203;7'],
    ['www.evil.example', 'www&#8203;.evil.example'],
    ['`code` *bold* _it_', '\\`code\\` \\*bold\\* \\_it\\_'],
    ['&#64;ops', '&amp;#&#8203;64;ops'],
    ['# heading', '\\# heading'],
    ['- item', '\\- item'],
    ['1. item', '1\\. item'],
    ['two\nlines', 'two lines'],
    ['nginx.conf +2 -1', 'nginx.conf +2 -1'],
    ['back\\slash', 'back\\\\slash'],
  ])('%j', (text, expected) => {
    expect(prose(text)).toBe(expected);
  });
});

test.each([
  ['plain', '`plain`'],
  ['a`b', '``a`b``'],
  ['`', '`` ` ``'],
  ['a|b', '<code>a&#124;b</code>'],
  ['a\\|<b>`', '<code>a&#92;&#124;&lt;b&gt;&#96;</code>'],
  ['', '` `'],
  ['@ops\n<b>', '`@ops <b>`'],
])('code %j', (text, expected) => {
  expect(code(text)).toBe(expected);
});

test('what cannot be seen is shown', () => {
  expect(visible('a\u202eb\u200bc\u0007d\u2066e\u00adf\u{e0041}')).toBe(
    'a\\u{202e}b\\u{200b}c\\u{7}d\\u{2066}e\\u{ad}f\\u{e0041}',
  );
  expect(visible('tab\tand\r\nline, ümläut, 日本')).toBe('tab\tand\nline, ümläut, 日本');
});

test('a fence is longer than any within', () => {
  expect(fence('a\n```\n</details>\n````x')).toBe('`````text\na\n```\n</details>\n````x\n`````');
});

test('a folded title cannot leave its tag', () => {
  expect(folded('</summary><b>@ops `x`', 'body')).toContain(
    '<summary>&lt;/summary&gt;&lt;b&gt;@&#8203;ops &#96;x&#96;</summary>',
  );
});

/** Pieces of markdown that do harm, mixed with anything. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '|',
        '\n',
        '`',
        '```',
        '@ops',
        '<b>',
        '</details>',
        '\\',
        '](http://x)',
        '#1',
        '![',
        '-->',
        '<!--',
        '\u202e',
      ),
      fc.string({ unit: 'binary' }),
    ),
  )
  .map((parts) => parts.join(''));

test('hostile text stays in its cell', () => {
  fc.assert(
    fc.property(hostile, hostile, (a, b) => {
      const row = table(['x', 'y'], [[prose(a), code(b)]])
        .split('\n')
        .slice(2);
      expect(row).toHaveLength(1);
      expect(
        row
          .join()
          .replace(/\\\\|\\\|/g, '')
          .match(/\|/g),
      ).toHaveLength(3);
    }),
  );
});

test('hostile text forges no HTML, mention or URL', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      expect(prose(text)).not.toMatch(/[<>]|@\w|:\/\//);
    }),
  );
});

test('a hostile diff stays in its fence, in a whole comment', () => {
  fc.assert(
    fc.property(hostile, hostile, (diff, summary) => {
      const { body } = render(
        planView({ plan: plan(hostPlan('web-1', [step({ diff: `+${diff}`, summary })])) }),
      );
      const open = /^(`{3,})diff$/m.exec(body);
      const rest = body.slice((open?.index ?? 0) + (open?.[0].length ?? 0));
      const close = rest
        .split('\n')
        .findIndex(
          (line, i) =>
            i > 0 && /^ {0,3}`{3,}\s*$/.test(line) && line.trim().length >= (open?.[1]?.length ?? 3),
        );
      expect(
        rest
          .split('\n')
          .slice(close + 1)
          .join('\n'),
      ).toMatch(/^\n<\/details>\n\n\*\*Waiting for:\*\*/);
    }),
  );
});

describe('cutMarkdown', () => {
  const note = 'cut; the whole: `doaas plan show 7f3a`';

  test('leaves what fits', () => {
    expect(cutMarkdown('short', 100, note)).toBe('short');
  });

  test('closes the fence and the details that are open', () => {
    const text = `<details><summary>x</summary>\n\n\`\`\`\`diff\n${'+line\n'.repeat(100)}\`\`\`\`\n\n</details>`;
    const cut = cutMarkdown(text, 300, note);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(300);
    expect(cut).toMatch(/\+line\n````\n\n<\/details>\n\n\*cut; the whole: `doaas plan show 7f3a`\*\n$/);
  });

  /** What a reader's Markdown would still have open at the end. */
  const leftOpen = (text: string): string[] => {
    const open: string[] = [];
    for (const line of text.split('\n')) {
      const ticks = /^`{3,}/.exec(line)?.[0] ?? '';
      const fenced = open.at(-1)?.startsWith('`') === true;
      if (fenced) {
        if (line === ticks && ticks.length >= (open.at(-1)?.length ?? 0)) open.pop();
      } else if (ticks !== '') open.push(ticks);
      else if (line.startsWith('<details>')) open.push('details');
      else if (line === '</details>') open.pop();
    }
    return open;
  };

  test('leaves nothing open, wherever a plan is cut and whatever its servers say', () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 6 }), fc.nat(1000), (diffs, at) => {
        const steps = diffs.map((diff, i) => step({ id: `s${i}`, summary: diff, diff: `+${diff}\n+more\n` }));
        const { body } = render(
          planView({ plan: plan(hostPlan('web-1', steps), hostPlan('web-2', [step()])) }),
        );
        expect(leftOpen(body)).toEqual([]);
        const max = 200 + Math.floor((at / 1000) * Buffer.byteLength(body));
        const cut = cutMarkdown(body, max, note);
        expect(leftOpen(cut)).toEqual([]);
        expect(cut === body || cut.endsWith(`*${note}*\n`)).toBe(true);
      }),
    );
  });

  test('a name in a code span opens and closes nothing', () => {
    const text = `<details><summary>x</summary>\n\n- \`</details>\` \`<details>\`\n${'- line\n'.repeat(100)}\n</details>`;
    expect(cutMarkdown(text, 300, note)).toMatch(/- line\n\n<\/details>\n\n\*cut/);
  });

  test('never longer than asked, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.constantFrom('```', '````x', '<details>', '</details>'), fc.string({ unit: 'binary' })),
        ),
        fc.integer({ min: 200, max: 2000 }),
        (lines, max) => {
          expect(Buffer.byteLength(cutMarkdown(lines.join('\n').repeat(5), max, note))).toBeLessThanOrEqual(
            max,
          );
        },
      ),
    );
  });
});

test('cutText keeps the bound and whole characters', () => {
  expect(cutText('Plan again and again', 10)).toBe('Plan agai…');
  expect(cutText('aaaaaaaa😀b', 10)).toBe('aaaaaaaa…');
  expect(oneLine('x'.repeat(400))).toHaveLength(300);
});
