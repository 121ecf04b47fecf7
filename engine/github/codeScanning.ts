import { gzipSync } from 'node:zlib';
import type { GitHubClient, Repo } from './client.ts';
import { calling, GitHubError } from './errors.ts';

/** Of a SARIF file, compressed (docs.github.com, "SARIF support for code scanning": "gzip-compressed SARIF files up to 10 MB"). */
export const SARIF_MAX_BYTES = 10 * 1024 * 1024;

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
  | { readonly kind: 'uploaded'; readonly id: string }
  /** As a sentence. `lasting`: until somebody changes a permission or a setting. */
  | { readonly kind: 'not-uploaded'; readonly reason: string; readonly lasting: boolean };

/** Hands a SARIF file to GitHub's code scanning. What GitHub refuses, or does not take now, is an outcome: the next one replaces it. */
export async function uploadSarif(
  client: GitHubClient,
  { owner, name: repo }: Repo,
  { sarif, commit, ref, startedAt }: SarifUpload,
): Promise<UploadOutcome> {
  try {
    const { data } = await calling('Uploading SARIF', () =>
      client.octokit.codeScanning.uploadSarif({
        owner,
        repo,
        commit_sha: commit,
        ref,
        sarif: sarif.toString('base64'),
        started_at: startedAt,
        tool_name: 'doaas',
      }),
    );
    return { kind: 'uploaded', id: data.id ?? '' };
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    return { kind: 'not-uploaded', reason: reasonOf(error), lasting: !error.retryable };
  }
}

function reasonOf({ status, message }: GitHubError): string {
  if (status !== 403 && status !== 404) return message;
  return `${message.replace(/\.$/, '')}. The App needs the permission "Code scanning alerts: Read and write" (security_events), and the repository code scanning (docs/security-report.md).`;
}

/**
 * The largest of these that GitHub takes: `of` makes a SARIF log with at most so many results. Halved until it fits; one without
 * results always does.
 */
export function packedSarif(of: (max: number) => unknown, most: number, maxBytes = SARIF_MAX_BYTES): Buffer {
  for (let max = most; max > 0; max = Math.floor(max / 2)) {
    const bytes = gzipSync(JSON.stringify(of(max)));
    if (bytes.byteLength <= maxBytes) return bytes;
  }
  return gzipSync(JSON.stringify(of(0)));
}
