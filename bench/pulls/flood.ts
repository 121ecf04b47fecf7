import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openStore } from '../../engine/store/store.ts';
import { serverYaml, startWorld, type World } from '../../test/world.ts';
import { timed } from '../measure.ts';
import { type Memory, memoryOf, temporalBelow } from '../processes.ts';
import { progress } from '../report.ts';
import { type Peaks, type Watch, watchProcess } from './peaks.ts';

export interface Flood {
  /** Of the webhooks that told of the pull requests. */
  readonly refused: number;
  /** By success. */
  readonly planned: number;
  readonly plannedSeconds: number;
  readonly merged: number;
  readonly mergedSeconds: number;
  /** Lines that the effects left on the servers, one each. */
  readonly effects: number;
  readonly runs: number;
  readonly locksLeft: number;
  readonly engine: Memory;
  /** With no pull request, until all were planned, and until the end. */
  readonly idle: Peaks;
  readonly planning: Peaks;
  readonly all: Peaks;
  readonly temporal: Memory;
  /** Of one minute, at the end. */
  readonly load: number;
}

export interface Size {
  readonly pulls: number;
  readonly hosts: number;
  /** For the plans, and again for the merges; then what is not done is counted as it is. */
  readonly minutes: number;
}

/** Where nothing more happens for this long, nothing will. */
const STALLED_MS = 600_000;
/** A run shows its end, keeps it, and then releases. */
const RELEASED_WITHIN_MS = 60_000;
/** The lab's GitHub runs in this process and answers in one thread: looking must not keep it from the engine. */
const LOOK_EVERY_MS_MAX = 10_000;
const LOOK_EVERY_MS_EACH = 20;
const PEOPLE_AT_ONCE = 4;
/** Opened between two looks at whether somebody wants it to end. */
const PORTION = 25;

/** What the parts share. */
interface Scene {
  readonly world: World;
  readonly size: Size;
  readonly watch: Watch;
  /** Aborted by who wants it to end now. */
  readonly signal: AbortSignal;
}

/**
 * The lab's GitHub has no hourly budget, and the engine's own bound of writes is out of the way (test/engine.ts): what is
 * measured is whether the engine keeps up, and what it needs. Takes down what it started, also when `signal` ends it.
 */
export async function flood(size: Size, signal: AbortSignal): Promise<Flood> {
  const world = await startWorld({
    hosts: size.hosts,
    engine: 'process',
    // what a webhook that was refused has to wait for
    environment: { DOAAS_SWEEP_MINUTES: '1', DOAAS_DRIFT_MINUTES: '0' },
    files: (all) => ({ 'servers.yaml': serverYaml(all) }),
    progress,
    signal,
  });
  const closing: (() => void)[] = [];
  try {
    const temporal = await temporalBelow(world.engine.pid());
    if (temporal === undefined) throw new Error('the Temporal server was not found below the engine');
    const watch = watchProcess(world.engine.pid(), temporal);
    closing.push(watch.stop);
    const scene = { world, size, watch, signal };
    const idle = await watch.look();
    const opened = await openAll(scene);
    const plans = await planAll(scene, opened);
    const planning = await watch.look();
    const merges = await mergeAll(scene, opened);
    return {
      ...plans,
      ...merges,
      effects: await effectsOf(world),
      ...(await leftIn(world)),
      engine: await memoryOf(world.engine.pid()),
      idle,
      planning,
      all: await watch.look(),
      temporal: await memoryOf(temporal),
      load: loadavg()[0] ?? Number.NaN,
    };
  } finally {
    for (const close of closing) close();
    progress('taking everything down');
    await world.close();
  }
}

interface Opened {
  readonly numbers: readonly number[];
  readonly heads: readonly string[];
  /** Of the deliveries that tell of them, which nobody took yet. */
  readonly guids: readonly string[];
}

/** Opened one after the other while nobody listens, so that their webhooks can come at once. */
async function openAll({ world: { github, repo, engine }, size, signal }: Scene): Promise<Opened> {
  progress(`opening ${size.pulls} pull requests in the lab's GitHub`);
  github.webhooks.setTarget(undefined);
  const numbers: number[] = [];
  for (let at = 0; at < size.pulls; at += PORTION) {
    signal.throwIfAborted();
    const portion = Array.from({ length: Math.min(PORTION, size.pulls - at) }, (_, n) => at + n);
    numbers.push(
      ...(await github.openPullRequests(
        repo,
        portion.map((n) => changeOf(n, size.hosts)),
      )),
    );
  }
  await github.webhooks.settled();
  const opened = github.webhooks
    .all()
    .filter(({ event, action }) => event === 'pull_request' && action === 'opened');
  const heads = opened.map(({ body }) => (JSON.parse(body) as OpenedEvent).pull_request.head.sha);
  github.setWebhookUrl(`${engine.url()}/webhooks/github`);
  return { numbers, heads, guids: opened.map(({ guid }) => guid) };
}

interface OpenedEvent {
  readonly pull_request: { readonly head: { readonly sha: string } };
}

/** A script, which cannot be done twice unnoticed: each appends a line of its own on one server. */
function changeOf(n: number, hosts: number): Readonly<Record<string, string>> {
  const name = `change-${n}`;
  const document = {
    apiVersion: 'doaas/v1',
    kind: 'Configuration',
    metadata: { name },
    spec: {
      targets: { hosts: [`web-${(n % hosts) + 1}`] },
      scripts: {
        [name]: {
          check: `grep -qx ${name} /var/tmp/flood`,
          apply: `echo ${name} >> /var/tmp/flood`,
          undo: `sed -i /^${name}$/d /var/tmp/flood`,
        },
      },
    },
  };
  return { [`changes/${name}.yaml`]: `${JSON.stringify(document, undefined, 2)}\n` };
}

async function planAll(scene: Scene, { heads, guids }: Opened) {
  const { world } = scene;
  progress(`${guids.length} webhooks at once`);
  const { seconds, result } = await timed(async () => {
    const answers = await Promise.all(guids.map((guid) => world.github.webhooks.redeliver(guid)));
    const isPlanned = async (sha: string) =>
      (await world.checks(sha)).some(
        ({ name, status, conclusion }) =>
          name === 'doaas/plan' && status === 'completed' && conclusion === 'success',
      );
    const planned = await reached(scene, heads, 'planned', async (left) => {
      const there = new Set<string>();
      await inTurn(left, async (sha) => {
        if (await isPlanned(sha)) there.add(sha);
      });
      return there;
    });
    return { refused: answers.filter((status) => status !== 202).length, planned };
  });
  return { ...result, plannedSeconds: seconds };
}

async function mergeAll(scene: Scene, { numbers }: Opened) {
  const { world, signal } = scene;
  progress('approving all of them, and asking for all of them');
  const { seconds, result } = await timed(async () => {
    await inTurn(numbers, async (number) => {
      signal.throwIfAborted();
      await world.approve(number);
      await world.say(number, '/doaas apply');
    });
    return reached(scene, numbers, 'merged', async () => mergedIn(world));
  });
  return { mergedSeconds: seconds, merged: result };
}

interface ClosedEvent {
  readonly pull_request: { readonly number: number; readonly merged: boolean };
}

/** As GitHub told. To read each pull request would have it run two git processes for each that is open, which took half of the machine. */
function mergedIn({ github }: World): ReadonlySet<number> {
  const closed = github.webhooks
    .all()
    .filter(({ event, action }) => event === 'pull_request' && action === 'closed')
    .map(({ body }) => (JSON.parse(body) as ClosedEvent).pull_request);
  return new Set(closed.filter(({ merged }) => merged).map(({ number }) => number));
}

/** How many came there, once all did, nothing moves any more, or the time is over. */
async function reached<T>(
  { watch, size, signal }: Scene,
  all: readonly T[],
  what: string,
  look: (left: readonly T[]) => Promise<ReadonlySet<T>>,
): Promise<number> {
  const began = Date.now();
  let moved = began;
  let left = [...all];
  while (left.length > 0) {
    signal.throwIfAborted();
    const there = await look(left);
    const now = Date.now();
    const before = left.length;
    left = left.filter((one) => !there.has(one));
    if (left.length < before) moved = now;
    const { rss, files } = watch.peaks();
    progress(
      `${all.length - left.length} of ${all.length} ${what} after ${Math.round((now - began) / 1000)} s; engine at most ${Math.round(rss)} MB, ${files} files`,
    );
    if (now - began > size.minutes * 60_000 || now - moved > STALLED_MS) break;
    const wait = Math.min(LOOK_EVERY_MS_MAX, 1_000 + left.length * LOOK_EVERY_MS_EACH);
    if (left.length > 0) await pause(wait, undefined, { signal });
  }
  return all.length - left.length;
}

async function inTurn<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: PEOPLE_AT_ONCE }, worker));
}

async function effectsOf({ hosts }: World): Promise<number> {
  const counts = await Promise.all(hosts.map((host) => host.exec('cat /var/tmp/flood 2> /dev/null | wc -l')));
  return counts.reduce((sum, { stdout }) => sum + Number(stdout.trim()), 0);
}

/** The store is read beside the engine that owns it. A run gives back its locks a moment after its merge. */
async function leftIn({ dataDir }: World): Promise<Pick<Flood, 'runs' | 'locksLeft'>> {
  const store = await openStore({ file: join(dataDir, 'store.sqlite') }, { readOnly: true });
  try {
    const until = Date.now() + RELEASED_WITHIN_MS;
    while ((await store.locks.list()).length > 0 && Date.now() < until) await pause(500);
    let runs = 0;
    for (let afterSeq = 0, more = true; more; ) {
      const page = await store.audit.list({ afterSeq });
      runs += page.filter(({ what }) => what === 'apply').length;
      afterSeq = page.at(-1)?.seq ?? afterSeq;
      more = page.length > 0;
    }
    return { runs, locksLeft: (await store.locks.list()).length };
  } finally {
    await store.close();
  }
}
