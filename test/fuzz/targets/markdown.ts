import { cutMarkdown } from '../../../engine/github/render/cut.ts';
import { code, fence, folded, prose, table, visible } from '../../../engine/github/render/escape.ts';
import { renderComment } from '../../../engine/github/render/render.ts';
import { hostPlan, plan, planView, step } from '../../../engine/github/render/testing.ts';
import { expectTame } from '../markdown.ts';
import { HOSTILE, mutateBytes } from '../mutate.ts';
import { hold, type Target } from '../target.ts';

const CUT_TO = 3_000;

/** What a stranger wrote, for people to read. `\uXXXX` stands for that code unit, so that halves of characters occur as well. */
export const markdown: Target = {
  name: 'markdown',
  about: 'texts of strangers in checks and comments',
  seeds: () =>
    [
      'nginx.conf +2 -1',
      '| a | b |\n|---|---|\n| `x` | [y](http://canary) |',
      '```diff\n-a\n+b\n```',
      '<details><summary>x</summary>\n\ny\n\n</details>',
      'half a \\ud83d character, @canary, #1, GH-7, www.canary.example',
    ].map((text) => Buffer.from(text)),
  mutate: mutateBytes([...HOSTILE, '\\ud83d', '\\ude00', '\n\n', '`` ` ``', '\\`', '\\|', '~~~', '$$', '==']),
  check: (input) => {
    const text = input
      .toString('utf8')
      .replace(/\\u([0-9a-f]{4})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
    for (const part of [prose(text), code(text), fence(text), folded(text, prose(text)), prose(text, 20)])
      expectTame(part);
    hold(visible(visible(text)) === visible(text), 'what is shown of the invisible is invisible');
    const row = table(['a', 'b', 'c'], [[prose(text), code(text), prose(text, 20)]])
      .split('\n')
      .slice(2);
    hold(row.length === 1, 'a text leaves its row');
    hold(cells(row[0] ?? '') === 3, 'a text leaves its cell');
    const steps = [step({ summary: text, diff: `+${text}`, document: text, id: text })];
    const finding = {
      kind: 'finding',
      host: 'web-1',
      document: text,
      severity: 'warning',
      message: text,
    } as const;
    const view = planView({ plan: plan(hostPlan('web-1', steps, [finding])), waiting: [text] });
    const comment = renderComment(view, [view]);
    expectTame(comment);
    const cut = cutMarkdown(comment, CUT_TO, 'cut');
    hold(Buffer.byteLength(cut) <= CUT_TO, `cut to ${Buffer.byteLength(cut)} bytes instead of ${CUT_TO}`);
    expectTame(cut);
  },
  secondsMax: 8,
};

/** As GitHub counts them: a backslash before a pipe takes its meaning, in a code span as well (GFM, "Tables"). */
function cells(row: string): number {
  return row.replace(/\\[\\|]/g, '').split('|').length - 2;
}
