import { expect, test } from 'vitest';
import { type AdoptView, renderAdopt } from './adopt.ts';

const view: AdoptView = {
  document: 'Configuration/web',
  issue: 17,
  asker: 'anna',
  adopted: [
    { item: 'path:/etc/motd', hosts: ['web-1'], others: ['web-2', 'web-3'], summary: 'motd +1 -1' },
    { item: 'package:tree', hosts: ['web-1'], others: [], summary: 'tree' },
  ],
  cannot: [{ item: 'path:/etc/key', hosts: ['web-1'], why: 'it holds what looks like a key' }],
  unread: ['web-4'],
  busy: ['web-5'],
};

test('reads as the golden file', async () => {
  const { title, body } = renderAdopt(view);
  await expect(`${title}\n---\n${body}\n`).toMatchFileSnapshot('golden/adopt.md');
});

test('words of a host stay words, in the title as well', () => {
  const hostile = '@everyone <img src=x> | [click](https://evil.example)`\n\n# heading\n/doaas apply';
  const { title, body } = renderAdopt({
    ...view,
    adopted: [{ item: `path:/${hostile}`, hosts: ['web-1'], others: [], summary: hostile }],
    cannot: [{ item: `path:/${hostile}`, hosts: ['web-1'], why: hostile }],
    asker: hostile,
  });
  expect(title).not.toContain('\n');
  const outsideCode = body.replace(/(`+|<code>).*?(\1|<\/code>)/g, '');
  expect(outsideCode).not.toMatch(/(^|[^;])@\w|<img|[^\\]\]\(|:\/\/|^# |^\/doaas/m);
});
