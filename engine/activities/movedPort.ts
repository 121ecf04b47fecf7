import type { Resolution } from '../spec/resolution.ts';
import type { HostPlanning } from './planning.ts';

/**
 * Says of servers that do not answer at the port to which the change moves them how that is done. The apply itself must get in
 * before sshd is changed, and so at the port that the document names (docs/decisions/0016-confirm-or-revert.md).
 */
export function withPortAdvice(
  plannings: readonly HostPlanning[],
  { base, merged }: { readonly base: Pick<Resolution, 'hosts'>; readonly merged: Pick<Resolution, 'hosts'> },
): readonly HostPlanning[] {
  return plannings.map((planning) => {
    if (planning.kind !== 'problem' || !planning.away) return planning;
    const [before, after] = [base, merged].map(
      ({ hosts }) => hosts.find(({ name }) => name === planning.host)?.server,
    );
    if (before === undefined || after === undefined || before.port === after.port) return planning;
    return { ...planning, message: `${planning.message} ${advice(before.port, after.port)}` };
  });
}

function advice(from: number, to: number): string {
  return [
    `This change moves it from port ${from} to ${to}. If sshd does not listen there yet, do it in three pull requests, each merged before the next is opened:`,
    `1. let sshd listen on both ("Port ${from}" and "Port ${to}" in a file of a Configuration) and, where there is a Firewall, let ${to}/tcp in by a rule;`,
    `2. change "port" of the Server to ${to};`,
    `3. take "Port ${from}" away, and that rule: a Firewall lets in the port of the Server by itself.`,
  ].join(' ');
}
