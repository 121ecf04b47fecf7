import { names } from '../github/render/words.ts';
import { type Access, proveAccess } from '../hosts/proveAccess.ts';
import type { Transport } from '../hosts/session.ts';
import type { Probe } from '../kinds/kind.ts';
import { kindOf } from '../kinds/registry.ts';
import type { Net } from '../operations/batch.ts';
import { endangersAccess } from '../operations/endangersAccess.ts';
import type { Plan } from '../plan/step.ts';
import type { ResolvedHost } from '../spec/resolution.ts';

/** Within which a fresh login must work after the last step. */
export const CONFIRM_SECONDS = 60;
/** Added at most for the probes, which may take long. */
const PROBES_SECONDS_MAX = 600;

/**
 * Of documents that are applied by then; those of later waves may need what is not there yet. What other servers have to look
 * at is left to the verification: that the engine gets in is proven by then, so it can still take the change back.
 */
export function probesUpTo({ documents }: ResolvedHost, wave: number): readonly Probe[] {
  return documents
    .filter((document) => document.wave <= wave)
    .flatMap((document) => kindOf(document).probes(document.spec))
    .filter(({ kind }) => kind !== 'reach');
}

/** The window. Probes run side by side, so the slowest counts. */
export function netFor(probes: readonly Probe[]): Net {
  const longest = Math.max(0, ...probes.map(({ withinSeconds }) => withinSeconds));
  return {
    kind: 'net',
    confirmWithinSeconds: CONFIRM_SECONDS + Math.ceil(Math.min(longest, PROBES_SECONDS_MAX)),
  };
}

/** For the reviewers of a plan: nothing where no step can shut people out. */
export function guardedRemark({ hosts }: Pick<Plan, 'hosts'>): readonly string[] {
  const guarded = hosts.filter(({ steps }) => steps.some(endangersAccess)).map(({ host }) => host);
  if (guarded.length === 0) return [];
  return [
    `Guarded on ${names(guarded)}: what is applied is taken back by the server itself unless a fresh login works within ${CONFIRM_SECONDS} s after it, and the probes pass.`,
  ];
}

/** Why an applied run was not kept, for people; undefined where it was. */
export async function notKept(
  transport: Transport,
  access: Access,
  signal: AbortSignal,
): Promise<string | undefined> {
  const proof = await proveAccess(transport, access, signal);
  if (proof.kind === 'confirmed') return undefined;
  const { target, net, probes } = access;
  const wanted = probes.length === 0 ? 'no fresh login' : 'no fresh login with passing probes';
  const why = `${wanted} as ${target.user} was possible within ${net.confirmWithinSeconds} s after it`;
  const last = proof.because === '' ? '' : `: ${proof.because}`;
  return proof.kind === 'reverted'
    ? `the server takes the change back itself, because ${why}${last}`
    : `${why}${last}. The server is to take the change back itself, but could not be asked about it since`;
}
