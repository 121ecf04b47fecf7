import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import { CONTRACT, LAYERS, PURE_NODE, PURE_PACKAGES } from './architecture/layers.ts';
import {
  committedFiles,
  folderOf,
  type Import,
  importsOf,
  isForTests,
  ROOT,
  read,
  type Source,
  sources,
} from './architecture/sources.ts';

const all = sources();
const code = all.filter((source) => !isForTests(source));
const inFolder = (folder: string): readonly Source[] =>
  code.filter((source) => folderOf(source.path) === folder);

/** One line for each broken import: a rule names what it looked at and why it is wrong. */
function broken(
  from: readonly Source[],
  problem: (found: Import, source: Source) => string | undefined,
): string[] {
  return from.flatMap((source) =>
    source.imports.flatMap((found) => {
      const why = problem(found, source);
      return why === undefined ? [] : [`${source.path} imports ${found.target}: ${why}`];
    }),
  );
}

const isOurs = ({ target }: Import): boolean => target.endsWith('.ts') || target.endsWith('.json');

test('every form of import is seen', () => {
  const text = [
    "import a from 'x';",
    "import type { B } from './b.ts';",
    "import {\n  type C,\n  d as e,\n} from '../c/d.ts';",
    "import 'node:fs';",
    "export { f } from './f.ts';",
    "const g = await import('../g.ts');",
  ].join('\n');
  expect(importsOf('engine/spec/load.ts', text)).toEqual([
    { target: 'x', typeOnly: false, names: [] },
    { target: 'engine/spec/b.ts', typeOnly: true, names: ['B'] },
    { target: 'engine/c/d.ts', typeOnly: false, names: ['C', 'd'] },
    { target: 'node:fs', typeOnly: false, names: [] },
    { target: 'engine/spec/f.ts', typeOnly: false, names: ['f'] },
    { target: 'engine/g.ts', typeOnly: false, names: [] },
  ]);
  expect(code.length).toBeGreaterThan(100);
});

describe('imports point one way', () => {
  const assembling = [
    'engine/activities',
    'engine/cli',
    'engine/compose.ts',
    'engine/main.ts',
    'engine/worker.ts',
  ];

  test('every folder of the engine has its place', () => {
    const folders = new Set(
      code.map(({ path }) => folderOf(path)).filter((folder) => folder.startsWith('engine/')),
    );
    expect([...folders].filter((folder) => !(folder in LAYERS) && !assembling.includes(folder))).toEqual([]);
  });

  test.each(Object.entries(LAYERS))('%s', (folder, layer) => {
    const mine = inFolder(folder);
    expect(mine.length).toBeGreaterThan(0);
    const wrong = broken(mine, (found) => {
      const target = folderOf(found.target);
      if (!isOurs(found) || target === folder || layer.values.includes(target)) return undefined;
      if (found.typeOnly && (layer.types.includes(target) || found.target === CONTRACT)) return undefined;
      return layer.types.includes(target) ? 'only its types may be imported' : 'not below it';
    });
    expect(wrong).toEqual([]);
  });

  test.each(['engine/activities', 'engine/cli', 'engine/worker.ts'])(
    '%s imports nothing that imports it',
    (folder) => {
      const above = [
        'engine/compose.ts',
        'engine/main.ts',
        ...(folder === 'engine/cli' ? [] : ['engine/cli']),
      ];
      expect(
        broken(inFolder(folder), ({ target }) => (above.includes(folderOf(target)) ? 'above it' : undefined)),
      ).toEqual([]);
    },
  );

  test('only the command line knows the lab; the lab knows the engine in the demo only', () => {
    const engine = code.filter(({ path }) => path.startsWith('engine/') && !path.startsWith('engine/cli/'));
    const lab = code.filter(({ path }) => path.startsWith('lab/') && !path.startsWith('lab/demo/'));
    expect(
      broken(engine, ({ target }) =>
        /^(lab|test|bench|scripts)\//.test(target) ? 'not part of the engine' : undefined,
      ),
    ).toEqual([]);
    expect(
      broken(lab, ({ target }) =>
        target.startsWith('engine/') ? 'it looks at hosts from outside' : undefined,
      ),
    ).toEqual([]);
  });

  test('what runs imports nothing that is only for tests', () => {
    expect(
      broken(code, ({ target }) =>
        isForTests({ path: target }) && !isOurTestTool(target) ? 'for tests' : undefined,
      ),
    ).toEqual([]);
  });

  test('no module imports itself, however far around', () => {
    const values = new Map(
      code.map(({ path, imports }) => [
        path,
        imports.filter((i) => !i.typeOnly && i.target.endsWith('.ts')).map((i) => i.target),
      ]),
    );
    expect(cycleIn(values)).toEqual([]);
  });
});

/** scripts/ start the tests, and benchmarks share their harness. */
function isOurTestTool(target: string): boolean {
  return target.startsWith('test/');
}

/** The first cycle that is found, as the paths along it. */
function cycleIn(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): readonly string[] => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const next of graph.get(path) ?? []) {
      const cycle = visit(next, [...way, path]);
      if (cycle.length > 0) return cycle;
    }
    done.add(path);
    return [];
  };
  for (const path of graph.keys()) {
    const cycle = visit(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

describe('pure folders', () => {
  const pure = code.filter(({ path }) => LAYERS[folderOf(path)]?.pure === true);
  /** Shell snippets of operations lie in files of their own, which are part of the program. */
  const readsOwnSnippets = ({ path, text }: Source): boolean =>
    path.startsWith('engine/operations/') &&
    [...text.matchAll(/readFileSync\(/g)].length ===
      [...text.matchAll(/readFileSync\(new URL\('\.\/[\w-]+\.sh', import\.meta\.url\), 'utf8'\)/g)].length;

  test('use no Node module but pure functions, and only pure packages', () => {
    const wrong = broken(pure, (found, source) => {
      if (isOurs(found) || found.typeOnly || PURE_PACKAGES.includes(found.target)) return undefined;
      const allowed = PURE_NODE[found.target] ?? [];
      if (found.names.length > 0 && found.names.every((name) => allowed.includes(name))) return undefined;
      if (found.target === 'node:fs' && found.names.join() === 'readFileSync' && readsOwnSnippets(source))
        return undefined;
      return 'not pure';
    });
    expect(wrong).toEqual([]);
  });

  test('ask no clock, no chance, no environment and no network', () => {
    const impure =
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.|\bfetch\(|\bsetTimeout\(|\bsetInterval\(|\brandomUUID\(/;
    expect(pure.filter(({ text }) => impure.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

describe('workflows', () => {
  const workflows = inFolder('workflows');

  test('import only Temporal, each other, and types of the engine', () => {
    expect(workflows.length).toBeGreaterThan(3);
    const wrong = broken(workflows, ({ target, typeOnly }) => {
      if (target === '@temporalio/workflow' || folderOf(target) === 'workflows') return undefined;
      return typeOnly && target.startsWith('engine/') ? undefined : 'breaks determinism';
    });
    expect(wrong).toEqual([]);
  });

  test('have no mutable module state', () => {
    const mutable = workflows.filter(({ text }) => /^(export\s+)?(let|var)\s/m.test(text));
    expect(mutable.map(({ path }) => path)).toEqual([]);
  });

  // 1.5 s alone; its neighbours may hold both processors.
  test('can be bundled', { timeout: 120_000 }, async () => {
    const workflowsPath = fileURLToPath(new URL('../workflows/all.ts', import.meta.url));
    const { code: bundle } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
    expect(bundle).toContain('pullRequest');
  });
});

describe('the language', () => {
  const matching = (pattern: RegExp): readonly string[] =>
    all
      .filter(({ path, text }) => !path.endsWith('architecture.test.ts') && pattern.test(text))
      .map(({ path }) => path);

  test.each([
    ['any', /(?::|\bas|<|\||,)\s*any\b(?!\s+\w)/, 'const a: any = 1;'],
    ['enums', /^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s+\w+/m, 'export const enum A {}'],
    ['exports of everything', /^\s*export\s+\*/m, "export * from './a.ts';"],
    ['switched-off type checks', /@ts-(?:ignore|nocheck|expect-error)/, '// @ts-ignore'],
    ['tests that only run alone', /\b(?:test|it|describe)\.only\b/, "test.only('a', f);"],
  ])('has no %s', (_name, pattern, example) => {
    expect(example).toMatch(pattern);
    expect(matching(pattern)).toEqual([]);
  });
});

describe('records of a repository', () => {
  test('stand under the name that a rename does not change', () => {
    const wrong = code
      .filter(({ path }) => path.startsWith('engine/activities/') || path.startsWith('engine/drift/'))
      .filter(({ path }) => /\bowner\}\/\$\{[\w.]*name\}/.test(read(path)))
      .map(({ path }) => `${path}: recordName of engine/github/workflowIds.ts gives it`);
    expect(wrong).toEqual([]);
  });
});

describe('files', () => {
  /** Lines. A longer one is a question of design (docs/architecture.md), not of style. */
  const LINES_MAX = 300;
  /** A list of cases reads well beyond that. */
  const TEST_LINES_MAX = 500;
  const isCode = (path: string): boolean => /\.(ts|sh)$/.test(path) && !path.endsWith('.generated.ts');

  test('are not too long', () => {
    const long = committedFiles()
      .filter(isCode)
      .map((path) => ({ path, lines: read(path).split('\n').length - 1 }))
      .filter(({ path, lines }) => lines > (isForTests({ path }) ? TEST_LINES_MAX : LINES_MAX));
    expect(long).toEqual([]);
  });

  test('lock every package by its content', () => {
    const lock: { packages: Record<string, { integrity?: string }> } = JSON.parse(read('package-lock.json'));
    const open = Object.entries(lock.packages).filter(([path, entry]) => path !== '' && !entry.integrity);
    const hint = 'npm install --package-lock-only with an empty cache fetches what is missing';
    expect(
      open.map(([path]) => path),
      hint,
    ).toEqual([]);
  });

  test('name no package registry and no place of the machine they were written on', () => {
    const registries = [
      ['registry', 'npmjs', 'org'],
      ['registry', 'yarnpkg', 'com'],
      ['files', 'pythonhosted', 'org'],
      ['pypi', 'org'],
      ['proxy', 'golang', 'org'],
      ['deb', 'debian', 'org'],
      ['archive', 'ubuntu', 'com'],
    ].map((parts) => parts.join('.'));
    const own = process.env.npm_config_registry;
    const hosts = own === undefined ? registries : [...registries, new URL(own).host];
    const places = [ROOT.replace(/\/$/, '')].filter((place) => place.split('/').length > 2);
    const found = committedFiles().flatMap((path) => {
      const text = read(path);
      return [...hosts, ...places].filter((word) => text.includes(word)).map((word) => `${path}: ${word}`);
    });
    expect(found).toEqual([]);
  });
});
