import {
  hasAlerts,
  type PackedSarif,
  packedSarif,
  refusalOf,
  type UploadOutcome,
  uploadSarif,
} from '../github/codeScanning.ts';
import { publishComment, replyTo } from '../github/comment.ts';
import { renderSecurity } from '../github/render/security.ts';
import { renderUpload } from '../github/render/upload.ts';
import { names } from '../github/render/words.ts';
import { recordName } from '../github/workflowIds.ts';
import { findingsOf } from '../security/findings.ts';
import type { HostSecurity } from '../security/host.ts';
import { isPartlyUnknown, unknownHosts, withKnown } from '../security/known.ts';
import { placesIn } from '../security/places.ts';
import { securityReport } from '../security/report.ts';
import { RESULTS_MAX, sarifOf } from '../security/sarif.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { alone } from '../store/alone.ts';
import { LATEST } from '../store/securityHosts.ts';
import { ownVersion } from '../version.ts';
import type { Engine } from './engine.ts';
import { advisoriesFor } from './readSecurity.ts';
import type { SecurityPublished } from './securityTypes.ts';
import type { BranchTip, RepositoryRef, SecurityAsked } from './types.ts';

export interface Publishing {
  readonly repository: RepositoryRef;
  /** Where the branch was when its servers were about to be read. */
  readonly tip: BranchTip;
  /** Left out: by the clock. */
  readonly asked?: SecurityAsked;
  readonly signal: AbortSignal;
  /** Repositories of which this process has said why nothing is uploaded. */
  readonly told: Set<string>;
}

type Parts = Pick<Engine, 'store' | 'revisions' | 'tracker' | 'github' | 'log'>;

/** One report of what was read, handed to GitHub's code scanning and to whoever asked. */
export async function publishSecurity(engine: Parts, publishing: Publishing): Promise<SecurityPublished> {
  const { repository, tip, asked, told } = publishing;
  const name = recordName(repository);
  const { manifest, resolution } = await engine.revisions.readCommit(repository, tip.commit);
  const locate = placesIn(manifest);
  const hosts = await readHosts(engine, name, tip, resolution.hosts);
  const advisories = await advisoriesFor(engine.tracker, hosts);
  const version = await ownVersion();
  const made = { commit: tip.commit, now: Date.now(), version };
  const report = securityReport(hosts, { ...made, locate, ...(advisories && { advisories }) });
  const findings = findingsOf(report);
  const packed = packedSarif((max) => sarifOf(findings, { version, locate, max }), RESULTS_MAX);
  const upload = await inTurn(engine, publishing, packed, unknownHosts(hosts));
  tell(engine, name, upload, told);
  const handed = {
    findings: findings.length,
    handedOver: packed.results,
    earlier: findings.filter(({ isEarlier }) => isEarlier).length,
  };
  if (asked !== undefined)
    await answer(engine, asked, [renderSecurity(report), renderUpload(upload, handed)].join('\n\n'));
  return { findings: findings.length, uploaded: upload.kind === 'uploaded' };
}

/** In the order of the repository, also as a later reading saw it meanwhile, and as an earlier one did where this one saw nothing. */
async function readHosts(
  { store: { securityHosts } }: Parts,
  name: string,
  tip: BranchTip,
  wanted: readonly ResolvedHost[],
): Promise<readonly HostSecurity[]> {
  const all = wanted.map((host) => host.name);
  await securityHosts.keepOnly(name, all, tip.at);
  const read = new Map(
    (await securityHosts.of(name, tip.at, LATEST)).map((host) => [host.host, host] as const),
  );
  const problem = 'no worker of its site has read it';
  const now = all.map((host) => read.get(host) ?? ({ kind: 'unread', host, problem } as const));
  const known = await securityHosts.remembered(
    name,
    now.filter(isPartlyUnknown).map(({ host }) => host),
  );
  return wanted.map((host, i) => {
    const one = now[i] ?? { kind: 'unread', host: host.name, problem };
    return withKnown(one, known.get(host.name) ?? [], host);
  });
}

/**
 * Each upload replaces the one before, so those of one repository go one after the other, over all processes, and one whose servers
 * were read before those of the newest is left out.
 */
function inTurn(
  engine: Parts,
  { repository, tip, signal }: Publishing,
  packed: PackedSarif,
  unknown: readonly string[],
): Promise<UploadOutcome> {
  const { leases, securityHosts } = engine.store;
  const name = recordName(repository);
  return alone(leases, `security ${name}`, signal, async (held) => {
    const last = await securityHosts.lastUpload(name);
    if (last !== undefined && last > tip.at) return OVERTAKEN;
    const client = await engine.github.installationClient(repository.installationId);
    const ref = `refs/heads/${tip.branch}`;
    if (last === undefined && unknown.length > 0) {
      const refused = await closesUnknown(client, repository, ref, unknown);
      if (refused !== undefined) return refused;
    }
    await held();
    const startedAt = new Date(tip.at).toISOString();
    const upload = await uploadSarif(client, repository, {
      sarif: packed.bytes,
      commit: tip.commit,
      ref,
      startedAt,
    });
    if (upload.kind === 'uploaded') await securityHosts.noteUpload(name, tip.at);
    return upload;
  });
}

const OVERTAKEN: UploadOutcome = {
  kind: 'not-uploaded',
  reason: 'a report of a later reading was uploaded meanwhile, and stands.',
  lasting: false,
};

/**
 * Alerts that an upload opened which this store does not know of may be about servers that nobody has read since; an upload without
 * them would close those.
 */
async function closesUnknown(
  client: Parameters<typeof hasAlerts>[0],
  repository: RepositoryRef,
  ref: string,
  unknown: readonly string[],
): Promise<UploadOutcome | undefined> {
  try {
    if (!(await hasAlerts(client, repository, ref))) return undefined;
  } catch (error) {
    return refusalOf(error);
  }
  const reason = `nothing, or not all, is known of ${names(unknown)}, and GitHub has alerts that this engine's store does not know of: an upload would close those of such servers. It goes on once they could be looked at, or have left the repository (docs/security-report.md).`;
  return { kind: 'not-uploaded', reason, lasting: true };
}

/** What only a person can change is said once, until it works again. `told`: repositories of which this process has said it. */
function tell({ log }: Parts, repository: string, upload: UploadOutcome, told: Set<string>): void {
  if (upload === OVERTAKEN) return;
  if (upload.kind === 'uploaded') {
    told.delete(repository);
    return;
  }
  if (!upload.lasting || !told.has(repository))
    log.warn({ repository, reason: upload.reason }, 'the security report was not uploaded for code scanning');
  if (upload.lasting) told.add(repository);
}

async function answer({ github }: Parts, { pull, request }: SecurityAsked, body: string): Promise<void> {
  const client = await github.installationClient(pull.repository.installationId);
  const { commentId, command, at } = request;
  if (commentId !== undefined) await replyTo(client, pull.repository, pull.number, commentId, body);
  else
    await publishComment(client, pull.repository, pull.number, {
      key: `button-${command}-${Date.parse(at)}`,
      body,
    });
}
