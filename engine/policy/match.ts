import type { Step } from '../plan/step.ts';
import type { PolicyMatch, PolicyRule } from '../spec/types.generated.ts';
import type { Change, Target } from './change.ts';
import { matchesGlob } from './glob.ts';

export interface MatchedRule {
  readonly name: string;
  readonly rule: PolicyRule;
  /** Why it matches, for people: `databases/db.yaml; db-1, db-2`. */
  readonly because: string;
}

type Matchable = Pick<Change, 'targets' | 'paths'>;

/** The rules that hold for a change, in the order of the policy. */
export function matchedRules(
  rules: Readonly<Record<string, PolicyRule>>,
  change: Matchable,
): readonly MatchedRule[] {
  return Object.entries(rules).flatMap(([name, rule]) => {
    const because = matches(rule.match ?? {}, change);
    return because === undefined ? [] : [{ name, rule, because }];
  });
}

/** Undefined: it does not match. */
function matches(match: PolicyMatch, change: Matchable): string | undefined {
  const paths = change.paths.filter((path) => (match.paths ?? []).some((glob) => matchesGlob(glob, path)));
  if (match.paths !== undefined && paths.length === 0) return undefined;
  const hosts = change.targets.filter((target) => matchesTarget(match, target)).map(({ name }) => name);
  if (hosts.length < (match.hostsAtLeast ?? (looksAtHosts(match) ? 1 : 0))) return undefined;
  const shown = [some(paths), ...(looksAtHosts(match) ? [some(hosts)] : [])].filter((text) => text !== '');
  return shown.length === 0 ? 'every change' : shown.join('; ');
}

/** Whether there is nothing in a change that the match does not mean: every path, every step on every server. */
export function coversAll(match: PolicyMatch, { targets, paths }: Matchable): boolean {
  const named = paths.every((path) => (match.paths ?? ['**']).some((glob) => matchesGlob(glob, path)));
  return (
    named &&
    targets.every(({ steps, ...target }) =>
      steps.every((step) => matchesTarget(match, { ...target, steps: [step] })),
    )
  );
}

function looksAtHosts({ paths: _, ...match }: PolicyMatch): boolean {
  return Object.keys(match).length > 0;
}

function matchesTarget({ labels = {}, sites, ...match }: PolicyMatch, target: Target): boolean {
  const labelled = Object.entries(labels).every(
    ([name, value]) => Object.hasOwn(target.labels, name) && target.labels[name] === value,
  );
  return (
    labelled && among(sites, target.site) && target.steps.some((candidate) => matchesStep(match, candidate))
  );
}

/** All that is said of a step must be true of the same one. */
function matchesStep({ kinds, disruption, reversible }: PolicyMatch, step: Step): boolean {
  return (
    among(kinds, step.document.split('/')[0] ?? '') &&
    among(disruption, step.disruption) &&
    among(reversible, step.reversible)
  );
}

function among(wanted: readonly string[] | undefined, value: string): boolean {
  return wanted === undefined || wanted.includes(value);
}

const SHOWN = 3;

export function some(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return names.slice(0, SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
