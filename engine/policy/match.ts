import type { Step } from '../plan/step.ts';
import type { PolicyMatch, PolicyRule } from '../spec/types.generated.ts';
import type { Change, Place, Target } from './change.ts';
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
  const loses = change.targets.some((target) => isLost(match, target));
  if (match.paths !== undefined && paths.length === 0 && !loses) return undefined;
  const hosts = change.targets.filter((target) => matchesTarget(match, target)).map(({ name }) => name);
  if (hosts.length < (match.hostsAtLeast ?? (looksAtHosts(match) ? 1 : 0))) return undefined;
  const shown = [some(paths), ...(looksAtHosts(match) ? [some(hosts)] : [])].filter((text) => text !== '');
  return shown.length === 0 ? 'every change' : shown.join('; ');
}

/**
 * Whether there is nothing in a change that the match does not mean: every path, every step on every server, and that in all that
 * each server counts as, before the change and after it.
 */
export function coversAll(match: PolicyMatch, { targets, paths }: Matchable): boolean {
  const named = paths.every((path) => (match.paths ?? ['**']).some((glob) => matchesGlob(glob, path)));
  return named && targets.every((target) => coversTarget(match, target));
}

function coversTarget(match: PolicyMatch, { now, before, moved, steps }: Target): boolean {
  return (
    [...now, ...before].every((place) => isAt(match, place)) &&
    steps.every((step) => matchesStep(match, step)) &&
    (!moved || meansMoves(match))
  );
}

function looksAtHosts({ paths: _, ...match }: PolicyMatch): boolean {
  return Object.keys(match).length > 0;
}

/** What a server counted as until now is as good as what it counts as from now on. */
function matchesTarget(match: PolicyMatch, target: Target): boolean {
  const { now, before, moved, steps } = target;
  if (![...now, ...before].some((place) => isAt(match, place))) return false;
  return (
    steps.some((step) => matchesStep(match, step)) || (moved && meansMoves(match)) || isLost(match, target)
  );
}

/**
 * A rule that held for a server by its labels or site will not hold any more. It is asked whatever else it says of paths and steps: the
 * next pull request would do with the server what this rule is about, and not be asked.
 */
function isLost(match: PolicyMatch, { now, before, moved }: Target): boolean {
  if (!moved || (match.labels === undefined && match.sites === undefined)) return false;
  return before.some((place) => isAt(match, place)) && !now.some((place) => isAt(match, place));
}

function isAt({ labels = {}, sites }: PolicyMatch, place: Place): boolean {
  const labelled = Object.entries(labels).every(
    ([name, value]) => Object.hasOwn(place.labels, name) && place.labels[name] === value,
  );
  return labelled && among(sites, place.site);
}

/** A move is a change of a document of the kind `Server`, and no step. */
function meansMoves({ kinds, disruption, reversible }: PolicyMatch): boolean {
  return among(kinds, 'Server') && disruption === undefined && reversible === undefined;
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
