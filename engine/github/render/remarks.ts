import { code, prose } from './escape.ts';
import type { HostProblem } from './views.ts';
import { count, names } from './words.ts';

/** What there is to say of a run beside its steps. */
export interface Beside {
  /** What these did that no plan could name, such as which services were restarted: in words of the hosts. */
  readonly remarks?: readonly HostProblem[];
  /** What verify found that no step of the run does, such as a reboot that waits. */
  readonly left?: readonly HostProblem[];
}

/** Sentences shown; more are counted. */
const SHOWN_MAX = 20;
/** Characters of one: a host bounds the names in it at 1,500 bytes. */
const SENTENCE_MAX = 2_000;

/** What is to be said of servers; the same of several is said once. */
export function remarksList(heading: string, remarks: readonly HostProblem[]): string {
  const hostsOf = new Map<string, string[]>();
  for (const { host, message } of remarks) hostsOf.set(message, [...(hostsOf.get(message) ?? []), host]);
  const all = [...hostsOf];
  if (all.length === 0) return '';
  const lines = all
    .slice(0, SHOWN_MAX)
    .map(([message, hosts]) => `- ${code(names(hosts))}: ${prose(message, SENTENCE_MAX)}`);
  const more = all.length - lines.length;
  return [
    `**${heading}**`,
    '',
    ...lines,
    ...(more > 0 ? [`- ${count(more, 'more sentence')} not shown`] : []),
  ].join('\n');
}

export const DONE_HEADING = 'What was done beside';
export const LEFT_HEADING = 'What is left';
export const LEFT_IN_TITLE = '; what is left is said below';
