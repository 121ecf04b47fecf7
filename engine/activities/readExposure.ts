import type { Readings } from '../facts/fact.ts';
import { lookAt, lookFrom, lookFromHere, type Place } from '../hosts/outside.ts';
import { targetOf } from '../hosts/readHost.ts';
import { sendersTo } from '../hosts/senders.ts';
import type { Transport } from '../hosts/session.ts';
import { portJudge, portsToTry, wayOut } from '../security/exposure.ts';
import type { Exposure, SeenPort } from '../security/host.ts';
import { firewallOf, inventoryOf } from '../security/needs.ts';
import type { ResolvedDocument, ResolvedHost } from '../spec/resolution.ts';

/** Addresses of one host whose ports are tried. */
const ADDRESSES_TRIED_MAX = 4;

/** One host, and what was read of it. */
export interface Read {
  readonly host: ResolvedHost;
  readonly readings: Readings;
}

export function isNear(other: ResolvedHost, host: ResolvedHost): boolean {
  return other.server.site === host.server.site && other.name !== host.name;
}

/** How another one of those that were read sees a host, or the engine does. `lookers`: all that could look. */
export async function exposureOf(
  transport: Transport,
  seen: Read,
  all: readonly Read[],
  lookers: readonly ResolvedHost[],
): Promise<Exposure> {
  const { host, readings } = seen;
  const document = host.documents.find(isFirewall);
  const { listeners, unlisted, login } = firewallOf(readings);
  const { ports, more } = portsToTry(listeners, document?.spec.desired, unlisted);
  const places = placesOf(seen, ports);
  const firewall = document === undefined ? {} : { firewall: document.ref };
  const looker = lookerFor(seen, all);
  if (looker === undefined && host.server.jump !== undefined)
    return {
      ...firewall,
      why: 'it is behind another server, and no third one of its site was read',
      ...(lookers.some((other) => isNear(other, host)) ? {} : { nobody: true }),
      ports: [],
      more,
      unseen: [],
    };
  const view =
    looker === undefined ? await fromHere(places, login?.address) : await from(transport, looker, places);
  if (typeof view === 'string') return { ...firewall, why: view, ports: [], more, unseen: [] };
  const verdictOn =
    document === undefined ? () => ({ declared: false }) : portJudge(document.spec.desired, ports);
  const seenPorts = places.map(({ address, port }, i): SeenPort => {
    const program = listeners.find((one) => one.port === port)?.program ?? '';
    const open = view.open[i];
    if (open === undefined) return { address, port, program, open: false, unknown: true };
    return { address, port, program, open, ...verdictOn(address, port, view.sendersTo(address)) };
  });
  const unseen = inventoryOf(readings).addresses.filter((address) => !triedOf(seen).includes(address));
  return { ...firewall, from: view.name, ports: seenPorts, more, unseen };
}

function isFirewall(document: ResolvedDocument): document is ResolvedDocument<'Firewall'> {
  return document.kind === 'Firewall';
}

function placesOf(seen: Read, ports: readonly number[]): readonly Place[] {
  return triedOf(seen).flatMap((address) => ports.map((port) => ({ address, port })));
}

/** What the documents say only: a host that somebody else owns must not choose what others try. */
function triedOf({ host }: Read): readonly string[] {
  return (host.addresses ?? [host.server.address]).slice(0, ADDRESSES_TRIED_MAX);
}

/** All that it may go to others by. */
function addressesOf(read: Read): readonly string[] {
  return [...new Set([...triedOf(read), ...inventoryOf(read.readings).addresses])];
}

/** The next server of the same site, so that each is asked about one other; undefined: only the engine can look. */
function lookerFor({ host }: Read, all: readonly Read[]): Read | undefined {
  const near = all.filter((other) => other.host.server.site === host.server.site);
  const at = near.findIndex((other) => other.host === host);
  const next = near[(at + 1) % near.length];
  return next === undefined || next.host === host ? undefined : next;
}

/** What somebody sees of others. */
interface View {
  readonly name: string;
  /** Of each place; undefined where they could not have reached it. */
  readonly open: readonly (boolean | undefined)[];
  /** The address that they went to another one by, or all that it may have been. */
  readonly sendersTo: (address: string) => readonly string[];
}

async function fromHere(places: readonly Place[], own: string | undefined): Promise<View | string> {
  const name = 'the engine';
  const open = await lookAt(lookFromHere, places);
  return sighted({ name, open, sendersTo: () => (own === undefined ? [] : [own]) });
}

async function from(transport: Transport, looker: Read, places: readonly Place[]): Promise<View | string> {
  const { server, name, documents } = looker.host;
  try {
    return await transport.withSession(targetOf(server), async (session) => {
      const look = lookFrom(session);
      // that nothing answers proves something only where connections can be made at all
      const own = await look.tries({ address: '127.0.0.1', port: session.target.port });
      if (own !== 'open') return `${name} cannot even reach its own SSH server`;
      const goesOut = wayOut(documents.find(isFirewall)?.spec.desired);
      const routes = await sendersTo(session, [...new Set(places.map(({ address }) => address))]);
      const open = await lookAt({ ...look, goesOut }, places);
      return sighted({ name, open, sendersTo: (address) => sendersOf(looker, routes.get(address)) });
    });
  } catch (error) {
    return `${name} was lost while it looked: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function sendersOf(looker: Read, route: string | undefined): readonly string[] {
  return route === undefined ? addressesOf(looker) : [route];
}

/** Or why there is nothing to see. */
function sighted(view: View): View | string {
  const isBlind = view.open.length > 0 && view.open.every((one) => one === undefined);
  return isBlind ? `nothing of it answers ${view.name}, or ${view.name} lets nothing out to it` : view;
}
