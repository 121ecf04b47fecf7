import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Sarif } from '../security/sarif.ts';
import type { GitHubClient, Repo } from './client.ts';
import { calling, GitHubError } from './errors.ts';

/** Of a SARIF file, compressed (docs.github.com, "SARIF support for code scanning": "gzip-compressed SARIF files up to 10 MB"). */
export const SARIF_MAX_BYTES = 10 * 1024 * 1024;

/** Results that GitHub keeps of one run, the worst (as above). */
export const SARIF_KEPT_MAX = 5_000;

/** GitHub knows uploads by it. */
const TOOL = 'doaas';

/** Between looks at what GitHub makes of an upload; one that takes longer is told as such. ms */
const LOOKS_AFTER_MS: readonly number[] = [1_000, 2_000, 4_000, 8_000, 15_000];

/** GitHub's words about one file that are told. */
const ERRORS_TOLD = 3;

export interface SarifUpload {
  /** Compressed with gzip; see `packedSarif`. */
  readonly sarif: Buffer;
  readonly commit: string;
  /** `refs/heads/main` */
  readonly ref: string;
  /** Of the reading, ISO time. */
  readonly startedAt: string;
}

export type UploadOutcome =
  /** `processed`: GitHub has stored it; else it had not looked at it yet when that was asked for the last time. */
  | { readonly kind: 'uploaded'; readonly id: string; readonly processed: boolean }
  /** As a sentence. `lasting`: until somebody changes a permission, a setting or a server. */
  | { readonly kind: 'not-uploaded'; readonly reason: string; readonly lasting: boolean };

/**
 * Hands a SARIF file to GitHub's code scanning, and waits a while for what becomes of it. What GitHub refuses, does not take now or
 * cannot process is an outcome: the next one replaces it.
 */
export async function uploadSarif(
  client: GitHubClient,
  repository: Repo,
  { sarif, commit, ref, startedAt }: SarifUpload,
  looksAfterMs: readonly number[] = LOOKS_AFTER_MS,
): Promise<UploadOutcome> {
  const { owner, name: repo } = repository;
  try {
    const { data } = await calling('Uploading SARIF', () =>
      client.octokit.codeScanning.uploadSarif({
        owner,
        repo,
        commit_sha: commit,
        ref,
        sarif: sarif.toString('base64'),
        started_at: startedAt,
        tool_name: TOOL,
      }),
    );
    return await becameOf(client, repository, data.id ?? '', looksAfterMs);
  } catch (error) {
    return refusalOf(error);
  }
}

/** What GitHub answers, as an outcome; throws everything else. */
export function refusalOf(error: unknown): UploadOutcome {
  if (!(error instanceof GitHubError)) throw error;
  return { kind: 'not-uploaded', reason: reasonOf(error), lasting: !error.retryable };
}

function reasonOf({ status, message }: GitHubError): string {
  if (status !== 403 && status !== 404) return message;
  return `${message.replace(/\.$/, '')}. The App needs the permission "Code scanning alerts: Read and write" (security_events), and the repository code scanning (docs/security-report.md).`;
}

async function becameOf(
  client: GitHubClient,
  repository: Repo,
  id: string,
  looksAfterMs: readonly number[],
): Promise<UploadOutcome> {
  for (const ms of [...looksAfterMs, undefined]) {
    const { processing_status: status, errors } = await statusOf(client, repository, id);
    if (status === 'complete') return { kind: 'uploaded', id, processed: true };
    if (status === 'failed') return { kind: 'not-uploaded', reason: failedWith(errors), lasting: false };
    if (ms !== undefined) await pause(ms);
  }
  return { kind: 'uploaded', id, processed: false };
}

function failedWith(errors: readonly string[] | null | undefined): string {
  const told = (errors ?? []).slice(0, ERRORS_TOLD).join('; ');
  return `GitHub could not process the file${told === '' ? '' : `: ${told}`}. What it shows may be that of an earlier one.`;
}

interface Processing {
  readonly processing_status?: 'pending' | 'complete' | 'failed';
  readonly errors?: readonly string[] | null;
}

/** The file is there already, so that GitHub does not say now what became of it is no failure. */
async function statusOf(client: GitHubClient, { owner, name: repo }: Repo, id: string): Promise<Processing> {
  try {
    const { data } = await calling('Reading what became of SARIF', () =>
      client.octokit.codeScanning.getSarif({ owner, repo, sarif_id: id }),
    );
    return data;
  } catch (error) {
    if (error instanceof GitHubError) return {};
    throw error;
  }
}

/** Whether the newest upload for a branch holds anything, whoever made it. Throws `GitHubError`. */
export async function hasAlerts(
  client: GitHubClient,
  { owner, name: repo }: Repo,
  ref: string,
): Promise<boolean> {
  try {
    const { data } = await calling('Listing analyses of code scanning', () =>
      client.octokit.codeScanning.listRecentAnalyses({ owner, repo, ref, tool_name: TOOL }),
    );
    return (data.find(({ error }) => error === '')?.results_count ?? 0) > 0;
  } catch (error) {
    // there is none, or there is no code scanning
    if (error instanceof GitHubError && error.type === 'github-not-found') return false;
    throw error;
  }
}

/** A SARIF log that fits, and how many results it has. */
export interface PackedSarif {
  readonly bytes: Buffer;
  readonly results: number;
}

/**
 * The largest of these that GitHub takes: `of` makes a SARIF log with at most so many results. Halved until it fits; one without
 * results always does.
 */
export function packedSarif(
  of: (max: number) => Sarif,
  most: number,
  maxBytes = SARIF_MAX_BYTES,
): PackedSarif {
  for (let max = most; max > 0; max = Math.floor(max / 2)) {
    const made = packed(of(max));
    if (made.bytes.byteLength <= maxBytes) return made;
  }
  return packed(of(0));
}

function packed(sarif: Sarif): PackedSarif {
  return { bytes: gzipSync(JSON.stringify(sarif)), results: sarif.runs[0].results.length };
}
