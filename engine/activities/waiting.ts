import type { WaitingForLockView } from '../github/render/views.ts';
import type { Engine } from './engine.ts';
import type { RunDetail } from './runViews.ts';
import type { RunPhase } from './types.ts';

/** Further back in the queue than this, a place changes more often than GitHub lets us tell it. */
export const PLACES_TOLD = 10;

interface Before {
  readonly holders: readonly { readonly pull: string }[];
  readonly ahead: readonly { readonly pull: string }[];
}

/** Whom a run waits for: who holds its hosts, then who goes before it. Comma and space between them. */
export function namesBefore({ holders, ahead }: Before): string {
  return [...new Set([...holders, ...ahead].map(({ pull }) => pull))].join(', ');
}

/**
 * A run that waits asks for its place again and again; saying the same again would only use up GitHub's limits. What was said
 * is kept with the run, as another process may have said something else since.
 */
export function isSaid({ said }: Pick<RunDetail, 'said'>, phase: RunPhase): boolean {
  return phase.kind === 'waiting' && said === saidOf(phase);
}

export function saidOf(phase: Waiting): string {
  return `${placeTold(phase) ?? ''} ${phase.behind}`;
}

export async function waitingView(engine: Engine, phase: RunPhase): Promise<WaitingForLockView | undefined> {
  if (phase.kind !== 'waiting') return undefined;
  const locks = await engine.store.locks.list();
  const names = phase.behind === '' ? [] : phase.behind.split(', ');
  const holders = names.map((holder) => {
    const held = locks.filter((lock) => lock.pull === holder);
    const hosts = held.map((lock) => lock.host.split(' ')[0] ?? '');
    const since = held.length === 0 ? {} : { since: Math.min(...held.map((lock) => lock.takenAt)) };
    return { holder, hosts, ...since };
  });
  const position = placeTold(phase);
  return { kind: 'waiting-for-lock', holders, ...(position === undefined ? {} : { position }) };
}

type Waiting = Extract<RunPhase, { kind: 'waiting' }>;

function placeTold({ position }: Waiting): number | undefined {
  return position > PLACES_TOLD ? undefined : position;
}
