import type { Mask } from '../spec/secrets.ts';
import type { HostSecurity, Patches, ReadSecurity } from './host.ts';

/** What was read of a host, without the values of secrets in its own words. Names and versions stay: they are compared later. */
export function withQuotesMasked(host: HostSecurity, mask: Mask): HostSecurity {
  if (host.kind === 'read') return readMasked(host, mask);
  const known = host.known && { known: readMasked(host.known, mask) };
  return { ...host, problem: mask(host.problem), ...known };
}

function readMasked(host: ReadSecurity, mask: Mask): ReadSecurity {
  const { exposure, hardening, patches } = host;
  return {
    ...host,
    exposure: { ...exposure, ...(exposure.why !== undefined && { why: mask(exposure.why) }) },
    patches: patchesMasked(patches, mask),
    hardening: hardening.map(({ failing, notApplicable, ...state }) => ({
      ...state,
      failing: failing.map(({ attention, ...control }) =>
        attention === undefined ? control : { ...control, attention: mask(attention) },
      ),
      ...(notApplicable && { notApplicable: notApplicable.map(({ id, why }) => ({ id, why: mask(why) })) }),
    })),
  };
}

function patchesMasked(patches: Patches, mask: Mask): Patches {
  const { problem, dpkgProblem, security } = patches;
  return {
    ...patches,
    ...(problem !== undefined && { problem: mask(problem) }),
    ...(dpkgProblem !== undefined && { dpkgProblem: mask(dpkgProblem) }),
    security: security.map(({ keptBack, ...update }) =>
      keptBack === undefined ? update : { ...update, keptBack: mask(keptBack) },
    ),
  };
}
