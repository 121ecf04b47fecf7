import { errorAtKey } from '../../spec/documents.ts';
import type { SpecError } from '../../spec/manifest.ts';
import { resolveProbes } from '../../spec/probes.ts';
import { type Resolving, type ResolvingHost, storeContent } from '../../spec/resolving.ts';
import type { Oddity } from './findings.ts';
import { judged } from './judged.ts';
import { reachProbes } from './outside.ts';
import type { FirewallDocument } from './peers.ts';
import type { ReadFirewall } from './read.ts';
import { rulesetText } from './ruleset.ts';
import type { DesiredFirewall, ResolvedFirewall } from './spec.ts';

/** The rules are the same on all hosts; the ways of the engine itself are each host's own. */
export function prepareFirewall(
  document: FirewallDocument,
  resolving: Resolving,
): (host: ResolvingHost) => ResolvedFirewall {
  // Mistakes have been reported by `check`.
  const { firewall, errors, oddities, servers } = judged(document, resolving.serverDocuments, true);
  if (errors.length === 0) resolving.warnings.push(...warningsOf(document, oddities));
  const probes = resolveProbes(document.spec.probes);
  return (host) => {
    const desired = desiredOn(firewall, host, resolving);
    const bytes = new TextEncoder().encode(rulesetText(desired));
    const outside = reachProbes(document, host.document, [...resolving.serverDocuments.values()]);
    const script = storeContent(resolving, document, bytes, '/spec');
    return { desired, script, probes: [...probes, ...outside], servers };
  };
}

function desiredOn(
  { management, ...rules }: ReadFirewall,
  { server, jumpFor }: ResolvingHost,
  { servers }: Resolving,
): DesiredFirewall {
  const jumps = jumpFor.flatMap((name) => {
    const other = servers.get(name);
    return other === undefined ? [] : [{ address: other.address, port: other.port }];
  });
  return { management: { port: management.port ?? server.port, from: management.from, jumps }, ...rules };
}

function warningsOf(document: FirewallDocument, oddities: readonly Oddity[]): readonly SpecError[] {
  const odd = oddities.filter(({ severity }) => severity === 'warning');
  return [...odd, ...unusedNames(document)].map(({ pointer, message }) =>
    errorAtKey(document, 'no-effect', pointer, message),
  );
}

function unusedNames({ spec }: FirewallDocument) {
  const { sets = {}, zones = {}, targets, ...rest } = spec;
  const used = [...namesUnder(rest)];
  const unused = (names: readonly string[], property: readonly string[], what: string) =>
    names
      .filter((name) => !used.some(([key, value]) => property.includes(key) && value === name))
      .map((name) => ({ pointer: `/spec/${what}s/${name}`, message: `No rule uses the ${what} ${name}.` }));
  return [
    ...unused(Object.keys(sets), ['set'], 'set'),
    ...unused(Object.keys(zones), ['zone', 'toZone'], 'zone'),
  ];
}

/** Every property with a text below a value. */
function* namesUnder(value: unknown): Iterable<readonly [string, string]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    if (typeof child === 'string') yield [key, child];
    else yield* namesUnder(child);
  }
}
