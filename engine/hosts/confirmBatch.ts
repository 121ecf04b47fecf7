import { runDir } from '../operations/batch.ts';
import { sh } from '../shell/sh.ts';
import type { Session } from './session.ts';

/** What has become of a run with a net: `open` while neither side has spoken; `gone` where the host knows no such run. */
export type Verdict = 'open' | 'confirmed' | 'reverted' | 'unguarded' | 'gone';

const VERDICTS: readonly string[] = ['open', 'confirmed', 'reverted', 'unguarded'] satisfies Verdict[];

const SECONDS = 30;

/** Keeps what the run has done, however it ended. The host decides: `reverted` where its own time was over a moment before. Called again, it answers the same. */
export async function confirmBatch(session: Session, run: string): Promise<Verdict> {
  return ask(session, run, 'confirm');
}

export async function verdictOf(session: Session, run: string): Promise<Verdict> {
  return ask(session, run, 'verdict');
}

async function ask(session: Session, run: string, command: 'confirm' | 'verdict'): Promise<Verdict> {
  const script = sh`B=${runDir(run)}/batch.sh; [ -e "$B" ] || { echo '@ gone'; exit 0; }
grep -q '^NET_SECONDS=' "$B" || { echo '@ unguarded'; exit 0; } # of an engine that had no net
sh "$B" ${command}`;
  const { stdout } = await session.run(script, { timeoutSeconds: SECONDS });
  const said = /^@ (\w+)$/m.exec(stdout)?.[1] ?? '';
  return VERDICTS.includes(said) ? (said as Verdict) : 'gone';
}
