import type {
  AdoptElsewhere,
  Answer,
  IssueRequest,
  PullRef,
  SiteAdoption,
} from '../engine/activities/types.ts';
import { reading, readingAt, short } from './activities.ts';
import { noted } from './attempt.ts';
import { causeOf } from './cause.ts';
import { isKeep, ONLY_KEEP } from './pullCancel.ts';
import { answerSecurity } from './security.ts';
import { whileServed } from './sites.ts';

/** What somebody asked for in a comment on an issue: heard at once, and always answered. */
export async function issueRequest(issue: PullRef, request: IssueRequest): Promise<void> {
  await short.acknowledge(issue, request).catch(noted);
  const answer = await obey(issue, request).catch((error: unknown): Answer => {
    return { kind: 'failed', command: request.command, reason: causeOf(error) };
  });
  if (answer !== undefined) await short.answer(issue, request, answer);
}

/** Undefined: it was answered. */
async function obey(issue: PullRef, request: IssueRequest): Promise<Answer | undefined> {
  if (request.mistaken !== undefined) return request.mistaken;
  const refusal = await short.refusalOnIssue(issue, request);
  if (refusal !== undefined) return refusal;
  switch (request.command) {
    case 'help':
      return HELP;
    case 'status':
      return short.describeStatus(issue, 'issue');
    case 'security':
      await answerSecurity(issue, request);
      return undefined;
    case 'unlock':
      return short.unlock(issue, request, 'issue');
    case 'adopt':
      return adopt(issue, request);
    case 'cancel': {
      const keep = isKeep(request.argument);
      return keep === undefined ? ONLY_KEEP : short.cancelCorrection(issue, request, keep);
    }
  }
}

/** Servers that only workers of their sites reach are read there; then it is one pull request. */
async function adopt(issue: PullRef, request: IssueRequest): Promise<Answer> {
  const first = await reading.adoptDrift(issue, request, true);
  if (first.kind !== 'elsewhere') return first;
  const { repository, document, commit, sites } = first;
  const wanted = { repository, document, commit };
  const parts = await Promise.all(sites.map((site) => adoptionAt(site, first)));
  return reading.adoptWithSites(issue, request, wanted, parts);
}

async function adoptionAt(
  site: string,
  { repository, document, commit }: AdoptElsewhere,
): Promise<SiteAdoption> {
  const wanted = { repository, document, commit };
  const part = await whileServed(site, () => readingAt(site).readAdoption(wanted, site));
  return part ?? { site, unread: [] };
}

/** Markdown. */
const HELP = [
  '`/doaas adopt` opens a pull request that changes the YAML to what is on the servers.',
  '`/doaas cancel` stops a correction of this issue at the next safe point and rolls it back; `/doaas cancel keep` keeps what it has put back.',
  '`/doaas status` says which corrections of this issue ran, and what they hold.',
  '`/doaas security` reports how secure the servers of the default branch are now.',
  '`/doaas unlock` frees servers that a correction of this issue holds and no living run.',
].join('\n');
