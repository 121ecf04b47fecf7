import type { ResolvedConfiguration } from '../spec/configuration.ts';
import type { ResolvedDocument } from '../spec/resolution.ts';
import { configuration } from './configuration/plan.ts';
import type { Kind } from './kind.ts';

/** The kind of a resolved document. Exhaustive: a new kind does not compile until it has an entry. */
const kinds: { readonly [K in ResolvedDocument['kind']]: Kind<ResolvedConfiguration> } = {
  Configuration: configuration,
};

export function kindOf(document: ResolvedDocument): Kind<ResolvedConfiguration> {
  return kinds[document.kind];
}
