import { createHash } from 'node:crypto';
import { type AptRepositoryState, aptRepositoryFact, repositoryPaths } from '../../facts/aptRepository.ts';
import type { Readings } from '../../facts/fact.ts';
import { addRepository } from '../../operations/aptRepository.ts';
import type { StepDraft } from '../../plan/step.ts';
import type { ResolvedAptRepository, ResolvedConfiguration } from '../../spec/configuration.ts';
import { stateOf } from '../readings.ts';
import { pointerTo } from './files.ts';
import type { Section } from './section.ts';

/** Apt sources, each signed by its own key and by no other. */
export const aptRepositoriesSection: Section = {
  section: 'aptRepositories',
  claims: (spec) =>
    Object.keys(spec.aptRepositories).map((name) => ({
      item: `apt-repository:${name}`,
      pointer: pointerTo('aptRepositories', name),
    })),
  needs: (spec) => Object.keys(spec.aptRepositories).map((key) => ({ fact: 'apt-repository', key })),
  plan: (spec, readings) => ({ steps: repositorySteps(spec, readings), findings: [] }),
};

/** Also asked by the packages, whose versions are not known before their repository is there. */
export function repositorySteps(spec: ResolvedConfiguration, readings: Readings): readonly StepDraft[] {
  return Object.entries(spec.aptRepositories).flatMap(([name, want]) =>
    planRepository(name, want, stateOf(readings, aptRepositoryFact, name)),
  );
}

/** The sources file in deb822 format, sources.list(5). */
export function sourcesText(name: string, want: ResolvedAptRepository): string {
  const { armored, binary } = repositoryPaths(name);
  const fields = {
    Types: 'deb',
    URIs: want.uris.join(' '),
    Suites: want.suites.join(' '),
    ...(want.components.length === 0 ? {} : { Components: want.components.join(' ') }),
    ...(want.architectures.length === 0 ? {} : { Architectures: want.architectures.join(' ') }),
    'Signed-By': want.armored ? armored : binary,
  };
  const text = Object.entries(fields).map(([field, value]) => `${field}: ${value}\n`);
  return text.join('');
}

function planRepository(
  name: string,
  want: ResolvedAptRepository,
  now: AptRepositoryState,
): readonly StepDraft[] {
  const text = sourcesText(name, want);
  const sources = createHash('sha256').update(text).digest('hex');
  const keyring = `${want.armored ? 'asc' : 'gpg'}:${want.key.sha256}`;
  if (now.sources === sources && now.keyring === keyring) return [];
  return [
    {
      id: `apt-repository:${name}`,
      operation: addRepository.operation,
      params: { name, text, sources, key: want.key.sha256, armored: want.armored },
      dependsOn: [],
      reversible: 'yes',
      disruption: 'none',
      summary: `apt repository ${name} ${now.present ? 'changed' : 'new'}: ${want.uris.join(' ')}`,
      diff: [
        ...(now.sources === sources ? [] : text.trimEnd().split('\n')).map((line) => `+ ${line}`),
        ...(now.keyring === keyring ? [] : [`+ key sha256 ${want.key.sha256}`]),
      ].join('\n'),
    },
  ];
}
