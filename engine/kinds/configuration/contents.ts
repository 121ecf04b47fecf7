import type { Payload, ResolvedConfiguration } from '../../spec/configuration.ts';

export function contentsOf(spec: ResolvedConfiguration): readonly Payload[] {
  return [
    ...Object.values(spec.aptRepositories).map(({ key }) => key),
    ...Object.values(spec.files).flatMap((file) => (file.state === 'file' ? [file.content] : [])),
    ...Object.values(spec.units).flatMap((unit) =>
      unit.state === 'present' && unit.content !== undefined ? [unit.content] : [],
    ),
  ];
}
