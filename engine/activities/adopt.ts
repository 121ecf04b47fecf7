import { type Adopting, draftAdoption, type ReadHost } from '../adopt/draft.ts';
import { publishOwnBranch } from '../github/adopt.ts';
import { ownIssue } from '../github/issues.ts';
import { COMMENT_MAX_BYTES } from '../github/limits.ts';
import { branchTip } from '../github/pulls.ts';
import { renderAdopt } from '../github/render/adopt.ts';
import { cutMarkdown } from '../github/render/cut.ts';
import { defaultBranchOf } from '../github/repositories.ts';
import { adoptBranch } from './adoptionBranch.ts';
import type { Engine } from './engine.ts';
import { mergedAfter } from './mergedLater.ts';
import { planHosts } from './planning.ts';
import { fullName } from './pull.ts';
import type { AdoptAnswer, IssueRequest, PullRef } from './types.ts';

const KEY = 'drift:';

/** Reads the servers anew, and opens or renews the pull request. Changes nothing on them. */
export async function adoptDrift(
  engine: Engine,
  issue: PullRef,
  request: IssueRequest,
): Promise<AdoptAnswer> {
  const { repository, number } = issue;
  const client = await engine.github.installationClient(repository.installationId);
  const own = await ownIssue(client, repository, number);
  if (own === undefined || !own.key.startsWith(KEY))
    return no('this is no drift issue. `adopt` belongs on one that the engine opened');
  if (!own.open) return no('this issue is closed: the servers are as the branch says');
  const document = own.key.slice(KEY.length);
  const baseRef = await defaultBranchOf(client, repository);
  const baseSha = await branchTip(client, repository, baseRef);
  const read = await readServers(engine, issue, document, baseSha);
  if (read.kind === 'invalid') return no(`the default branch is not valid: ${read.message}`);
  const { adopting, unread } = read;
  const draft = draftAdoption(adopting);
  const cannot = draft.cannot.map(({ item, hosts, why }) => `${item} on ${hosts.join(', ')}: ${why}`);
  if (draft.adopted.length === 0) return no(nothingSentence(cannot.length, unread), cannot);
  const { title, body } = renderAdopt({ document, issue: number, asker: request.actor, unread, ...draft });
  const published = await publishOwnBranch(client, repository, {
    branch: adoptBranch(number),
    baseRef,
    baseSha,
    files: new Map([...draft.files].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)])),
    title,
    body: cutMarkdown(body, COMMENT_MAX_BYTES, 'cut here'),
  });
  if (published.kind === 'foreign') return no(foreignSentence(number, published.number));
  await audit(
    engine,
    issue,
    request,
    published.number,
    draft.adopted.map(({ item }) => item),
  );
  const { number: pull, again } = published;
  return { kind: 'adopted', pull, changed: draft.adopted.length, cannot: cannot.length, again };
}

function no(reason: string, cannot: readonly string[] = []): AdoptAnswer {
  return { kind: 'not-adopted', reason, cannot: cannot.slice(0, SAID_MAX) };
}

/** Sentences of one answer; all of them would be too long for a history. */
const SAID_MAX = 20;

function nothingSentence(cannot: number, unread: readonly string[]): string {
  if (cannot > 0) return 'nothing of what differs can be said in the document';
  if (unread.length > 0)
    return `the servers ${unread.join(', ')} cannot be read now, and the others do not differ`;
  return 'the servers do not differ from the document any more';
}

function foreignSentence(issue: number, pull: number | undefined): string {
  const which = pull === undefined ? '' : ` (pull request #${pull})`;
  return `somebody else has committed to the branch ${adoptBranch(issue)}${which}, so it is left as it is. Merge or delete it, then ask again`;
}

type ServersRead =
  | { readonly kind: 'read'; readonly adopting: Adopting; readonly unread: readonly string[] }
  | { readonly kind: 'invalid'; readonly message: string };

async function readServers(
  engine: Engine,
  issue: PullRef,
  document: string,
  commit: string,
): Promise<ServersRead> {
  const { repository } = issue;
  const { files, refused, resolution, errors } = await engine.revisions.readCommit(repository, commit);
  const [error] = errors;
  if (error !== undefined) return { kind: 'invalid', message: error.message };
  const hosts = resolution.hosts.filter(({ documents }) => documents.some(({ ref }) => ref === document));
  const openRuns = (await engine.store.runs.openStates()).map(({ id }) => id);
  const owner = {
    repository: fullName(issue),
    openRuns,
    mergedLater: mergedAfter(engine, repository, commit),
  };
  const plannings = await planHosts(engine, {
    ...owner,
    hosts,
    payloads: resolution.payloads,
    changedItems: () => new Set(),
  });
  const read = plannings.flatMap((planning): readonly ReadHost[] => {
    const host = hosts.find(({ name }) => planning.kind === 'planned' && name === planning.plan.host);
    return planning.kind === 'problem' || host === undefined ? [] : [{ ...planning, host }];
  });
  const unread = plannings.flatMap((planning) => (planning.kind === 'problem' ? [planning.host] : []));
  return { kind: 'read', adopting: { ...owner, document, files, options: { refused }, hosts: read }, unread };
}

function audit(
  engine: Engine,
  issue: PullRef,
  { actor }: IssueRequest,
  pull: number,
  items: readonly string[],
): Promise<void> {
  return engine.store.audit.append({
    who: actor,
    what: 'adopt',
    repository: fullName(issue),
    pull: issue.number,
    detail: { adoptedBy: pull, items },
  });
}
