import { type HostsEntryState, hostsEntryFact } from '../../facts/hostsEntry.ts';
import { setHostsEntry } from '../../operations/hostsEntry.ts';
import type { KindPlan } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { pointerTo } from './files.ts';
import { joined, steps } from './outcome.ts';
import type { Section } from './section.ts';

/** Lines of /etc/hosts by address; exactly one line for each. */
export const hostsEntriesSection: Section = {
  section: 'hostsEntries',
  claims: (spec) =>
    Object.keys(spec.hostsEntries).map((address) => ({
      item: `hosts-entry:${address}`,
      pointer: pointerTo('hostsEntries', address),
    })),
  needs: (spec) => Object.keys(spec.hostsEntries).map((address) => ({ fact: 'hosts-entry', key: address })),
  plan: (spec, readings) =>
    joined(
      Object.entries(spec.hostsEntries).map(([address, names]) =>
        planEntry(address, names, stateOf(readings, hostsEntryFact, address)),
      ),
    ),
};

function planEntry(address: string, names: readonly string[], now: HostsEntryState): KindPlan {
  const wanted = names.join(' ');
  if (now.lines.length === 1 && now.lines[0]?.join(' ') === wanted) return steps();
  return steps({
    id: `hosts-entry:${address}`,
    operation: setHostsEntry.operation,
    params: { address, names },
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
    summary: `/etc/hosts ${address} ${now.present ? 'changed' : 'new'}`,
    diff: [...now.lines.map((line) => `- ${address} ${line.join(' ')}`), `+ ${address} ${wanted}`].join('\n'),
  });
}
