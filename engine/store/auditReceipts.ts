import { AUDIT_PAGE_MAX, type AuditRecord } from './audit.ts';
import { receiptsDigest, receiptsSha256 } from './receiptsDigest.ts';
import type { Store } from './store.ts';

export interface ReceiptsState {
  /** Runs whose receipts an entry vouches for. */
  readonly runs: number;
  /** Those of them whose receipts are others than those of the entry. */
  readonly edited: readonly string[];
}

type Reading = Pick<Store, 'audit' | 'receipts'>;
type Vouched = Map<string, Readonly<Record<string, unknown>>>;

/** Computes again what the entries at the ends of runs say of their receipts. */
export async function verifyReceipts(store: Reading): Promise<ReceiptsState> {
  const vouched: Vouched = new Map();
  const read = await readOn(store, vouched, 0);
  const other = new Map<string, unknown>();
  for (const [run, detail] of vouched) if (!(await isAsVouched(store, run, detail))) other.set(run, detail);
  // a rollback that began meanwhile changes them with good right
  if (other.size > 0) await readOn(store, vouched, read);
  const edited = [...other].filter(([run, detail]) => vouched.get(run) === detail).map(([run]) => run);
  return { runs: vouched.size, edited };
}

async function readOn({ audit }: Reading, vouched: Vouched, after: number): Promise<number> {
  for (let afterSeq = after; ; ) {
    const page = await audit.list({ afterSeq, limit: AUDIT_PAGE_MAX });
    const last = page.at(-1);
    if (last === undefined) return afterSeq;
    for (const entry of page) take(vouched, entry);
    afterSeq = last.seq;
  }
}

/** The newest entry counts; while a run is taken back none does, for its receipts change then. */
function take(vouched: Vouched, { what, repository, pull, detail }: AuditRecord): void {
  const fields = (detail ?? {}) as Readonly<Record<string, unknown>>;
  const { run, of = run } = fields;
  if (typeof run !== 'string' || typeof of !== 'string') return;
  const place = `${repository}#${pull}`;
  if (fields.receiptsDigest !== undefined || fields.receiptsSha256 !== undefined)
    vouched.set(of, { ...fields, place });
  else if (what === 'rollback' && of !== run) vouched.delete(of);
  // an older engine did not say which run of the pull request it took back
  else if (what === 'rollback')
    for (const [known, { place: there }] of vouched) if (there === place) vouched.delete(known);
}

async function isAsVouched(
  { receipts }: Reading,
  run: string,
  { receiptsDigest: digest, receiptsSha256: sha256 }: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const stored = await receipts.ofRun(run);
  return digest === undefined ? receiptsSha256(stored) === sha256 : receiptsDigest(stored) === digest;
}
