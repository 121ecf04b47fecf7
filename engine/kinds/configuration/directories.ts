import { type PathState, pathFact } from '../../facts/path.ts';
import { makeDirectory } from '../../operations/path.ts';
import type { StepDraft } from '../../plan/step.ts';
import type { ResolvedConfiguration, ResolvedDirectory } from '../../spec/configuration.ts';
import { stateOf } from '../readings.ts';
import { type AccountUse, accountNeeds, missingAccounts, ownershipUses } from './accounts.ts';
import { attributeDiff } from './diff.ts';
import { describe, pointerTo, removal } from './files.ts';
import type { Section } from './section.ts';

/** Directories: mode, owner, group. Parents come before what lies in them. */
export const directoriesSection: Section = {
  section: 'directories',
  claims: (spec) =>
    Object.keys(spec.directories).map((path) => ({
      item: `path:${path}`,
      pointer: pointerTo('directories', path),
    })),
  needs: (spec) => [
    ...Object.keys(spec.directories).map((path) => ({ fact: 'path', key: path })),
    ...accountNeeds(spec, ownersOf(spec)),
  ],
  plan: (spec, readings) => ({
    steps: Object.entries(spec.directories)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([path, directory]) => planDirectory(path, directory, stateOf(readings, pathFact, path))),
    findings: missingAccounts(spec, readings, ownersOf(spec)),
  }),
};

function ownersOf(spec: ResolvedConfiguration): readonly AccountUse[] {
  return Object.entries(spec.directories).flatMap(([path, directory]) =>
    directory.state === 'directory' ? ownershipUses(`directory ${path}`, directory) : [],
  );
}

function planDirectory(path: string, want: ResolvedDirectory, now: PathState): readonly StepDraft[] {
  if (want.state === 'absent') return now.present ? [removal(path, now)] : [];
  const { mode, owner, group } = want;
  const before = now.type === 'directory' ? { mode: now.mode, owner: now.owner, group: now.group } : {};
  const diff = attributeDiff(before, { mode, owner, group });
  if (diff === '') return [];
  return [
    {
      id: `directory:${path}`,
      operation: makeDirectory.operation,
      params: { path, mode, owner, group },
      dependsOn: [],
      reversible: 'yes',
      disruption: 'none',
      summary: now.present ? `${path} ${diff.replaceAll('\n', ', ')}` : `${path} new directory`,
      diff: now.present && now.type !== 'directory' ? `- ${describe(now)}\n${diff}` : diff,
    },
  ];
}
