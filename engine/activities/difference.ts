import { oneLine } from '../github/render/escape.ts';
import type { Uncovered } from '../plan/digest.ts';

/** Steps and servers named; the newest plan has all of them. */
const NAMED = 5;
/** Of a step's summary. Characters: five of them and as many servers stay within what a check and an answer show of a reason. */
const SUMMARY_MAX = 80;
/** Of a server's name. Characters. */
const HOST_MAX = 40;

/** What fresh facts ask for and nobody has approved: data, escaped by whoever shows it. No full stop. */
export function differenceSentence(uncovered: readonly Uncovered[]): string {
  const hosts = [...new Set(uncovered.map(({ step }) => step.host))];
  const state = listed(hosts.map((host) => oneLine(host, HOST_MAX)));
  const steps = uncovered.map(
    ({ step, is }) => `${oneLine(step.host, HOST_MAX)}: ${oneLine(step.summary, SUMMARY_MAX)} (${is})`,
  );
  return `the state of ${state} has changed since the plan. Not approved so: ${listed(steps, '; ')}`;
}

function listed(all: readonly string[], separator = ', '): string {
  const more = all.length - NAMED;
  return more > 0 ? `${all.slice(0, NAMED).join(separator)} and ${more} more` : all.join(separator);
}
