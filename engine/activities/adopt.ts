import {
  type Adopting,
  type AdoptionDraft,
  type AdoptionPart,
  draftAdoption,
  partOf,
  type ReadHost,
} from '../adopt/draft.ts';
import { publishOwnBranch } from '../github/adopt.ts';
import type { GitHubClient } from '../github/client.ts';
import { ownIssue } from '../github/issues.ts';
import { COMMENT_MAX_BYTES } from '../github/limits.ts';
import { branchTip } from '../github/pulls.ts';
import { renderAdopt } from '../github/render/adopt.ts';
import { cutMarkdown } from '../github/render/cut.ts';
import { defaultBranchOf } from '../github/repositories.ts';
import { recordName } from '../github/workflowIds.ts';
import type { Payloads } from '../kinds/kind.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { adoptBranch } from './adoptionBranch.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { keepJson, keptJson } from './keptJson.ts';
import { mergedAfter } from './mergedLater.ts';
import { busyHosts, mergedPlans } from './notJudged.ts';
import { planHosts } from './planning.ts';
import { fullName } from './pull.ts';
import { elsewhereOf, unservedText } from './sites.ts';
import type {
  AdoptAnswer,
  AdoptElsewhere,
  AdoptionReading,
  IssueRequest,
  PullRef,
  SiteAdoption,
} from './types.ts';

const KEY = 'drift:';

/**
 * Reads the servers anew, and opens or renews the pull request. Changes nothing on them. Where some of them are reached by workers of
 * their site only, says what is to be read there first.
 */
export async function adoptDrift(
  engine: Engine,
  issue: PullRef,
  request: IssueRequest,
  bySites?: true,
): Promise<AdoptAnswer | AdoptElsewhere> {
  const { repository, number } = issue;
  const client = await engine.github.installationClient(repository.installationId);
  const own = await ownIssue(client, repository, number);
  if (own === undefined || !own.key.startsWith(KEY))
    return no('this is no drift issue. `adopt` belongs on one that the engine opened');
  if (!own.open) return no('this issue is closed: the servers are as the branch says');
  const commit = await branchTip(client, repository, await defaultBranchOf(client, repository));
  const reading = { repository, document: own.key.slice(KEY.length), commit };
  const desired = await desiredBy(engine, reading);
  if (desired.kind === 'invalid') return no(`the default branch is not valid: ${desired.message}`);
  const { elsewhere: sites = [] } = elsewhereOf(engine, desired.hosts);
  if (sites.length > 0 && bySites === true) return { kind: 'elsewhere', ...reading, sites };
  const parts = sites.map((site): SiteAdoption => ({ site, unread: [] }));
  return publish(engine, client, issue, request, reading, desired, parts);
}

/** The same, with what the workers of sites have found for it. */
export async function adoptWithSites(
  engine: Engine,
  issue: PullRef,
  request: IssueRequest,
  reading: AdoptionReading,
  parts: readonly SiteAdoption[],
): Promise<AdoptAnswer> {
  const client = await engine.github.installationClient(issue.repository.installationId);
  const desired = await desiredBy(engine, reading);
  if (desired.kind === 'invalid') return no(`the default branch is not valid: ${desired.message}`);
  return publish(engine, client, issue, request, reading, desired, parts);
}

/** Runs on a worker of the site. */
export async function readAdoption(
  engine: Engine,
  reading: AdoptionReading,
  site: string,
): Promise<SiteAdoption> {
  const desired = await desiredBy(engine, reading);
  if (desired.kind === 'invalid') throw permanent(`${reading.commit} is not valid: ${desired.message}`);
  const { adopting, unread, busy } = await readServers(engine, reading, desired, (at) => at === site);
  return { site, kept: await keepJson(engine, partOf(adopting)), unread, busy };
}

async function publish(
  engine: Engine,
  client: GitHubClient,
  issue: PullRef,
  request: IssueRequest,
  reading: AdoptionReading,
  desired: Desired,
  parts: readonly SiteAdoption[],
): Promise<AdoptAnswer> {
  const { repository, number } = issue;
  const { document, commit: baseSha } = reading;
  const isHere = (site: string) => parts.every((part) => part.site !== site);
  const read = await readServers(engine, reading, desired, isHere);
  const unread = [...read.unread, ...parts.flatMap((part) => unreadAt(part, desired))];
  const busy = [...read.busy, ...parts.flatMap((part) => part.busy ?? [])];
  const draft = draftAdoption(read.adopting, await foundAt(engine, parts));
  const cannot = draft.cannot.map(({ item, hosts, why }) => `${item} on ${hosts.join(', ')}: ${why}`);
  if (draft.adopted.length === 0) return no(nothingSentence(cannot.length, unread, parts, busy), cannot);
  const asked = { document, issue: number, asker: request.actor };
  const { title, body } = renderAdopt({ ...asked, unread, busy, ...draft });
  const published = await publishOwnBranch(client, repository, {
    branch: adoptBranch(number),
    baseRef: await defaultBranchOf(client, repository),
    baseSha,
    files: textsOf(draft.files),
    title,
    body: cutMarkdown(body, COMMENT_MAX_BYTES, 'cut here'),
  });
  if (published.kind === 'foreign') return no(foreignSentence(number, published.number));
  const items = draft.adopted.map(({ item }) => item);
  await audit(engine, issue, request, published.number, items);
  const { number: pull, again } = published;
  const left = busy.length === 0 ? {} : { busy: busy.slice(0, SAID_MAX) };
  return { kind: 'adopted', pull, changed: items.length, cannot: cannot.length, again, ...left };
}

/** All of them are UTF-8. */
export function textsOf(files: AdoptionDraft['files']): ReadonlyMap<string, string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return new Map([...files].map(([path, bytes]) => [path, decoder.decode(bytes)]));
}

function no(reason: string, cannot: readonly string[] = []): AdoptAnswer {
  return { kind: 'not-adopted', reason, cannot: cannot.slice(0, SAID_MAX) };
}

/** Sentences of one answer, and servers; all of them would be too long for a history. */
const SAID_MAX = 20;

/** Why nothing is adopted. `unread`, `busy`: servers; `parts`: what workers of sites have read. */
export function nothingSentence(
  cannot: number,
  unread: readonly string[],
  parts: readonly SiteAdoption[],
  busy: readonly string[] = [],
): string {
  if (busy.length > 0) {
    const rest = cannot + unread.length > 0 ? nothingSentence(cannot, unread, parts) : OTHERS_EQUAL;
    return `${rest}; left out, as a run that has not ended is to change them: ${busy.join(', ')}. Ask again once it has`;
  }
  if (cannot > 0) return 'nothing of what differs can be said in the document';
  const unserved = parts.flatMap(({ site, kept }) => (kept === undefined ? [unservedText(site)] : []));
  if (unread.length > 0)
    return [
      `the servers ${unread.join(', ')} cannot be read now, and the others do not differ`,
      ...unserved,
    ].join(': ');
  return 'the servers do not differ from the document any more';
}

const OTHERS_EQUAL = 'the other servers do not differ from the document any more';

function foreignSentence(issue: number, pull: number | undefined): string {
  const which = pull === undefined ? '' : ` (pull request #${pull})`;
  return `somebody else has committed to the branch ${adoptBranch(issue)}${which}, so it is left as it is. Merge or delete it, then ask again`;
}

/** What the document asks for at a commit, and of which hosts. */
interface Desired extends Pick<Adopting, 'files' | 'options'> {
  readonly kind: 'desired';
  /** Epoch ms, before it was read. */
  readonly at: number;
  readonly hosts: readonly ResolvedHost[];
  readonly payloads: Payloads;
}

async function desiredBy(
  engine: Engine,
  { repository, document, commit }: AdoptionReading,
): Promise<Desired | { readonly kind: 'invalid'; readonly message: string }> {
  const at = Date.now();
  const { files, refused, resolution, errors } = await engine.revisions.readCommit(repository, commit);
  const [error] = errors;
  if (error !== undefined) return { kind: 'invalid', message: error.message };
  const { payloads } = resolution;
  const hosts = resolution.hosts.filter(({ documents }) => documents.some(({ ref }) => ref === document));
  return { kind: 'desired', at, files, options: { refused }, hosts, payloads };
}

interface ServersRead {
  readonly adopting: Adopting;
  readonly unread: readonly string[];
  readonly busy: readonly string[];
}

async function readServers(
  engine: Engine,
  { repository, document, commit }: AdoptionReading,
  { at, files, options, hosts: all, payloads }: Desired,
  isHere: (site: string) => boolean,
): Promise<ServersRead> {
  const hosts = all.filter(({ server }) => isHere(server.site));
  const openRuns = (await engine.store.runs.openStates()).map(({ id }) => id);
  const mergedLater = mergedAfter(engine, repository, commit);
  const name = recordName(repository);
  const owner = { repository: name, openRuns, mergedLater };
  const pending = await mergedPlans(engine, name, at);
  const plannings = await planHosts(engine, { ...owner, hosts, payloads, changedItems: () => new Set() });
  // after it, for one may have begun meanwhile
  const changing = await busyHosts(engine, name, at);
  const isBusy = (host: string) => changing.has(host);
  const read = plannings.flatMap((planning): readonly ReadHost[] => {
    if (planning.kind === 'problem' || planning.mask === undefined) return [];
    const host = hosts.find(({ name }) => name === planning.plan.host);
    return host === undefined || isBusy(host.name) ? [] : [{ ...planning, host, mask: planning.mask }];
  });
  const unread = plannings.flatMap((planning) => (planning.kind === 'problem' ? [planning.host] : []));
  return {
    adopting: { ...owner, document, files, options, hosts: read, pending },
    unread: unread.filter((host) => !isBusy(host)),
    busy: hosts.map(({ name }) => name).filter(isBusy),
  };
}

/** Where no worker serves the site, that is all of its servers. */
function unreadAt({ site, kept, unread }: SiteAdoption, { hosts }: Desired): readonly string[] {
  if (kept !== undefined) return unread;
  return hosts.filter(({ server }) => server.site === site).map(({ name }) => name);
}

async function foundAt(engine: Engine, parts: readonly SiteAdoption[]): Promise<readonly AdoptionPart[]> {
  const read = parts.flatMap(({ kept }) => (kept === undefined ? [] : [kept]));
  return Promise.all(read.map((pieces) => keptJson<AdoptionPart>(engine, pieces)));
}

function audit(
  engine: Engine,
  issue: PullRef,
  { actor, actorId }: IssueRequest,
  pull: number,
  items: readonly string[],
): Promise<void> {
  return engine.store.audit.append({
    who: actor,
    what: 'adopt',
    repository: fullName(issue),
    pull: issue.number,
    detail: { adoptedBy: pull, items, ...(actorId === undefined ? {} : { account: actorId }) },
  });
}
