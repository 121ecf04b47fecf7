import type { FactQuery, Readings } from '../../facts/fact.ts';
import type { ResolvedConfiguration } from '../../spec/configuration.ts';
import type { Claim, KindPlan, Payloads, Seals } from '../kind.ts';

/**
 * One part of a Configuration, such as its packages. Sections are planned in the order of plan.ts; a section may
 * look at the whole spec (the owner of a file is a user of the same document) but emits steps only for its own items.
 */
export interface Section {
  readonly section: keyof ResolvedConfiguration;
  readonly claims: (spec: ResolvedConfiguration) => readonly Claim[];
  readonly needs: (spec: ResolvedConfiguration) => readonly FactQuery[];
  readonly plan: (
    spec: ResolvedConfiguration,
    readings: Readings,
    payloads: Payloads,
    seals: Seals,
  ) => KindPlan;
}
