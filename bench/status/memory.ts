import { type Memory, memoryOf, temporalBelow } from '../processes.ts';
import { progress } from '../report.ts';
import { settled } from '../webhook/histories.ts';
import { inboxEmpty } from '../webhook/inbox.ts';
import { openScene } from '../webhook/scene.ts';
import { sendAll } from '../webhook/sender.ts';

export const PULLS_OPEN = 1000;
const PER_SECOND = 20;

export interface Memories {
  readonly engine: Memory;
  readonly temporal: Memory;
}

/** Resident memory once the engine has met, validated and planned a thousand pull requests, all of them still open. */
export async function memoryOfMany(): Promise<Memories> {
  const scene = await openScene(PULLS_OPEN, progress);
  try {
    progress(`${PULLS_OPEN} pull requests become known to the engine`);
    const sender = { ...scene.sender, mix: ['pull_request'] };
    const url = `${scene.engine.url()}/webhooks/github`;
    const sent = await sendAll(
      { url, sender, perSecond: PER_SECOND, seconds: PULLS_OPEN / PER_SECOND, tellEvery: PULLS_OPEN },
      () => undefined,
    );
    const unanswered = sent.filter((each) => each.status !== 202).length;
    if (unanswered > 0) throw new Error(`${unanswered} deliveries were not accepted`);
    progress('waiting until all of them are validated and planned');
    await inboxEmpty(scene.engine.url());
    const client = await scene.temporal();
    await settled(client);
    const { count } = await client.workflow.count('WorkflowType="pullRequest" AND ExecutionStatus="Running"');
    if (count !== PULLS_OPEN) throw new Error(`${count} of ${PULLS_OPEN} workflows run`);
    const temporal = await temporalBelow(scene.engine.pid());
    if (temporal === undefined) throw new Error('the Temporal server was not found below the engine');
    return { engine: await memoryOf(scene.engine.pid()), temporal: await memoryOf(temporal) };
  } finally {
    await scene.close();
  }
}
