import { errorAt } from '../documents.ts';
import { DEFAULT_WITHIN_SECONDS, durationSeconds, MAX_WAIT_SECONDS, MIN_EVERY_SECONDS } from '../duration.ts';
import type { LocatedDocument, SpecError } from '../manifest.ts';
import type { ProbeSource } from '../types.generated.ts';
import { checkDuration } from './duration.ts';
import { listed } from './listed.ts';

/** What the schema cannot say about the probes of a document, which stand in `/spec/probes`. */
export function checkProbes(
  document: LocatedDocument,
  probes: readonly ProbeSource[] = [],
): readonly SpecError[] {
  return probes.flatMap((probe, index) => checkProbe(document, probe, `/spec/probes/${index}`));
}

/** Properties that belong to one form of probe only. */
const PROBE_FORMS = { http: ['status', 'contains'], tcp: [], command: ['user', 'exit', 'contains'] } as const;

function checkProbe(document: LocatedDocument, probe: ProbeSource, pointer: string): readonly SpecError[] {
  const forms = (['http', 'tcp', 'command'] as const).filter((form) => probe[form] !== undefined);
  const error = (message: string) => errorAt(document, 'wrong-value', pointer, message);
  const [form] = forms;
  if (form === undefined || forms.length > 1)
    return [error('A probe must have exactly one of http, tcp and command.')];
  const allowed: readonly string[] = [form, 'within', 'every', ...PROBE_FORMS[form]];
  const foreign = Object.keys(probe).filter((key) => !allowed.includes(key));
  const within = probe.within === undefined ? DEFAULT_WITHIN_SECONDS : durationSeconds(probe.within);
  return [
    ...(foreign.length > 0 ? [error(`A ${form} probe has no ${listed(foreign)}; remove that.`)] : []),
    ...(probe.within ? checkDuration(document, `${pointer}/within`, probe.within, 1, MAX_WAIT_SECONDS) : []),
    ...(probe.every
      ? checkDuration(document, `${pointer}/every`, probe.every, MIN_EVERY_SECONDS, within)
      : []),
    ...(probe.tcp === undefined || portOf(probe.tcp) <= 65535
      ? []
      : [errorAt(document, 'wrong-value', `${pointer}/tcp`, `${probe.tcp} has a port above 65535.`)]),
  ];
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
