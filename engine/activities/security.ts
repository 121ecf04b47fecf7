import { packedSarif, type UploadOutcome, uploadSarif } from '../github/codeScanning.ts';
import { publishComment, replyTo } from '../github/comment.ts';
import { prose } from '../github/render/escape.ts';
import { renderSecurity } from '../github/render/security.ts';
import { recordName } from '../github/workflowIds.ts';
import { findingsOf, type SecurityFinding } from '../security/findings.ts';
import { isSecured } from '../security/needs.ts';
import { placesIn } from '../security/places.ts';
import { type SecurityReport, securityReport } from '../security/report.ts';
import { RESULTS_MAX, sarifOf } from '../security/sarif.ts';
import { errorsByOwnPolicy } from '../spec/check.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { LATEST } from '../store/securityHosts.ts';
import { ownVersion } from '../version.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { HOSTS_PER_ACTIVITY } from './hostsPerActivity.ts';
import { advisoriesFor, readSecurity } from './readSecurity.ts';
import type { SecurityPublished, SecurityRevision } from './securityTypes.ts';
import { elsewhereOf } from './sites.ts';
import type { BranchTip, RepositoryRef, SecurityActivities, SecurityAsked, SecurityPart } from './types.ts';

/** The security report of a default branch: read part by part, and published once. */
export function securityActivities(engine: Engine): SecurityActivities {
  const told = new Set<string>();
  return {
    readSecurity: (revision, start, site) => readPart(engine, revision, start, site),
    publishSecurity: (repository, tip, asked) => publish(engine, repository, tip, asked, told),
  };
}

async function readPart(
  engine: Engine,
  { repository, commit, at, byClock }: SecurityRevision,
  start: number,
  site: string | undefined,
): Promise<SecurityPart> {
  const tree = await engine.revisions.resolveCommit(repository, commit);
  const [mistake] = errorsByOwnPolicy(tree);
  if (mistake !== undefined) throw permanent(`${commit} is not valid: ${mistake.message}`);
  const { resolution } = tree;
  if (byClock === true && !isSecured(resolution.hosts)) return { total: 0 };
  const away = site === undefined ? elsewhereOf(engine, resolution.hosts) : {};
  const all = resolution.hosts.filter(({ server }) =>
    site === undefined ? away.elsewhere?.includes(server.site) !== true : server.site === site,
  );
  const end = start + HOSTS_PER_ACTIVITY;
  const changelogs = (await engine.tracker.of(new Set())) === undefined;
  const read = await readSecurity(engine.transport, all.slice(start, end), { lookers: all, changelogs });
  await engine.store.securityHosts.save(recordName(repository), at, read);
  return { total: all.length, ...(end < all.length ? { next: end } : {}), ...away };
}

async function publish(
  engine: Engine,
  repository: RepositoryRef,
  tip: BranchTip,
  asked: SecurityAsked | undefined,
  told: Set<string>,
): Promise<SecurityPublished> {
  const name = recordName(repository);
  const { manifest, resolution } = await engine.revisions.readCommit(repository, tip.commit);
  const locate = placesIn(manifest);
  const hosts = await readHosts(engine, name, tip, resolution.hosts);
  const advisories = await advisoriesFor(engine.tracker, hosts);
  const report = securityReport(hosts, { commit: tip.commit, locate, ...(advisories && { advisories }) });
  const findings = findingsOf(report);
  const version = await ownVersion();
  const sarif = (max: number) => sarifOf(findings, { version, locate, max });
  const client = await engine.github.installationClient(repository.installationId);
  const upload = await uploadSarif(client, repository, {
    sarif: packedSarif(sarif, RESULTS_MAX),
    commit: tip.commit,
    ref: `refs/heads/${tip.branch}`,
    startedAt: new Date(tip.at).toISOString(),
  });
  tell(engine, name, upload, told);
  if (asked !== undefined) await answer(engine, asked, report, findings, upload);
  return { findings: findings.length, uploaded: upload.kind === 'uploaded' };
}

/** In the order of the repository, also as a later reading saw it meanwhile. One that nobody has read is told as such. */
async function readHosts(engine: Engine, name: string, tip: BranchTip, wanted: readonly ResolvedHost[]) {
  const names = wanted.map((host) => host.name);
  await engine.store.securityHosts.keepOnly(name, names, tip.at);
  const read = new Map(
    (await engine.store.securityHosts.of(name, tip.at, LATEST)).map((host) => [host.host, host] as const),
  );
  const problem = 'no worker of its site has read it';
  return names.map((host) => read.get(host) ?? ({ kind: 'unread', host, problem } as const));
}

/** What only a person can change is said once, until it works again. `told`: repositories of which this process has said it. */
function tell({ log }: Engine, repository: string, upload: UploadOutcome, told: Set<string>): void {
  if (upload.kind === 'uploaded') {
    told.delete(repository);
    return;
  }
  if (!upload.lasting || !told.has(repository))
    log.warn({ repository, reason: upload.reason }, 'the security report was not uploaded for code scanning');
  if (upload.lasting) told.add(repository);
}

async function answer(
  engine: Engine,
  { pull, request }: SecurityAsked,
  report: SecurityReport,
  findings: readonly SecurityFinding[],
  upload: UploadOutcome,
): Promise<void> {
  const client = await engine.github.installationClient(pull.repository.installationId);
  const body = [renderSecurity(report), uploadNote(upload, findings.length)].join('\n\n');
  const { commentId, command, at } = request;
  if (commentId !== undefined) await replyTo(client, pull.repository, pull.number, commentId, body);
  else
    await publishComment(client, pull.repository, pull.number, {
      key: `button-${command}-${Date.parse(at)}`,
      body,
    });
}

/** Characters of GitHub's own words. */
const REASON_MAX = 500;

function uploadNote(upload: UploadOutcome, findings: number): string {
  if (upload.kind === 'uploaded')
    return `Uploaded for code scanning: ${findings} findings stand under **Security > Code scanning**.`;
  return `Not uploaded for code scanning: ${prose(upload.reason, REASON_MAX)}`;
}
