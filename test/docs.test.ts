import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { doaas } from '../engine/cli/testing.ts';
import { anchorsOf, committedFiles, ROOT, read, sources } from './architecture/sources.ts';

const pages = committedFiles().filter((path) => path.endsWith('.md') && !path.includes('/golden/'));

/** Without fenced blocks and code spans, where brackets mean something else. */
function prose(text: string): string {
  return text.replaceAll(/^ *```.*?^ *```$/gms, '').replaceAll(/`[^`\n]*`/g, '');
}

describe.each(pages)('%s', (page) => {
  test('links to what is there', () => {
    const links = [...prose(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const inside = links.filter((link) => !/^[a-z]+:/.test(link));
    const dead = inside.filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    });
    expect(dead).toEqual([]);
  });

  test('names files and folders of the repository that are there', () => {
    const spans = [
      ...read(page).matchAll(
        /`((?:engine|workflows|schemas|lab|test|bench|scripts|docs|examples)\/[\w./-]*)`/g,
      ),
    ];
    expect(spans.map(([, path = '']) => path).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

describe.each(['docs/security.md', 'docs/upgrading.md'])('what %s promises', (page) => {
  const rows = [...read(page).matchAll(/^\| promise \| test \|\n\|[-|]+\|\n((?:\|.*\n)+)/gm)].flatMap(
    ([, text = '']) => text.trim().split('\n'),
  );
  test('is in tables', () => {
    expect(rows.length).toBeGreaterThan(3);
  });

  test.each(rows)('%s', (row) => {
    const cell = row.split(' | ').at(-1) ?? '';
    // a command is no test
    const tests = [...cell.matchAll(/`([^`\s]+)`/g)].map(([, path = '']) => path);
    expect(tests.length).toBeGreaterThan(0);
    expect(
      tests.filter((path) => !/\.(test|suite)\.ts$/.test(path) || !existsSync(join(ROOT, path))),
    ).toEqual([]);
  });
});

test('docs/architecture.md names constants of the code', () => {
  const code = sources()
    .map(({ text }) => text)
    .join('\n');
  const named = [...read('docs/architecture.md').matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`/g)];
  const names = named.map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => !code.includes(name))).toEqual([]);
});

describe('the YAML that pages show is valid', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'doaas-docs-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  };
  const SERVER = `apiVersion: doaas/v1
kind: Server
metadata: { name: web-1, labels: { role: web } }
spec: { address: 192.0.2.1, hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFqCmXnAe7Cdc7Wb6W+H/nTDsXGKWpzES5maJAdk8KHD" }
`;
  const HEAD = `apiVersion: doaas/v1
kind: Configuration
metadata: { name: shown }
spec:
  targets: { all: true }
`;
  /** A document, or what belongs under its `spec:`; with the files that it names. */
  const validate = async (block: string) => {
    const whole = block.includes('apiVersion:') ? block : `${HEAD}${block.replaceAll(/^(?=.)/gm, '  ')}`;
    await put('servers.yaml', SERVER);
    await put('shown.yaml', whole);
    for (const [, path = ''] of whole.matchAll(/\b(?:source|template|key): ([\w./-]+)/g))
      await put(path, path.endsWith('.asc') ? KEY : '[Service]\nExecStart=/bin/true\n');
    return doaas(['validate', dir]);
  };
  const KEY = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n';

  const shown = [
    'README.md',
    'docs/from-ansible.md',
    'docs/firewall.md',
    'docs/hardening.md',
    'docs/patches.md',
  ].flatMap((page) =>
    [...read(page).matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => [page, text] as const),
  );
  test.each(shown)('%s, block %#', async (_page, block) => {
    expect(await validate(block)).toMatchObject({ status: 0, stderr: '' });
  });
});

test('the Node that is needed is the same one wherever it is named', () => {
  const { engines } = JSON.parse(read('package.json')) as { readonly engines: { readonly node: string } };
  const needed = engines.node.replace('>=', '');
  const checked = /NODE_NEEDED='([\d.]+)'/.exec(read('scripts/install.sh'))?.[1];
  const told = pages.flatMap((page) =>
    [...read(page).matchAll(/Node ([\d.]+\d) or newer/g)].map(([, version]) => `${page}: ${version}`),
  );
  expect(checked).toBe(needed);
  expect(told.length).toBeGreaterThan(1);
  expect(told.filter((each) => !each.endsWith(`: ${needed}`))).toEqual([]);
});
