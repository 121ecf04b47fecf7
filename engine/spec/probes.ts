import type { Probe } from '../kinds/kind.ts';
import { DEFAULT_EVERY_SECONDS, DEFAULT_WITHIN_SECONDS, durationSeconds } from './duration.ts';
import { optional } from './optional.ts';
import type { ProbeSource } from './types.generated.ts';

/** Fills in what is left out. The schema has checked the shape. */
export function resolveProbes(sources: readonly ProbeSource[] = []): readonly Probe[] {
  return sources.map(probe);
}

function probe(source: ProbeSource): Probe {
  const timing = {
    withinSeconds: source.within === undefined ? DEFAULT_WITHIN_SECONDS : durationSeconds(source.within),
    everySeconds: source.every === undefined ? DEFAULT_EVERY_SECONDS : durationSeconds(source.every),
  };
  const contains = optional('contains', source.contains);
  if (source.http !== undefined) {
    return { kind: 'http', url: source.http, status: source.status ?? 200, ...contains, ...timing };
  }
  if (source.tcp !== undefined) return { kind: 'tcp', ...splitAddress(source.tcp), ...timing };
  return {
    kind: 'command',
    argv: source.command ?? [],
    user: source.user ?? 'nobody',
    exit: source.exit ?? 0,
    ...contains,
    ...timing,
  };
}

/** `[::1]:80` and `localhost:80`. */
function splitAddress(text: string): { address: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { address: text.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(text.slice(colon + 1)) };
}
