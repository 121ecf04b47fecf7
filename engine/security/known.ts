import { originText } from '../kinds/patchPolicy/archives.ts';
import type { ResolvedDocument, ResolvedHost } from '../spec/resolution.ts';
import { isHardening } from './hardening.ts';
import type { Exposure, HardeningState, HostSecurity, Patches, ReadSecurity, SeenPort } from './host.ts';

/** What is outstanding, as apt says it. */
export type Updates = Pick<Patches, 'security' | 'moreSecurity' | 'others'>;

/**
 * What one reading knows of a server, in the parts that may each be unknown by themselves: the server, how others see it, what apt
 * says. JSON only: the store keeps the newest of each part.
 */
export type KnownPart =
  | { readonly part: 'server'; readonly body: HostSecurity }
  | { readonly part: 'exposure'; readonly body: Exposure }
  | { readonly part: 'updates'; readonly body: Updates };

/** `at`: of the reading, epoch ms. */
export type Remembered = KnownPart & { readonly at: number };

/**
 * What a later reading may fall back on; nothing where the server could not be read. `earlier`: what this one falls back on, as the
 * newest view keeps what is known of ports that nobody could reach since.
 */
export function partsOf(host: HostSecurity, earlier: readonly Remembered[]): readonly KnownPart[] {
  if (host.kind === 'unread') return [];
  const { security, moreSecurity, others } = host.patches;
  const updates = { security, ...(moreSecurity === undefined ? {} : { moreSecurity }), others };
  const exposure = earlier.reduce(portsBefore, host.exposure);
  return [
    { part: 'server', body: host },
    ...(exposure.from === undefined ? [] : [{ part: 'exposure' as const, body: exposure }]),
    ...(host.patches.unknown ? [] : [{ part: 'updates' as const, body: updates }]),
  ];
}

/** Whether a report needs to know what earlier readings saw of it. */
export function isPartlyUnknown(host: HostSecurity): boolean {
  if (host.kind === 'unread') return true;
  const { exposure, patches } = host;
  return exposure.from === undefined || hasUnknown(exposure) || patches.unknown === true;
}

function hasUnknown({ ports }: Exposure): boolean {
  return ports.some(({ unknown }) => unknown === true);
}

/**
 * The server with what earlier readings saw of what could not be looked at now. `wanted`: what the commit declares of it counts; a
 * control that is waived by now, or a document that is gone, is not held against a server that does not answer.
 */
export function withKnown(
  now: HostSecurity,
  earlier: readonly Remembered[],
  wanted: ResolvedHost,
): HostSecurity {
  if (now.kind === 'read') return filledUp(now, earlier, wanted);
  const server = earlier.find(isServer);
  if (server?.body.kind !== 'read') return now;
  const asOf = timeOf(server);
  const { body } = server;
  const known: ReadSecurity = {
    ...body,
    hardening: hardeningBy(wanted, body.hardening),
    exposure: exposureBy(
      wanted,
      body.exposure.from === undefined ? body.exposure : { ...body.exposure, asOf },
    ),
    patches: patchesBy(wanted, body.patches.unknown ? body.patches : { ...body.patches, asOf }),
    asOf,
  };
  return { ...now, known: filledUp(known, earlier, wanted) };
}

function isServer(one: Remembered): one is Extract<Remembered, { part: 'server' }> {
  return one.part === 'server';
}

function timeOf({ at }: Remembered): string {
  return new Date(at).toISOString();
}

function filledUp(host: ReadSecurity, earlier: readonly Remembered[], wanted: ResolvedHost): ReadSecurity {
  return {
    ...host,
    exposure: earlier.reduce((known, one) => seenBefore(known, one, wanted), host.exposure),
    patches: earlier.reduce(toldBefore, host.patches),
  };
}

function seenBefore(now: Exposure, one: Remembered, wanted: ResolvedHost): Exposure {
  if (now.from !== undefined) return portsBefore(now, one);
  if (one.part !== 'exposure') return now;
  const why = now.why === undefined ? {} : { why: now.why };
  return exposureBy(wanted, { ...one.body, ...why, asOf: timeOf(one) });
}

/** Ports that whoever tried could not have reached are as somebody saw them last; what no document judged says nothing against one. */
function portsBefore(now: Exposure, one: Remembered): Exposure {
  if (one.part !== 'exposure' || !hasUnknown(now)) return now;
  const { firewall, from, ports } = one.body;
  if (now.firewall !== undefined && firewall === undefined) return now;
  const known = new Map(ports.filter(({ unknown }) => unknown !== true).map((port) => [placeOf(port), port]));
  const before = (port: SeenPort): SeenPort => {
    const was = port.unknown === true ? known.get(placeOf(port)) : undefined;
    return was === undefined ? port : { asOf: timeOf(one), ...(from && { from }), ...was };
  };
  return { ...now, ports: now.ports.map(before) };
}

function placeOf({ address, port }: SeenPort): string {
  return `${address} ${port}`;
}

function toldBefore({ unknown, ...now }: Patches, one: Remembered): Patches {
  if (!unknown) return now;
  if (one.part !== 'updates') return { ...now, unknown };
  const { moreSecurity: _, ...known } = now;
  return { ...known, ...one.body, asOf: timeOf(one) };
}

function hardeningBy(wanted: ResolvedHost, known: readonly HardeningState[]): readonly HardeningState[] {
  const documents = wanted.documents.filter(isHardening);
  const [only] = known;
  const renamed = documents.length === 1 && known.length === 1 ? only : undefined;
  return documents.flatMap(({ ref, spec }) => {
    const state = known.find(({ document }) => document === ref) ?? renamed;
    if (state === undefined) return [];
    const active = new Set(spec.controls.map(({ id }) => id));
    const over = new Set(
      state.waivers.flatMap(({ id, expires, expired }) => (expired ? [`${id} ${expires}`] : [])),
    );
    return [
      {
        ...state,
        document: ref,
        failing: state.failing.filter(({ id }) => active.has(id)),
        ...(state.passed && { passed: state.passed.filter((id) => active.has(id)) }),
        ...(state.notApplicable && { notApplicable: state.notApplicable.filter(({ id }) => active.has(id)) }),
        waivers: spec.waivers.map((waiver) => ({
          ...waiver,
          expired: over.has(`${waiver.id} ${waiver.expires}`),
        })),
      },
    ];
  });
}

function patchesBy(wanted: ResolvedHost, { policy: _, unmatchedOrigins = [], ...known }: Patches): Patches {
  const document = wanted.documents.find(isPatchPolicy);
  const named = new Set(document?.spec.updates.securityOrigins.map(originText));
  const unmatched = unmatchedOrigins.filter((match) => named.has(originText(match)));
  return {
    ...(document === undefined ? {} : { policy: document.ref }),
    ...known,
    ...(unmatched.length === 0 ? {} : { unmatchedOrigins: unmatched }),
  };
}

function isPatchPolicy(document: ResolvedDocument): document is ResolvedDocument<'PatchPolicy'> {
  return document.kind === 'PatchPolicy';
}

/** Ports that no document judged say nothing against one that is there now. */
function exposureBy(wanted: ResolvedHost, known: Exposure): Exposure {
  const firewall = wanted.documents.find(({ kind }) => kind === 'Firewall')?.ref;
  const { firewall: before, ...rest } = known;
  if (firewall === undefined) return rest;
  if (before !== undefined) return { ...rest, firewall };
  const why = rest.why ?? 'it has not been looked at since it has a Firewall document';
  return { firewall, why, ports: [], more: rest.more, unseen: [] };
}

/** Servers of which neither this reading nor an earlier one says all that alerts are about, though they could be looked at. */
export function unknownHosts(hosts: readonly HostSecurity[]): readonly string[] {
  return hosts
    .filter((host) => {
      const known = host.kind === 'unread' ? host.known : host;
      if (known === undefined) return true;
      const { firewall, from, nobody } = known.exposure;
      const isBlind = from === undefined && nobody !== true;
      const isUnseen = firewall !== undefined && (isBlind || hasUnknown(known.exposure));
      return isUnseen || known.patches.unknown === true;
    })
    .map(({ host }) => host);
}
