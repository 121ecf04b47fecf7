import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openStore } from '../../engine/store/store.ts';
import { serverYaml, startWorld, type World } from '../../test/world.ts';
import { timed } from '../measure.ts';
import { type Memory, memoryOf, temporalBelow } from '../processes.ts';
import { progress } from '../report.ts';

export interface Flood {
  /** Of the webhooks that told of the pull requests. */
  readonly refused: number;
  readonly planned: number;
  readonly plannedSeconds: number;
  readonly merged: number;
  readonly mergedSeconds: number;
  /** Lines that the effects left on the servers, one each. */
  readonly effects: number;
  readonly runs: number;
  readonly locksLeft: number;
  readonly engine: Memory;
  readonly temporal: Memory;
  /** Of one minute, at the end. */
  readonly load: number;
}

export interface Size {
  readonly pulls: number;
  readonly hosts: number;
}

/** Then what is not done is counted as it is. */
const WAIT_SECONDS_MAX = 3600;
/** The lab's GitHub runs in this process and answers in one thread: looking must not keep it from the engine. */
const LOOK_EVERY_MS = 10_000;
const PEOPLE_AT_ONCE = 4;

/**
 * The lab's GitHub has no hourly budget, and the engine's own bound of writes is out of the way (test/engine.ts): what is
 * measured is whether the engine keeps up, and what it needs.
 */
export async function flood({ pulls, hosts }: Size): Promise<Flood> {
  const world = await startWorld({
    hosts,
    engine: 'process',
    // what a webhook that was refused has to wait for
    environment: { DOAAS_SWEEP_MINUTES: '1', DOAAS_DRIFT_MINUTES: '0' },
    files: (all) => ({ 'servers.yaml': serverYaml(all) }),
    progress,
  });
  try {
    const opened = await openAll(world, pulls, hosts);
    const { refused, plannedSeconds, planned } = await planAll(world, opened);
    const { mergedSeconds, merged } = await mergeAll(world, opened);
    const temporal = await temporalBelow(world.engine.pid());
    if (temporal === undefined) throw new Error('the Temporal server was not found below the engine');
    return {
      refused,
      planned,
      plannedSeconds,
      merged,
      mergedSeconds,
      effects: await effectsOf(world),
      ...(await leftIn(world)),
      engine: await memoryOf(world.engine.pid()),
      temporal: await memoryOf(temporal),
      load: loadavg()[0] ?? Number.NaN,
    };
  } finally {
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
async function openAll({ github, repo, engine }: World, pulls: number, hosts: number): Promise<Opened> {
  progress(`opening ${pulls} pull requests in the lab's GitHub`);
  github.webhooks.setTarget(undefined);
  const numbers = await github.openPullRequests(
    repo,
    Array.from({ length: pulls }, (_, n) => changeOf(n, hosts)),
  );
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

async function planAll(world: World, { heads, guids }: Opened) {
  progress(`${guids.length} webhooks at once`);
  const { seconds, result } = await timed(async () => {
    const answers = await Promise.all(guids.map((guid) => world.github.webhooks.redeliver(guid)));
    const planned = await reached(heads, 'planned', async (sha) =>
      (await world.checks(sha)).some(({ name, status }) => name === 'doaas/plan' && status === 'completed'),
    );
    return { refused: answers.filter((status) => status !== 202).length, planned };
  });
  return { ...result, plannedSeconds: seconds };
}

async function mergeAll(world: World, { numbers }: Opened) {
  progress('approving all of them, and asking for all of them');
  const { seconds, result } = await timed(async () => {
    await inTurn(numbers, async (number) => {
      await world.approve(number);
      await world.say(number, '/doaas apply');
    });
    return reached(numbers, 'merged', (number) => world.merged(number));
  });
  return { mergedSeconds: seconds, merged: result };
}

/** How many came there, once all did or the time is over. */
async function reached<T>(
  all: readonly T[],
  what: string,
  has: (one: T) => Promise<boolean>,
): Promise<number> {
  const until = Date.now() + WAIT_SECONDS_MAX * 1000;
  let left = [...all];
  let told = -1;
  while (left.length > 0 && Date.now() < until) {
    const there = new Set<T>();
    await inTurn(left, async (one) => {
      if (await has(one)) there.add(one);
    });
    left = left.filter((one) => !there.has(one));
    const tenth = Math.floor(((all.length - left.length) / all.length) * 10);
    if (tenth > told) progress(`${all.length - left.length} of ${all.length} ${what}`);
    told = Math.max(told, tenth);
    if (left.length > 0) await pause(LOOK_EVERY_MS);
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
  const counts = await Promise.all(hosts.map((host) => host.exec('cat /var/tmp/flood | wc -l')));
  return counts.reduce((sum, { stdout }) => sum + Number(stdout.trim()), 0);
}

/** The store is read beside the engine that owns it. */
async function leftIn({ dataDir }: World): Promise<Pick<Flood, 'runs' | 'locksLeft'>> {
  const store = await openStore({ file: join(dataDir, 'store.sqlite') }, { readOnly: true });
  try {
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
