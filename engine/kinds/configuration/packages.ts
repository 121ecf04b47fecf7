import type { Readings } from '../../facts/fact.ts';
import {
  type AptTransaction,
  type PackageQuery,
  type PackageState,
  packageFact,
} from '../../facts/package.ts';
import { type InstallPackages, installPackages, removePackages } from '../../operations/packages.ts';
import type { StepDraft } from '../../plan/step.ts';
import type { ResolvedConfiguration, ResolvedPackage } from '../../spec/configuration.ts';
import { transactionOf, waysInAlong } from '../along.ts';
import type { KindPlan } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { repositorySteps } from './aptRepositories.ts';
import { pointerTo } from './files.ts';
import type { Section } from './section.ts';

/** A package that is not in lists younger than this is taken for a mistake. Seconds. */
const FRESH_LISTS_SECONDS = 3600;

/** Names shown of what comes along; the rest is counted. */
const NAMES_SHOWN_MAX = 20;

type Wanted = Extract<ResolvedPackage, { state: 'present' }>;
/** What apt does to packages that the step is not for. */
type Others = Pick<InstallPackages, 'removes' | 'along'>;
type Change = { readonly name: string; readonly want: Wanted; readonly now: PackageState };

/** Packages: one apt run installs all that a document misses, one removes what must go. */
export const packagesSection: Section = {
  section: 'packages',
  claims: (spec) =>
    Object.keys(spec.packages).map((name) => ({
      item: `package:${name}`,
      pointer: pointerTo('packages', name),
    })),
  needs: (spec) => Object.entries(spec.packages).map(([name, want]) => query(name, want)),
  plan: planPackages,
};

/** Whether a document of the host brings packages, and with them units that are not there yet. */
export function packagesPending(readings: Readings): boolean {
  return [...readings.values()].some(
    ({ query, state }) =>
      query.fact === packageFact.fact && (state as PackageState | undefined)?.offer !== undefined,
  );
}

function query(name: string, want: ResolvedPackage): PackageQuery {
  if (want.state === 'absent') return { fact: 'package', key: name, want: 'absent' };
  const version = want.version === undefined ? {} : { version: want.version };
  return { fact: 'package', key: name, want: 'present', hold: want.hold, ...version };
}

function planPackages(spec: ResolvedConfiguration, readings: Readings): KindPlan {
  const change = changes(spec, readings);
  const remove = Object.entries(spec.packages)
    .filter(([name, want]) => want.state === 'absent' && isThere(stateOf(readings, packageFact, name)))
    .map(([name]) => name);
  const transaction = transactionOf(readings);
  const removed = new Set(remove);
  const also = transaction.removes.filter((name) => !removed.has(name));
  const sources = repositorySteps(spec, readings).map((step) => step.id);
  const waysIn = waysInAlong(readings, [...change.map(({ name }) => name), ...remove]);
  // what a repository has that is only to be added, nobody knows
  const along = sources.length > 0 ? { along: null } : waysIn;
  return {
    steps: [
      ...(change.length === 0 ? [] : [install(change, { removes: also, ...along }, transaction, sources)]),
      ...(remove.length === 0 ? [] : [removal(remove, { removes: also, ...waysIn }, readings)]),
    ],
    findings: [
      ...change.flatMap((one) => notOffered(one, transaction, sources.length > 0)),
      ...noWay(transaction),
    ],
  };
}

function changes(spec: ResolvedConfiguration, readings: Readings): readonly Change[] {
  return Object.entries(spec.packages).flatMap(([name, want]): readonly Change[] => {
    if (want.state === 'absent') return [];
    const now = stateOf(readings, packageFact, name);
    return isAsWanted(want, now) ? [] : [{ name, want, now }];
  });
}

function isAsWanted(want: Wanted, now: PackageState): boolean {
  return now.present && matches(want.version, now.version ?? '') && now.hold === want.hold;
}

function matches(pattern: string | undefined, version: string): boolean {
  if (pattern === undefined || pattern === version) return true;
  return pattern.endsWith('*') && version.startsWith(pattern.slice(0, -1));
}

function isThere(now: PackageState): boolean {
  return now.present || now.broken !== undefined;
}

function install(
  change: readonly Change[],
  others: Others,
  transaction: AptTransaction,
  sources: readonly string[],
): StepDraft {
  const first = change[0]?.name ?? '';
  const { removes } = others;
  const clean = change.every(({ now }) => !isThere(now)) && removes.length === 0;
  const quiet = clean && transaction.upgrades.length + transaction.downgrades.length === 0;
  const changed = new Set(change.map(({ name }) => name));
  const along = transaction.installs.filter((name) => !changed.has(name));
  return {
    id: `packages:install:${first}`,
    operation: installPackages.operation,
    params: {
      packages: change.map(({ name, want, now }) => ({
        name,
        version: want.version ?? null,
        hold: want.hold,
        origin: now.offer?.origin ?? null,
      })),
      ...others,
    },
    dependsOn: sources,
    reversible: quiet ? 'yes' : 'best-effort',
    disruption: quiet || change.every(onlyHold) ? 'none' : 'restart',
    summary: [
      change.map(sentence).join(', '),
      ...(along.length > 0 ? [`(${along.length} more come along)`] : []),
      ...(removes.length > 0 ? [`and removes ${removes.join(', ')}`] : []),
    ].join(' '),
    diff: [
      ...change.flatMap(diffOf),
      ...(along.length > 0 ? [`+ with them: ${some(along)}`] : []),
      ...(transaction.upgrades.length > 0 ? [`~ upgraded: ${some(transaction.upgrades)}`] : []),
      ...removes.map((name) => `- ${name}`),
    ].join('\n'),
  };
}

function onlyHold({ want, now }: Change): boolean {
  return now.present && matches(want.version, now.version ?? '');
}

function sentence(one: Change): string {
  const { name, want, now } = one;
  if (onlyHold(one)) return `${name} ${want.hold ? 'held' : 'no longer held'}`;
  const version = now.offer?.version ?? want.version ?? '';
  const from = now.present ? `${now.version ?? ''} -> ` : '';
  return `${name} ${from}${version}${want.hold ? ' held' : ''}`.trim();
}

function diffOf(one: Change): readonly string[] {
  const { name, want, now } = one;
  if (onlyHold(one))
    return [`- ${name} ${now.hold ? 'held' : 'not held'}`, `+ ${name} ${want.hold ? 'held' : 'not held'}`];
  const origin = now.offer?.origin;
  const version = now.offer?.version ?? want.version ?? '';
  const after = `+ ${name} ${version}`.trimEnd();
  return [
    ...(isThere(now) ? [`- ${name} ${now.version ?? ''} ${now.broken ?? ''}`.trimEnd()] : []),
    `${after}${want.hold ? ' held' : ''}${origin === undefined ? '' : ` from ${origin}`}`,
  ];
}

function removal(names: readonly string[], others: Others, readings: Readings): StepDraft {
  const also = others.removes;
  const versions = names.map((name) => stateOf(readings, packageFact, name).version ?? '');
  return {
    id: `packages:remove:${names[0] ?? ''}`,
    operation: removePackages.operation,
    params: { packages: names, ...others },
    dependsOn: [],
    reversible: 'best-effort',
    disruption: 'restart',
    summary: `removes ${[...names, ...also].join(', ')}; configuration files stay`,
    diff: [
      ...names.map((name, i) => `- ${name} ${versions[i] ?? ''}`),
      ...also.map((name) => `- ${name}`),
    ].join('\n'),
  };
}

function notOffered({ name, want, now }: Change, transaction: AptTransaction, newSources: boolean) {
  if (now.offer === undefined || now.offer.version !== undefined) return [];
  if (newSources)
    return [remark('info', `${name}: origin and version are known once the repository is added`)];
  const age = transaction.listsAgeSeconds;
  if (age === undefined)
    return [remark('info', `${name}: the host has no package lists yet; the apply reads them first`)];
  const missing =
    now.offer.versions.length === 0
      ? `the package ${name} does not exist in the package lists of this host`
      : `the package ${name} has no version ${want.version ?? ''} in the package lists of this host, which have ${now.offer.versions.join(', ')}`;
  if (age < FRESH_LISTS_SECONDS)
    return [remark('error', `${missing}: check it, or add the repository that has it`)];
  const hours = Math.floor(age / 3600);
  return [
    remark(
      'warning',
      `${missing}; they are ${hours} h old, so the apply reads them anew and fails if it is still missing`,
    ),
  ];
}

function noWay(transaction: AptTransaction) {
  if (transaction.problem === undefined) return [];
  return [remark('error', `apt finds no way to do this: ${transaction.problem.trim()}`)];
}

function remark(severity: 'info' | 'warning' | 'error', message: string) {
  return { severity, message };
}

function some(names: readonly string[]): string {
  const rest = names.length - NAMES_SHOWN_MAX;
  return `${names.slice(0, NAMES_SHOWN_MAX).join(' ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
