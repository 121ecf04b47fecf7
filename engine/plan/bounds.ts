import type { Finding } from './step.ts';

/** Hosts have a say in the words of a plan, which has a bound for all of them together. Characters. */
export const MESSAGE_MAX = 4_000;

/** Findings of one host; of each document that has more, one says how many. */
export const FINDINGS_MAX = 200;

export function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max)}\n... cut at ${max} characters`;
}

/** The worst are kept, in their order. What stands for the rest of a document forbids and waits as they did. */
export function boundedFindings(findings: readonly Finding[]): readonly Finding[] {
  const all = findings.map((finding) => ({ ...finding, message: cut(finding.message, MESSAGE_MAX) }));
  if (all.length <= FINDINGS_MAX) return all;
  const worst = [...all].sort((a, b) => rankOf(a) - rankOf(b));
  const kept = new Set(worst.slice(0, FINDINGS_MAX));
  const rests = new Map<string, Finding[]>();
  for (const finding of worst.slice(FINDINGS_MAX)) {
    const rest = rests.get(finding.document);
    if (rest === undefined) rests.set(finding.document, [finding]);
    else rest.push(finding);
  }
  return [...all.filter((finding) => kept.has(finding)), ...[...rests.values()].flatMap(standIn)];
}

function rankOf({ severity, waits }: Finding): number {
  if (severity === 'error') return 0;
  if (waits === true) return 1;
  return severity === 'warning' ? 2 : 3;
}

/** `rest`: of one document, the worst first. */
function standIn(rest: readonly Finding[]): readonly Finding[] {
  const [worst] = rest;
  if (worst === undefined) return [];
  const { kind, severity, host, document } = worst;
  const waits = rest.some((finding) => finding.waits === true);
  const message = `and ${rest.length} more of ${document} on ${host}`;
  return [{ kind, severity, host, document, message, ...(waits && { waits }) }];
}
