import { bundle } from '../../scripts/bundle.ts';
import { median, percentile, rounded, timed } from '../measure.ts';
import { progress, type Result } from '../report.ts';
import { recordedDeliveries, settled } from './histories.ts';
import { inboxEmpty } from './inbox.ts';
import type { LoadOrder, Sent } from './load.ts';
import { openScene, type Scene } from './scene.ts';
import { sendAll } from './sender.ts';

const PER_SECOND = 50;
const SECONDS = 60;
const PULLS = 200;
/** Commits pushed while the deliveries come, so that the engine also validates and plans anew. Per second. */
const PUSHES_PER_SECOND = 2;
const P99_BAR_MS = 50;

interface Measured {
  readonly sent: readonly Sent[];
  readonly answered: readonly Sent[];
  /** Answered, and yet in no history. */
  readonly lost: number;
  /** From the last answer until Temporal had everything. */
  readonly handOnSeconds: number;
  readonly drainSeconds: number;
}

/** One minute undisturbed; then another with the engine killed in the middle. Each on a fresh engine. */
export async function webhook(): Promise<Result> {
  await bundle();
  const calm = await measured(undisturbed);
  const killed = await measured(killedInTheMiddle);
  const times = calm.answered.map((each) => each.ms);
  const json = {
    sent: calm.sent.length,
    lost: calm.lost,
    p50_ms: rounded(median(times)),
    p99_ms: rounded(percentile(times, 0.99)),
    max_ms: rounded(Math.max(...times)),
    hand_on_s: rounded(calm.handOnSeconds),
    drain_s: rounded(calm.drainSeconds),
    unanswered: calm.sent.length - calm.answered.length,
    killed_sent: killed.sent.length,
    killed_unanswered: killed.sent.length - killed.answered.length,
    killed_lost: killed.lost,
  };
  return {
    json,
    rows: [
      { what: `deliveries, ${PER_SECOND} a second over ${PULLS} pull requests`, value: json.sent },
      { what: 'answered, but in no history', value: json.lost, bar: '0' },
      { what: 'not answered with 202', value: json.unanswered, bar: '0' },
      { what: 'answer, median', value: json.p50_ms, unit: 'ms' },
      { what: 'answer, p99', value: json.p99_ms, unit: 'ms', bar: `<= ${P99_BAR_MS}` },
      { what: 'answer, slowest', value: json.max_ms, unit: 'ms' },
      { what: 'until Temporal had all of it', value: json.hand_on_s, unit: 's' },
      { what: 'until all of it was worked off', value: json.drain_s, unit: 's' },
      { what: 'engine killed in the middle: deliveries', value: json.killed_sent },
      { what: '  not answered, while it was away', value: json.killed_unanswered },
      { what: '  answered, but in no history', value: json.killed_lost, bar: '0' },
    ],
  };
}

async function measured(send: (scene: Scene) => Promise<readonly Sent[]>): Promise<Measured> {
  const scene = await openScene(PULLS, progress);
  try {
    const busy = keepPushing(scene);
    const sent = await send(scene).finally(() => busy.stop());
    const client = await scene.temporal();
    progress('waiting until the engine has worked everything off');
    const handedOn = await timed(() => inboxEmpty(scene.engine.url()));
    const worked = await timed(() => settled(client));
    progress('looking for every answered delivery in the histories');
    const recorded = await recordedDeliveries(client);
    const answered = sent.filter((each) => each.status === 202);
    const lost = answered.filter((each) => !recorded.has(each.guid)).length;
    return {
      sent,
      answered,
      lost,
      handOnSeconds: handedOn.seconds,
      drainSeconds: handedOn.seconds + worked.seconds,
    };
  } finally {
    await scene.close();
  }
}

function undisturbed(scene: Scene): Promise<readonly Sent[]> {
  return sendAll(orderOf(scene), (count) => {
    if (count % (PER_SECOND * 10) === 0) progress(`${count} deliveries sent`);
  });
}

async function killedInTheMiddle(scene: Scene): Promise<readonly Sent[]> {
  let restarted: Promise<void> = Promise.resolve();
  const sent = await sendAll(orderOf(scene), (count) => {
    if (count !== (PER_SECOND * SECONDS) / 2) return;
    progress(`SIGKILL of the engine after ${count} deliveries`);
    restarted = scene.engine.kill().then(() => scene.engine.start());
    restarted.then(
      () => progress('the engine is back'),
      () => undefined,
    );
  });
  await restarted;
  return sent;
}

function orderOf(scene: Scene): LoadOrder {
  const url = `${scene.engine.url()}/webhooks/github`;
  return { url, sender: scene.sender, perSecond: PER_SECOND, seconds: SECONDS, tellEvery: PER_SECOND / 2 };
}

/** New heads of pull requests, in turn. The lab's own webhooks go nowhere: the generator sends the events. */
function keepPushing({ github, repo, sender }: Scene): { readonly stop: () => void } {
  let n = 0;
  let last = Promise.resolve();
  const timer = setInterval(() => {
    const pull = sender.pulls[(n * 3) % sender.pulls.length];
    n += 1;
    if (pull === undefined) return;
    const files = { [`docs/push-${n}.md`]: `Push ${n}\n` };
    last = last
      .then(() => github.push(repo, pull.branch, files))
      .then(
        () => undefined,
        () => undefined,
      );
  }, 1000 / PUSHES_PER_SECOND);
  return { stop: () => clearInterval(timer) };
}
