import { names } from '../github/render/words.ts';
import { probeName } from '../hosts/probe.ts';
import { type Access, proveAccess } from '../hosts/proveAccess.ts';
import type { Transport } from '../hosts/session.ts';
import type { Probe } from '../kinds/kind.ts';
import { kindOf } from '../kinds/registry.ts';
import type { Net } from '../operations/batch.ts';
import { endangersAccess } from '../operations/endangersAccess.ts';
import type { Plan } from '../plan/step.ts';
import type { ResolvedHost } from '../spec/resolution.ts';

/** Added at most for the probes, which may take long. */
const PROBES_SECONDS_MAX = 600;

/** Of documents that are applied by then. `only`: the document that a correction is about. */
export function probesOf(host: ResolvedHost, wave: number, only: string | undefined): readonly Probe[] {
  return host.documents
    .filter((document) => document.wave <= wave && (only === undefined || document.ref === only))
    .flatMap((document) => kindOf(document).probes(document.spec));
}

/**
 * What the host's own login proves. What other servers have to look at is left to the verification: that the engine gets in is
 * proven by then, so it can still take the change back.
 */
export function ownProbes(...of: Parameters<typeof probesOf>): readonly Probe[] {
  return probesOf(...of).filter(({ kind }) => kind !== 'reach');
}

/** `seconds`: within which a fresh login must work after the last step. Probes run side by side, so the slowest counts. */
export function netFor(probes: readonly Probe[], seconds: number): Net {
  const longest = Math.max(0, ...probes.map(({ withinSeconds }) => withinSeconds));
  return {
    kind: 'net',
    confirmWithinSeconds: seconds + Math.ceil(Math.min(longest, PROBES_SECONDS_MAX)),
  };
}

/** For the reviewers of a plan: nothing where no step can shut people out. */
export function guardedRemark({ hosts }: Pick<Plan, 'hosts'>, seconds: number): readonly string[] {
  const guarded = hosts.filter(({ steps }) => steps.some(endangersAccess)).map(({ host }) => host);
  if (guarded.length === 0) return [];
  return [
    `Guarded on ${names(guarded)}: what is applied is taken back by the server itself unless a fresh login works within ${seconds} s after it, and the probes pass.`,
  ];
}

export interface NotKept {
  /** For people. */
  readonly message: string;
  /** What failed, where that is a probe. */
  readonly what?: string;
}

/** Why an applied run was not kept; undefined where it was. */
export async function notKept(
  transport: Transport,
  access: Access,
  signal: AbortSignal,
): Promise<NotKept | undefined> {
  const proof = await proveAccess(transport, access, signal);
  if (proof.kind === 'confirmed') return undefined;
  if (proof.kind === 'failing') return { message: proof.because, what: `Probe ${probeName(proof.probe)}` };
  const { target, net } = access;
  const why = `no fresh login as ${target.user} was possible within ${net.confirmWithinSeconds} s after it${proof.because === '' ? '' : `: ${proof.because}`}`;
  const message =
    proof.kind === 'reverted'
      ? `the server takes the change back itself, because ${why}`
      : `${why}. The server is to take the change back itself, but could not be asked about it since`;
  return { message };
}
