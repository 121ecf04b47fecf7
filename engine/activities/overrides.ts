import { keepComment, publishComment } from '../github/comment.ts';
import { getPull } from '../github/pulls.ts';
import { mention, prose } from '../github/render/escape.ts';
import { OVERRIDE_REASON_MAX, OVERRIDE_TITLES, type OverrideView } from '../github/render/override.ts';
import { recordName } from '../github/workflowIds.ts';
import type { AuditRecord } from '../store/audit.ts';
import type { Engine } from './engine.ts';
import { holdingPolicy } from './policy.ts';
import type { NoticeChange } from './pullEvent.ts';
import type { PlanRef, PullRef, Request } from './types.ts';

/** All that the comment says; kept in the audit log, from where it is written again. */
interface Notice extends OverrideView {
  /** Of the command. */
  readonly commentId: number;
  readonly headSha: string;
  readonly digest: string;
  readonly lifted: readonly string[];
  /** Logins, and teams as `organisation/team`. */
  readonly told: readonly string[];
}

/** A comment of its own, so that nothing overwrites it, and an entry of the audit log. Safe to repeat. */
export async function recordOverride(
  engine: Engine,
  pull: PullRef,
  plan: PlanRef,
  { actor: by, commentId, override }: Request,
  lifted: readonly string[],
): Promise<void> {
  if (override === undefined || commentId === undefined) return;
  const { headSha, digest } = plan;
  const told = await toldOf(engine, pull);
  const notice: Notice = { ...override, by, commentId, headSha, digest, lifted, told };
  const { repository, number } = pull;
  const client = await engine.github.installationClient(repository.installationId);
  await publishComment(client, repository, number, { key: keyOf(notice), body: textOf(notice) });
  const detail = { reason: override.reason, lifted, told, comment: commentId };
  await engine.store.audit.append({
    who: by,
    what: override.kind,
    repository: recordName(repository),
    pull: number,
    headSha,
    digest,
    detail,
    key: `${recordName(repository)} ${keyOf(notice)}`,
  });
}

/** Writes again what says of an override and was edited or deleted, and keeps who did that, where it is known. Safe to repeat. */
export async function restoreNotices(engine: Engine, pull: PullRef, change?: NoticeChange): Promise<void> {
  const { repository, number } = pull;
  const notices = await noticesOf(engine, pull);
  const changed = notices.find(({ commentId }) => commentId === change?.notice);
  if (change !== undefined && changed !== undefined) await keepChange(engine, pull, changed, change);
  if (notices.length === 0) return;
  const client = await engine.github.installationClient(repository.installationId);
  for (const notice of notices) {
    const view = { key: keyOf(notice), body: textOf(notice) };
    const at = notice === changed ? change?.commentId : undefined;
    await keepComment(client, repository, number, at === undefined ? view : { ...view, commentId: at });
  }
}

const HIDDEN = 'hide-override';

/** Once, however often it is told. */
async function keepChange(
  { store }: Engine,
  { repository, number: pull }: PullRef,
  { headSha, digest }: Notice,
  { by: who, notice, change }: NoticeChange,
): Promise<void> {
  const name = recordName(repository);
  const detail = { notice, change };
  // GitHub's times have whole seconds, in which two people can do so
  const key = `${name} ${HIDDEN} ${change} ${who}`;
  await store.audit.append({ who, what: HIDDEN, repository: name, pull, headSha, digest, detail, key });
}

async function toldOf(engine: Engine, { repository, number }: PullRef): Promise<readonly string[]> {
  const client = await engine.github.installationClient(repository.installationId);
  const snapshot = await getPull(client, repository, number);
  const holding = await holdingPolicy(engine, client, repository, snapshot);
  const notify = holding.kind === 'broken' ? undefined : holding.policy.spec?.people?.notify;
  return [
    ...(notify?.users ?? []).map((user) => user.split('#')[0] ?? ''),
    ...(notify?.teams ?? []).map((team) => `${repository.owner}/${team}`),
  ];
}

async function noticesOf({ store }: Engine, { repository, number }: PullRef): Promise<readonly Notice[]> {
  const what = ['override', 'break-glass'];
  const entries = await store.audit.list({ repository: recordName(repository), pull: number, what });
  return entries.flatMap((entry) => noticeOf(entry) ?? []);
}

/** Undefined for other entries, and for those of an engine that did not keep which comment it was. */
function noticeOf({ who, what, headSha, digest, detail }: AuditRecord): Notice | undefined {
  if (what !== 'override' && what !== 'break-glass') return undefined;
  const { reason, lifted, told, comment } = detail as Partial<{
    readonly reason: string;
    readonly lifted: readonly string[];
    readonly told: readonly string[];
    readonly comment: number;
  }>;
  if (comment === undefined || headSha === null || digest === null) return undefined;
  const said = { reason: reason ?? '', lifted: lifted ?? [], told: told ?? [] };
  return { kind: what, by: who, commentId: comment, headSha, digest, ...said };
}

function keyOf({ commentId }: Notice): string {
  return `override-${commentId}`;
}

function textOf({ kind, by, reason, lifted, told, headSha, digest }: Notice): string {
  const skipped = lifted.map((what) => `- ${prose(what, 1_000)}`);
  return [
    `### ${OVERRIDE_TITLES[kind]} by ${prose(by)}`,
    `Reason: ${prose(reason, OVERRIDE_REASON_MAX)}`,
    skipped.length === 0
      ? 'Nothing was missing at that moment.'
      : `Applied in spite of what was missing:\n\n${skipped.join('\n')}`,
    `Head ${headSha.slice(0, 8)}, plan ${digest.slice(0, 8)}. It stands in the audit log.`,
    ...(told.length === 0 ? [] : [told.map(mention).join(' ')]),
  ].join('\n\n');
}
