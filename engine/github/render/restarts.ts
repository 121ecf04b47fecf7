import type { Patches } from '../../security/host.ts';

type Restarts = Patches['restarts'];

/** What still runs code that was replaced, in sentences; nothing where nothing does. Names are those of the host. */
export function restartsText(restarts: Restarts): string | undefined {
  if (restarts.kind !== 'known')
    return `Which services still run what was replaced is not known: ${WHY[restarts.kind]}.`;
  const { units, deferred, leftovers = [], oneshots = [] } = restarts;
  const parts = [
    ...units,
    ...deferred.map((unit) => `${unit} (until a reboot)`),
    ...leftovers.map((unit) => `${unit} (processes from before its last start, until they end)`),
    ...oneshots.map((unit) => `${unit} (until it ends)`),
  ];
  return parts.length === 0 ? undefined : `Still run what was replaced: ${parts.join(', ')}.`;
}

const WHY: Readonly<Record<Exclude<Restarts['kind'], 'known'>, string>> = {
  absent: 'needrestart is not installed',
  vulnerable: 'needrestart has known holes there, so it is not run',
  failed: 'needrestart failed',
};
