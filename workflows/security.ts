import type {
  BranchTip,
  IssueRequest,
  PullRef,
  RepositoryRef,
  Request,
  SecurityPart,
  SecurityRevision,
} from '../engine/activities/types.ts';
import { publishing, reporting, reportingAt, short } from './activities.ts';
import { noted } from './attempt.ts';
import { REPORTING } from './help.ts';
import { whileServed } from './sites.ts';

/** Reads the servers of the default branch as they are now, and answers with the report. */
export async function answerSecurity(pull: PullRef, request: Request | IssueRequest): Promise<void> {
  const tip = await short.defaultBranchTip(pull.repository);
  await readAll({ repository: pull.repository, commit: tip.commit, at: tip.at });
  const { command, at, commentId } = request;
  await reporting.publishSecurity(pull.repository, tip, { pull, request: { command, at, commentId } });
}

/** The same by the clock, for GitHub's code scanning only; nothing for a repository without documents about security. */
export async function uploadSecurity(repository: RepositoryRef, tip: BranchTip): Promise<void> {
  const read = await readAll({ repository, commit: tip.commit, at: tip.at, byClock: true });
  if (read > 0) await publishing.publishSecurity(repository, tip);
}

/** How many servers there are to read. */
async function readAll(revision: SecurityRevision): Promise<number> {
  const { total, elsewhere = [] } = await inParts((start) => reporting.readSecurity(revision, start));
  const away = await Promise.all(
    elsewhere.map((site) =>
      whileServed(site, () => inParts((start) => reportingAt(site).readSecurity(revision, start, site))),
    ),
  );
  return away.reduce((sum, part) => sum + (part?.total ?? 0), total) + elsewhere.length;
}

async function inParts(read: (start: number) => Promise<SecurityPart>): Promise<SecurityPart> {
  const first = await read(0);
  const { next, total } = first;
  const starts: number[] = [];
  if (next !== undefined) for (let start = next; start < total; start += next) starts.push(start);
  await Promise.all(starts.map(read));
  return first;
}

/** One report at a time for a pull request, beside whatever else is asked of it: servers may take their time to answer. */
export function reporter(
  pull: PullRef,
  answer: (request: Request, text: string) => Promise<void>,
  failed: (request: Request, error: unknown) => Promise<void>,
) {
  let making: Promise<void> | undefined;
  return {
    begin: async (request: Request): Promise<void> => {
      if (making !== undefined) return answer(request, REPORTING);
      making = answerSecurity(pull, request)
        .catch((error: unknown) => failed(request, error))
        .catch(noted)
        .finally(() => {
          making = undefined;
        });
    },
    isMaking: (): boolean => making !== undefined,
  };
}
