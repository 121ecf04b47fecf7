import { type Batch, batchPayloads, batchScript, runDir } from '../operations/batch.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import { beginUnder, type Fence, FencedError, leaveFence, passFence, refusalIn } from './fence.ts';
import { excerpt } from './host-error.ts';
import type { Session } from './session.ts';

/** What a run does on its host. `undo-late` is refused where a later run touched the same item. */
export type BatchMode = 'apply' | 'undo' | 'undo-late';

/** `reverted`: the host takes the run back by itself, or has. */
export type BatchEnd = 'applied' | 'failed' | 'refused' | 'cancelled' | 'reverted' | 'rolled-back' | 'held';

/** One line of the host's journal. */
export interface BatchEvent {
  readonly at: number;
  /** Id of the step; `-` for the run itself. */
  readonly step: string;
  readonly event: string;
  readonly detail: string;
}

export interface BatchResult {
  readonly kind: 'batch-result';
  readonly run: string;
  readonly mode: BatchMode;
  readonly end: BatchEnd;
  readonly events: readonly BatchEvent[];
  /** Last lines of what the failing step printed. Untrusted text of the host. */
  readonly output: string;
}

/** The batch's unit ended without a result, such as by an OOM kill or a reboot: run it again. */
export class BatchCutError extends Error {
  readonly type = 'batch-cut';
}

/** The host would not take the batch, such as on a full disk; nothing of it was begun. */
export class BatchNotStartedError extends Error {
  readonly type = 'batch-not-started';
}

/** Longest time that one call follows a batch. The unit itself goes on after it. Seconds. */
const FOLLOW_SECONDS_MAX = 3600;

/** What a host may print while it is followed. Bytes. */
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;

/** Of what a failed step printed. The host was asked for 6,000 bytes. Characters. */
const OUTPUT_KEPT_MAX = 6_000;

export interface BatchRunOptions {
  /** Of the lock under which the batch may begin; undefined where no lock was taken. */
  readonly fence?: Fence | undefined;
  readonly payloads: ReadonlyMap<string, Uint8Array>;
  readonly onEvent?: (event: BatchEvent) => void;
  readonly signal?: AbortSignal;
}

/**
 * Starts the batch as a transient systemd unit, or attaches to the one that runs, or reads the result of the one that
 * has ended: calling it again never starts an effect twice. Throws HostError (connection) and BatchCutError.
 */
export async function runBatch(
  session: Session,
  batch: Batch,
  options: BatchRunOptions,
): Promise<BatchResult> {
  return follow(
    session,
    batch.run,
    'apply',
    lines(
      deliver(session.target.name, batch, options),
      attach(batch.run, 'apply', options.fence, batch.net !== undefined),
    ),
    options,
  );
}

/** Puts back what the run changed. A run of which the host has nothing, because it never came there or was long ago, ends with `gone`. */
export async function undoBatch(
  session: Session,
  run: string,
  mode: 'undo' | 'undo-late',
  options: Pick<BatchRunOptions, 'onEvent' | 'signal' | 'fence'>,
): Promise<BatchResult> {
  const { fence } = options;
  const script = lines(
    sh`D=${runDir(run)}; if [ ! -e "$D/batch.sh" ]; then
${fence === undefined ? sh`:` : leaveFence(fence)}
${nothingToUndo()}; exit 0
fi`,
    fence === undefined ? sh`:` : lines(passFence(fence), sh`exec 9>&-`),
    settle(run),
    attach(run, mode, fence),
  );
  return follow(session, run, mode, script, options);
}

/** Asks a running batch to stop before its next step. */
export async function cancelBatch(session: Session, run: string): Promise<void> {
  await session.run(sh`D=${runDir(run)}; [ ! -d "$D" ] || : > "$D/cancel"`, { timeoutSeconds: 30 });
}

/** Kept back on the host's disk, so that a run which fills it can still be journaled and undone. Bytes. */
const RESERVE_BYTES = 128 * 1024;

/** `server`: under whose name the batch comes; by another one, this machine has a batch of the run already. */
function deliver(server: string, batch: Batch, { payloads, fence }: BatchRunOptions): Sh {
  const files = batchPayloads(batch).map((sha256) => deliverPayload(sha256, payloads.get(sha256)));
  return lines(
    sh`set -eu; umask 077; D=${runDir(batch.run)}
trap '[ -e "$D/batch.sh" ] || rm -rf "$D"' EXIT
mkdir -p "$D/payloads"; chmod 700 ${'/var/lib/doaas'}
( set -C; echo ${server} > "$D/server" ) 2> /dev/null || :
case "$(cat "$D/server")" in ${server} | '') ;; *)
echo "it has a batch of this run already, as $(head -c 100 "$D/server"): two Server documents are of one machine; keep one of them" >&2; exit 3 ;;
esac
if [ ! -e "$D/batch.sh" ]; then
head -c ${RESERVE_BYTES} /dev/zero > "$D/reserve"`,
    fence === undefined ? sh`:` : sh`echo ${`${fence.store} ${fence.number}`} > "$D/lock"`,
    ...files,
    sh`base64 -d > "$D/batch.new" <<'EOF'
${base64(Buffer.from(batchScript(batch).text))}
EOF
sync -f "$D"; mv -f "$D/batch.new" "$D/batch.sh"
fi`,
  );
}

function deliverPayload(sha256: string, bytes: Uint8Array | undefined): Sh {
  if (bytes === undefined)
    throw new Error(`the content ${sha256} of the plan is not in the store; plan again`);
  return sh`base64 -d > "$D/payloads"/${sha256} <<'EOF'
${base64(Buffer.from(bytes))}
EOF`;
}

/** Base64 in lines; it can neither end the here-document nor be code. */
function base64(bytes: Buffer): Sh {
  return { kind: 'sh', text: (bytes.toString('base64').match(/.{1,76}/g) ?? []).join('\n') };
}

/** Follows the unit's journal to its end; the shell must be in the state that `deliver` leaves. */
function attach(run: string, mode: BatchMode, fence: Fence | undefined, guarded = false): Sh {
  // however the unit ends, the time in which the run must be confirmed begins
  const stopped = guarded ? sh`-p ${`ExecStopPost=/bin/sh ${runDir(run)}/batch.sh net-stopped`}` : sh``;
  // held until the unit is started, so that no later holder comes between
  const [pass, letGo] = fence === undefined ? [sh`:`, sh`:`] : [passFence(fence), sh`exec 9>&-`];
  return sh`D=${runDir(run)}; M=${mode}; U=${unitName(run, mode)}; J="$D/$M.journal"; touch "$J"
if ! grep -q '	end	' "$J"; then
  ${pass}
  ${mode === 'apply' && fence !== undefined ? beginUnder(fence) : sh`:`}
  systemctl is-active -q "$U" || systemd-run --quiet --collect --unit="$U" --description=${`doaas ${mode} ${run}`} -p TasksMax=infinity -p LimitCORE=0 -p OOMScoreAdjust=-500 ${stopped} /bin/sh "$D/batch.sh" "$M"
  ${letGo}
fi
P=$(systemctl show -p MainPID --value "$U" 2>/dev/null || echo 0)
if [ "$P" -gt 0 ] 2>/dev/null; then tail -n +1 -f -s 0.1 --pid="$P" "$J"; else cat "$J"; fi
if ! grep -q '	end	' "$J"; then echo '@ cut'; exit 0; fi
for f in "$D"/steps/*/started; do
  s=$(dirname "$f"); [ -e "$f" ] && [ ! -e "$s/done" ] && [ -e "$s/out" ] || continue
  echo '@ output'; tail -n 40 "$s/out" | tail -c 6000
done
echo; echo '@ end'`;
}

/** An undo waits until the run's apply has come to a safe point. */
function settle(run: string): Sh {
  return sh`: > "$D/cancel"; U=${unitName(run, 'apply')}
P=$(systemctl show -p MainPID --value "$U" 2>/dev/null || echo 0)
if [ "$P" -gt 0 ] 2>/dev/null; then tail -f -s 0.1 --pid="$P" /dev/null; fi`;
}

function nothingToUndo(): Sh {
  return { kind: 'sh', text: `printf '0\\t-\\t%b\\n' gone 'end\\trolled-back'; echo '@ end'` };
}

function unitName(run: string, mode: BatchMode): string {
  return `doaas-${run}-${mode}.service`;
}

async function follow(
  session: Session,
  run: string,
  mode: BatchMode,
  script: Sh,
  options: Pick<BatchRunOptions, 'onEvent' | 'signal'>,
): Promise<BatchResult> {
  const result = await session.run(script, {
    timeoutSeconds: FOLLOW_SECONDS_MAX,
    maxOutputBytes: OUTPUT_BYTES_MAX,
    onLine: (line) => {
      const event = parseEvent(line);
      if (event !== undefined) options.onEvent?.(event);
    },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return readResult(session, run, mode, result);
}

function readResult(
  session: Session,
  run: string,
  mode: BatchMode,
  result: { readonly stdout: string; readonly stderr: string; readonly exitCode: number | null },
): BatchResult {
  const fenced = refusalIn(result.stdout);
  if (fenced !== undefined) {
    throw new FencedError(
      `${session.target.name} was given to a later run (lock ${fenced.seen}) than the one that the run ${run} had (lock ${fenced.shown}), so it may not ${mode} there any more; nothing was changed`,
    );
  }
  const [journal = '', ...outputs] = result.stdout.split(/^@ output\n/m);
  const events = journal.split('\n').flatMap((line) => parseEvent(line) ?? []);
  // a line that a full disk cut short may stand before the whole one
  const end = events.findLast((event) => event.event === 'end');
  if (end === undefined) {
    const why = result.stderr.trim().slice(-500);
    if (mode === 'apply' && result.exitCode !== 0 && !/^@ cut$/m.test(journal)) {
      throw new BatchNotStartedError(
        `the run ${run} could not be brought to ${session.target.name}: ${excerpt(why)}`,
      );
    }
    throw new BatchCutError(
      `${session.target.name}: the run ${run} stopped without a result${why === '' ? '' : ` (${why})`}; it is taken up again`,
    );
  }
  const output = outputs
    .join('')
    .replace(/\n?@ end\n?$/, '')
    .replace(/^\n+/, '')
    .trimEnd()
    .slice(-OUTPUT_KEPT_MAX);
  return { kind: 'batch-result', run, mode, end: end.detail as BatchEnd, events, output };
}

/** Of one line; it becomes part of results, which Temporal bounds. Characters. */
const DETAIL_MAX = 2_000;
/** Of a step's id; a path alone may have 4,096. */
const ID_MAX = 8_192;

/** Undefined for a line that is no journal line. */
export function parseEvent(line: string): BatchEvent | undefined {
  const [at, step, event, ...detail] = line.split('\t');
  if (event === undefined || step === undefined || !/^\d{1,12}(\.\d{1,9})?$/.test(at ?? '')) return undefined;
  if (step.length > ID_MAX || event.length > ID_MAX) return undefined;
  return { at: Number(at), step, event, detail: detail.join(' ').slice(0, DETAIL_MAX) };
}
