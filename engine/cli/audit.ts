import { parseArgs } from 'node:util';
import { messageOf } from '../hosts/host-error.ts';
import { AUDIT_PAGE_MAX, type AuditQuery, type AuditRecord } from '../store/audit.ts';
import type { ChainState } from '../store/auditChain.ts';
import { type ReceiptsState, verifyReceipts } from '../store/auditReceipts.ts';
import type { Store } from '../store/store.ts';
import { misuse } from './command.ts';
import { withStore } from './openStore.ts';
import { sinceTime } from './since.ts';
import { CliError, columns, counted, EXIT, type Io, painter, printable } from './terminal.ts';

type Options =
  | { readonly kind: 'list'; readonly query: AuditQuery; readonly json: boolean }
  | { readonly kind: 'verify'; readonly expected: string | undefined; readonly json: boolean };

/**
 * `doaas audit`: lists the log, or follows its chain of hashes from the first entry to the last and compares what it says
 * of receipts with them.
 */
export async function runAudit(argv: readonly string[], io: Io): Promise<number> {
  const options = parse(argv);
  return withStore('read', (store) =>
    options.kind === 'list' ? list(store, options, io) : verify(store, options, io),
  );
}

function parse(argv: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        since: { type: 'string' },
        repository: { type: 'string' },
        pull: { type: 'string' },
        verify: { type: 'boolean' },
        expect: { type: 'string' },
        json: { type: 'boolean' },
      },
    });
    const { since, repository, pull, expect: expected, json = false } = values;
    if (values.verify === true) {
      if (since !== undefined || repository !== undefined || pull !== undefined)
        throw new Error('--verify follows the whole log; leave --since, --repository and --pull out.');
      if (expected !== undefined && !/^[0-9a-f]{64}$/.test(expected))
        throw new Error('--expect takes a whole HASH: 64 characters of 0-9 and a-f.');
      return { kind: 'verify', expected, json };
    }
    if (expected !== undefined) throw new Error('--expect goes with --verify.');
    if (pull !== undefined && !/^[1-9]\d{0,9}$/.test(pull)) throw new Error('--pull takes a NUMBER.');
    const query = {
      ...(since === undefined ? {} : { since: sinceTime(since, Date.now()) }),
      ...(repository === undefined ? {} : { repository }),
      ...(pull === undefined ? {} : { pull: Number(pull) }),
    };
    return { kind: 'list', query, json };
  } catch (error) {
    throw misuse('audit', messageOf(error));
  }
}

/** Page by page, so that a log of years needs no memory. */
async function list(
  store: Store,
  { query, json }: Extract<Options, { kind: 'list' }>,
  io: Io,
): Promise<number> {
  const { repository } = query;
  const named = repository === undefined ? {} : { repository: await recordedName(store, repository) };
  let shown = 0;
  for (let afterSeq = 0; ; ) {
    const page = await store.audit.list({ ...query, ...named, afterSeq, limit: AUDIT_PAGE_MAX });
    shown += page.length;
    const last = page.at(-1);
    if (last === undefined) break;
    io.stdout.write(
      json ? page.map((entry) => `${JSON.stringify(entry)}\n`).join('') : columns(page.map(row)),
    );
    afterSeq = last.seq;
  }
  if (shown === 0 && !json) io.stdout.write('No entry.\n');
  return EXIT.done;
}

/** Entries stand under the first name of a repository. It may be called by its present one, too; GitHub knows no case of either. */
async function recordedName({ repositories, audit }: Store, name: string): Promise<string> {
  const [owner = '', rest = ''] = name.split('/');
  const known = (await repositories.findByName(owner, rest)) ?? (await repositories.findKnownAs(name));
  const recorded = known?.knownAs ?? (await audit.repositoryNamed(name));
  if (recorded !== undefined) return recorded;
  throw new CliError(
    `No repository ${printable(name)} is known here, under its present or its first name. --repository takes OWNER/NAME, as GitHub calls it.`,
  );
}

/** Times in UTC, whole seconds. */
function row({ at, who, what, repository, pull, headSha, digest, detail }: AuditRecord): readonly string[] {
  const place = pull === null ? (repository ?? '-') : `${repository ?? '-'}#${pull}`;
  const shas = [
    headSha === null ? '' : `head ${headSha.slice(0, 8)}`,
    digest === null ? '' : `plan ${digest.slice(0, 8)}`,
  ];
  const time = new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
  const rest = JSON.stringify(detail);
  const cells = [
    time,
    who,
    what,
    place,
    shas.filter((text) => text !== '').join(' '),
    rest === '{}' ? '' : rest,
  ];
  return cells.map((cell) => printable(cell === '' ? '-' : cell));
}

async function verify(
  store: Store,
  { expected, json }: Extract<Options, { kind: 'verify' }>,
  io: Io,
): Promise<number> {
  const state = await store.audit.verify();
  const missing = expected !== undefined && !(await store.audit.has(expected));
  const receipts = await verifyReceipts(store);
  const intact = state.brokenAt === undefined && !missing && receipts.edited.length === 0;
  const paint = painter(io);
  const text = paint(intact ? 'green' : 'red', verdict(state, missing, receipts));
  io.stdout.write(
    json
      ? `${JSON.stringify({ intact, ...state, receipts, ...(expected === undefined ? {} : { expected, found: !missing }) })}\n`
      : `${text}\n`,
  );
  return intact ? EXIT.done : EXIT.failed;
}

function verdict(
  { entries, head, brokenAt }: ChainState,
  missing: boolean,
  { runs, edited }: ReceiptsState,
): string {
  if (brokenAt !== undefined)
    return `The log was rewritten: entry ${brokenAt} does not fit the ${counted(entries, 'entry', 'entries')} before it. What stands from there on proves nothing; compare it with a backup of the store.`;
  if (missing)
    return `The log was cut: it fits in itself, but the expected hash is not in it. Entries at its end were removed, or this is another store.`;
  if (edited.length > 0)
    return `The log fits in itself, but the receipts of ${edited.map(printable).join(', ')} are not those that it names: they were changed after the run had ended. Compare the table receipts with a backup of the store.`;
  const vouched =
    runs === 0 ? '' : ` The receipts of ${counted(runs, 'run', 'runs')} are those that it names.`;
  return `${counted(entries, 'entry', 'entries')}, none rewritten.${vouched} Last hash, to keep somewhere else: ${head}`;
}
