import type { RolloutStage, RunRef, VerifyScope } from '../engine/activities/types.ts';
import { type Fleet, rolloutOf } from './fleet.ts';

/** `hosts`: those of the stage that are to be changed. Where the canary was skipped, one goes first for the others all the same. */
export function groupsOf(
  run: RunRef,
  stage: RolloutStage,
  hosts: readonly string[],
  fleet: Fleet,
): readonly (readonly string[])[] {
  if (hosts.length === 0) return [];
  const alone = isUnproven(run, stage, fleet) && !stage.canary && hosts.length > 1;
  return alone ? [hosts.slice(0, 1), hosts.slice(1)] : [hosts];
}

/** The wave has a canary, and no host has shown yet that it is good. */
export function isUnproven(run: RunRef, { wave }: RolloutStage, fleet: Fleet): boolean {
  return (
    !fleet.proven.has(wave) && rolloutOf(run).stages.some((stage) => stage.wave === wave && stage.canary)
  );
}

/** Whom the proof after a stage looks at, each as far as it was changed. */
export function toProve(run: RunRef, { hosts }: RolloutStage, { done }: Fleet): VerifyScope['hosts'] {
  const all = [...done].map(([host, wave]) => ({ host, wave }));
  return rolloutOf(run).probes === 'done' ? all : all.filter(({ host }) => hosts.includes(host));
}
