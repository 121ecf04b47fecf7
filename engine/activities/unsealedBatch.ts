import { splitItemKey } from '../facts/fact.ts';
import { hashRaw } from '../facts/script.ts';
import type { BatchResult } from '../hosts/batchRun.ts';
import { readFacts } from '../hosts/readHost.ts';
import type { Session } from '../hosts/session.ts';
import { type Batch, batchPayloads } from '../operations/batch.ts';
import { sealedOf, unsealed } from '../operations/path.ts';
import type { Step } from '../plan/step.ts';
import { SecretError } from '../secrets/error.ts';
import type { ContentOf } from '../secrets/secrets.ts';
import { CONCEALED, type Unsealing } from '../secrets/unseal.ts';
import type { Mask } from '../spec/secrets.ts';

type Contents = ReadonlyMap<string, Uint8Array>;

/** A batch with its secrets filled in: only in memory, and on its way to the host. */
export type Unpacked =
  | { readonly kind: 'unpacked'; readonly batch: Batch; readonly payloads: Contents }
  /** `passing`: its secrets may be there in a moment. */
  | { readonly kind: 'refused'; readonly message: string; readonly passing: boolean };

/** Refuses where the secrets are no longer those that were approved. */
export async function unpack(contentOf: ContentOf, batch: Batch, unsealing: Unsealing): Promise<Unpacked> {
  const stored = await contentsOf(contentOf, batch);
  const payloads = new Map(stored);
  const steps: Step[] = [];
  try {
    for (const step of batch.steps) steps.push(await unpackStep(step, stored, payloads, unsealing));
  } catch (error) {
    if (error instanceof SecretError)
      return { kind: 'refused', message: error.message, passing: error.passing };
    throw error;
  }
  return { kind: 'unpacked', batch: { ...batch, steps }, payloads };
}

async function unpackStep(
  step: Step,
  stored: Contents,
  payloads: Map<string, Uint8Array>,
  unsealing: Unsealing,
): Promise<Step> {
  const sealed = sealedOf(step);
  if (sealed === undefined) return step;
  const text = stored.get(sealed.sha256);
  if (text === undefined)
    throw new SecretError(`the content of ${step.summary} is not in the store; plan again`);
  const whole = await unsealing.unseal(text, sealed.uses);
  if (whole.fingerprint !== sealed.fingerprint)
    throw new SecretError(
      `the secrets of ${String(step.params.path)} were changed since the plan was approved (fingerprint ${short(whole.fingerprint)}, approved was ${short(sealed.fingerprint)}); this run does not write them, plan again`,
    );
  payloads.set(whole.sha256, whole.bytes);
  return unsealed(step, whole.sha256);
}

function short(fingerprint: string): string {
  return `${fingerprint.slice(0, 16)}…`;
}

async function contentsOf(contentOf: ContentOf, batch: Batch): Promise<Contents> {
  const entries = await Promise.all(
    batchPayloads(batch).map(async (sha256) => [sha256, await contentOf(sha256)] as const),
  );
  return new Map(
    entries.flatMap(([sha256, bytes]) => (bytes === undefined ? [] : [[sha256, bytes] as const])),
  );
}

/**
 * The host compares hashes as they are, so those that the plan has concealed are read again and given to it where they
 * are the ones that were approved. Any other stays as it is, and the host refuses it.
 */
export async function revealBefore(session: Session, batch: Batch, unsealing: Unsealing): Promise<Batch> {
  const items = batch.steps.flatMap(({ before }) =>
    Object.entries(before).flatMap(([item, hash]) =>
      hash.startsWith(CONCEALED) ? [item as keyof Step['before']] : [],
    ),
  );
  if (items.length === 0) return batch;
  const readings = await readFacts(session, [...new Set(items)].map(splitItemKey));
  const reveal = (item: keyof Step['before'], hash: string): string => {
    const now = hashRaw(readings.get(item)?.raw ?? '');
    return unsealing.conceal(now) === hash ? now : hash;
  };
  const steps = batch.steps.map((step) => ({
    ...step,
    before: Object.fromEntries(
      Object.entries(step.before).map(([item, hash]) => [item, reveal(item as keyof Step['before'], hash)]),
    ),
  }));
  return { ...batch, steps };
}

/** What a failing step printed may quote the file that it could not use. */
export function maskResult(result: BatchResult, mask: Mask): BatchResult {
  const events = result.events.map((event) => ({ ...event, detail: mask(event.detail) }));
  return { ...result, events, output: mask(result.output) };
}
