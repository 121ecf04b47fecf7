/**
 * Draws docs/images/pull-request.png: pull requests on three lab servers, played with the real engine, and their checks
 * and comments as GitHub shows them. Needs what the lab needs, and the Debian packages chromium, fonts-inter and
 * fonts-jetbrains-mono: `npx tsx scripts/picture/draw.ts`.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GOOD, SHOP_CONF } from '../../lab/demo/repository.ts';
import { until } from '../../test/until.ts';
import { serverYaml, startWorld, type World } from '../../test/world.ts';
import { pageHtml, type Scene, type ShownCheck, WIDTH } from './page.ts';

const OUTPUT = fileURLToPath(new URL('../../docs/images/pull-request.png', import.meta.url));
/** Of an apply that downloads packages, seconds. */
const APPLY_SECONDS = 300;
/** Device pixels per CSS pixel. */
const SCALE = 2;
const run = promisify(execFile);

interface Change {
  readonly branch: string;
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
}

const GZIP: Change = {
  branch: 'gzip',
  title: 'Compress what the shop sends',
  files: {
    'files/shop.conf': SHOP_CONF.replace('}', '  gzip on;\n  gzip_types text/css application/json;\n}'),
  },
};
/** The probe still asks port 8080. */
const PORT: Change = {
  branch: 'port',
  title: 'Move the shop to port 8081',
  files: { 'files/shop.conf': SHOP_CONF.replace('8080', '8081') },
};

async function play(world: World): Promise<readonly Scene[]> {
  const first = await propose(world, GOOD);
  await apply(world, first);
  await world.mergedSoon(first.number, first.sha);
  const good = await propose(world, GZIP);
  const planned = await look(world, good, /Waiting for:\*\* one approving/);
  const asked = await apply(world, good);
  await world.mergedSoon(good.number, good.sha);
  const applied = await look(world, good, /^### Applied/m);
  const bad = await propose(world, PORT);
  await apply(world, bad);
  const failed = await look(world, bad, /restored as before/);
  const approved = { kind: 'approved', by: world.github.accounts.reviewer.login } as const;
  const request = { kind: 'comment', by: planned.author, markdown: asked } as const;
  return [
    { ...planned, caption: 'What the reviewer finds, a moment after the pull request was opened:' },
    {
      ...applied,
      continued: true,
      caption: 'After a review and /doaas apply it is on all three servers, verified, and merged:',
      timeline: [approved, request],
      end: { kind: 'merged', by: 'doaas' },
    },
    {
      ...failed,
      caption:
        'Another one was valid and approved, but its health probe fails. The canary is put back, the others were never touched:',
    },
  ];
}

type Opened = Change & { readonly number: number; readonly sha: string };

async function propose(world: World, change: Change): Promise<Opened> {
  const sha = await world.github.branchWithChanges(world.repo, change.branch, change.files);
  const number = await world.github.openPullRequest(world.repo, change);
  await world.check(sha, 'doaas/plan', { conclusion: 'success' });
  return { ...change, number, sha };
}

/** Resolves to what was said, once the apply has ended. */
async function apply(world: World, { number, sha }: Opened): Promise<string> {
  const asked = '/doaas apply';
  await world.approve(number);
  await world.say(number, asked);
  await world.check(sha, 'doaas/apply', { seconds: APPLY_SECONDS });
  return asked;
}

async function look(world: World, { number, sha, title, branch }: Opened, said: RegExp): Promise<Scene> {
  const markdown = await until(
    async () => {
      const text = await world.comment(number);
      return said.test(text) ? text : undefined;
    },
    `the comment of #${number} with ${said}`,
    APPLY_SECONDS,
    () => world.comment(number),
  );
  const comment = { kind: 'comment', by: 'doaas', markdown } as const;
  const author = world.github.accounts.author.login;
  const checks = await shownChecks(world, sha);
  return { caption: '', title, number, author, branch, timeline: [comment], checks };
}

const NAMES = ['doaas/validate', 'doaas/plan', 'doaas/apply', 'doaas/verify'];

async function shownChecks(world: World, sha: string): Promise<readonly ShownCheck[]> {
  const checks = await world.checks(sha);
  return NAMES.flatMap((name) => checks.filter((check) => check.name === name)).map(
    ({ name, conclusion, title }) => ({ name, good: conclusion === 'success', title }),
  );
}

async function draw(scenes: readonly Scene[]): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'doaas-picture-'));
  try {
    const page = join(dir, 'page.html');
    await writeFile(page, pageHtml(scenes));
    const chromium = (...args: readonly string[]) =>
      run('chromium', ['--headless', '--no-sandbox', '--hide-scrollbars', ...args, `file://${page}`]);
    const { stdout } = await chromium('--dump-dom', `--window-size=${WIDTH},1000`);
    const height = /data-height="(\d+)"/.exec(stdout)?.[1];
    if (height === undefined) throw new Error('chromium did not lay the page out');
    await chromium(
      `--screenshot=${OUTPUT}`,
      `--window-size=${WIDTH},${height}`,
      `--force-device-scale-factor=${SCALE}`,
    );
  } finally {
    await rm(dir, { recursive: true });
  }
}

const world = await startWorld({
  hosts: ['web-1', 'web-2', 'web-3'],
  lab: 'picture',
  repository: 'infra',
  files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
  progress: (line) => console.log(line),
});
try {
  await draw(await play(world));
  console.log(`drawn: ${OUTPUT}`);
} finally {
  await world.close();
}
