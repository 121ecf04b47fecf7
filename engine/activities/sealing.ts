import type { Payloads, Seal, Seals } from '../kinds/kind.ts';
import { kindOf } from '../kinds/registry.ts';
import { SecretError } from '../secrets/error.ts';
import type { ContentOf, Secrets } from '../secrets/secrets.ts';
import type { Unsealing } from '../secrets/unseal.ts';
import type { Payload } from '../spec/configuration.ts';
import type { Resolution, ResolvedHost } from '../spec/resolution.ts';
import { type Mask, type SecretUse, sealKey } from '../spec/secrets.ts';

/** What the sealed contents of one host are like once their secrets are filled in. */
export async function sealsOf(
  host: ResolvedHost,
  payloads: Payloads,
  unsealing: Pick<Unsealing, 'unseal'>,
): Promise<Seals> {
  const seals = new Map<string, Seal>();
  for (const payload of sealedPayloads(host))
    seals.set(sealKey(payload), await sealOf(payload, payloads, unsealing));
  return seals;
}

async function sealOf(
  { sha256, sealed = [] }: Payload,
  payloads: Payloads,
  { unseal }: Pick<Unsealing, 'unseal'>,
): Promise<Seal> {
  try {
    const whole = await unseal(payloads.get(sha256) ?? new Uint8Array(), sealed);
    return { kind: 'seal', sha256: whole.sha256, fingerprint: whole.fingerprint };
  } catch (error) {
    if (error instanceof SecretError)
      return { kind: 'unreadable', message: error.message, passing: error.passing };
    throw error;
  }
}

/** The first secret that cannot be had, as an error. */
export function requireAll(seals: Seals): void {
  for (const seal of seals.values())
    if (seal.kind === 'unreadable') throw new SecretError(seal.message, { passing: seal.passing ?? false });
}

const WITHHELD =
  '(withheld: the server holds secrets that the engine cannot read just now, so it cannot take them out of what the server said)';

/** Where it is not known what to take out. */
export const withhold: Mask = (text) => (text === '' ? text : WITHHELD);

/** Takes secrets out of what a host says. Those that cannot be read cannot be found either, so then nothing is shown. */
export async function maskFor(
  unsealing: Unsealing,
  sealed: readonly Payload[],
  contentOf: ContentOf,
): Promise<Mask> {
  try {
    await unsealing.learn(sealed.flatMap((payload) => payload.sealed ?? []));
    await learnContents(unsealing, sealed, contentOf);
    return unsealing.mask;
  } catch (error) {
    if (error instanceof SecretError) return withhold;
    throw error;
  }
}

/** A hash gives away what a content holds. Those that are not kept any more are not known. */
async function learnContents(
  unsealing: Unsealing,
  payloads: readonly Payload[],
  contentOf: ContentOf,
): Promise<void> {
  const once = new Map(payloads.map((payload) => [sealKey(payload), payload]));
  for (const { sha256, sealed = [] } of once.values()) {
    const text = await contentOf(sha256);
    if (text !== undefined) await unsealing.unseal(text, sealed);
  }
}

/** As far as they can be read: one that cannot is not found in a text either. */
export async function learnReadable(
  { learn }: Pick<Unsealing, 'learn'>,
  payloads: readonly Payload[],
): Promise<void> {
  for (const use of payloads.flatMap(({ sealed = [] }) => sealed))
    await learn([use]).catch((error: unknown) => {
      if (!(error instanceof SecretError)) throw error;
    });
}

/** Takes the secrets of hosts out of what these say, as far as they can be read: a report is not held up by one that cannot. */
export async function maskOn(
  secrets: Pick<Secrets, 'open'>,
  { payloads }: Pick<Resolution, 'payloads'>,
  hosts: readonly ResolvedHost[],
): Promise<Mask> {
  const unsealing = secrets.open(async (sha256) => payloads.get(sha256));
  await Promise.all(hosts.map((host) => learnReadable(unsealing, sealedPayloads(host))));
  return unsealing.mask;
}

export function usesOn(host: ResolvedHost): readonly SecretUse[] {
  return sealedPayloads(host).flatMap(({ sealed = [] }) => sealed);
}

export function sealedPayloads(host: ResolvedHost): readonly Payload[] {
  return contentsOf(host).filter(({ sealed }) => sealed !== undefined);
}

/** All contents that a host's documents bring. */
export function contentsOf(host: ResolvedHost): readonly Payload[] {
  return host.documents.flatMap((document) => kindOf(document).contents(document.spec));
}
