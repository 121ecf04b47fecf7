import { SARIF_KEPT_MAX, type UploadOutcome } from '../codeScanning.ts';
import { prose } from './escape.ts';
import { count } from './words.ts';

/** Characters of GitHub's own words. */
const REASON_MAX = 500;

export interface HandedOver {
  /** All that there are. */
  readonly findings: number;
  /** Of them, those in the file. */
  readonly handedOver: number;
  /** Findings of servers, or of what of them could not be looked at now, as an earlier reading saw them. */
  readonly earlier: number;
}

/** What became of the report among GitHub's alerts, as Markdown. */
export function renderUpload(upload: UploadOutcome, { findings, handedOver, earlier }: HandedOver): string {
  if (upload.kind === 'not-uploaded')
    return `Not uploaded for code scanning: ${prose(upload.reason, REASON_MAX)}`;
  const all = count(findings, 'finding');
  const cut = handedOver < findings ? `${handedOver} of ${all}, the worst,` : all;
  const kept =
    handedOver > SARIF_KEPT_MAX ? ` GitHub keeps ${SARIF_KEPT_MAX} of what it is given, the worst.` : '';
  const old =
    earlier === 0 ? '' : ` Of all, ${earlier} could not be looked at again and stand as they were seen last.`;
  const stand = upload.processed
    ? 'stand under **Security > Code scanning**.'
    : 'were taken by GitHub, which has not processed them yet; they come under **Security > Code scanning**.';
  return `Uploaded for code scanning: ${cut} ${stand}${kept}${old}`;
}
