import type { Amount } from './rollout.ts';

/** Hosts that an amount is of a fleet: at least as many, so a share of a few is not none. */
export function atLeast(amount: Amount, fleet: number): number {
  return amount.kind === 'hosts' ? amount.hosts : Math.ceil((amount.percent * fleet) / 100);
}

/** Hosts that an amount is of a fleet: never more. */
export function atMost(amount: Amount, fleet: number): number {
  return amount.kind === 'hosts' ? amount.hosts : Math.floor((amount.percent * fleet) / 100);
}
