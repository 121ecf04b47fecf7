import { createHash } from 'node:crypto';
import type { PackageChange, Update, UpdatesState } from '../../facts/updates.ts';
import { type UpgradePatches, upgradePatches } from '../../operations/patches.ts';
import type { StepDraft } from '../../plan/step.ts';
import type { Mended } from '../kind.ts';
import { closedTogether } from './closed.ts';
import { diskNeeds } from './disk.ts';
import type { PatchRules } from './spec.ts';
import { bytes, some } from './words.ts';

/** Exactly these versions, in one run of apt. */
export function upgradeStep(state: UpdatesState, rules: PatchRules, mended?: Mended): readonly StepDraft[] {
  if (state.changes.length === 0) return [];
  const upgrade = upgradeOf(state);
  const params: UpgradePatches = {
    packages: upgrade.changes.map(({ name, from = null, to, origin }) => ({
      name,
      from,
      to,
      origin: origin?.text ?? '',
    })),
    conffiles: rules.conffiles === 'take' ? 'take' : 'keep',
    changedConffiles: rules.conffiles === 'take' ? upgrade.updates.flatMap((one) => one.conffiles) : [],
  };
  return [
    {
      // other updates are another step: whoever approved these did not approve those
      id: `patch:upgrade:${digestOf(params)}`,
      operation: upgradePatches.operation,
      params,
      dependsOn: [],
      reason: 'change',
      reversible: 'best-effort',
      disruption: 'restart',
      summary: summaryOf(upgrade),
      diff: diffOf(upgrade, state, rules, mended),
    },
  ];
}

function digestOf(params: UpgradePatches): string {
  const text = params.packages.map(({ name, from, to }) => `${name} ${from} ${to}`).join('\n');
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

interface Origin {
  /** `URI SUITE/COMPONENT` */
  readonly text: string;
  readonly label: string;
  readonly security: boolean;
}

type Change = PackageChange & { readonly origin: Origin | undefined };

interface Upgrade {
  readonly changes: readonly Change[];
  /** Those that the changes are of; a package that comes along has none. */
  readonly updates: readonly Update[];
}

/** A host may have thousands of either. */
function upgradeOf({ changes, updates }: UpdatesState): Upgrade {
  const names = new Set(changes.map(({ name }) => name));
  const changed = updates.filter(({ name }) => names.has(name));
  const updateOf = new Map(changed.map((update) => [update.name, update]));
  return {
    changes: changes.map((change) => ({ ...change, origin: originOf(change, updateOf.get(change.name)) })),
    updates: changed,
  };
}

function originOf({ to, archives: ofNew }: PackageChange, update: Update | undefined): Origin | undefined {
  const archives = ofNew ?? update?.versions.find(({ version }) => version === to)?.archives ?? [];
  const archive = archives.find(({ security }) => security) ?? archives[0];
  if (archive === undefined) return undefined;
  return { text: `${archive.uri} ${archive.place}`, label: archive.label, security: archive.security };
}

function summaryOf({ changes }: Upgrade): string {
  const security = changes.filter(({ origin }) => origin?.security === true).length;
  const names = changes.map(({ name, from, to }) =>
    from === undefined ? `${name} ${to} (new)` : `${name} ${from} -> ${to}`,
  );
  const kind = security === 0 ? '' : ` (${security} security)`;
  const noun = changes.length === 1 ? 'update' : 'updates';
  return `${changes.length} ${noun}${kind}: ${some(names)}`;
}

function diffOf(
  { changes, updates }: Upgrade,
  state: UpdatesState,
  rules: PatchRules,
  mended: Mended | undefined,
): string {
  return [
    ...changes.flatMap(changeLines),
    ...closedLines(updates, mended),
    ...updates
      .filter(({ conffiles }) => conffiles.length > 0)
      .map(
        ({ name, conffiles }) =>
          `~ ${name}: ${conffiles.join(', ')} was changed here, ${FILES[rules.conffiles]}`,
      ),
    wayBack(updates),
    ...diskNeeds(changes, state).map(
      ({ mount, bytes: needed, free }) =>
        `~ takes up to ${bytes(needed)} on ${mount}, ${bytes(free)} are free`,
    ),
  ].join('\n');
}

/** One line a source, whatever packages of it are changed. */
function closedLines(updates: readonly Update[], mended: Mended | undefined): readonly string[] {
  const bySource = new Map<string, Update[]>();
  for (const update of updates) {
    const others = bySource.get(update.source);
    if (others === undefined) bySource.set(update.source, [update]);
    else others.push(update);
  }
  return [...bySource].flatMap(([source, all]) => closedLine(source, all, mended));
}

/** By their changelogs as far as the host has their files already. */
function closedLine(
  source: string,
  updates: readonly Update[],
  mended: Mended | undefined,
): readonly string[] {
  const { by, cves } = closedTogether(updates, mended);
  if (cves.length === 0) return [];
  return by === 'list' && mended !== undefined
    ? [`~ closes ${some(cves)} in ${source}, by ${mended.from} of ${dayOf(mended.date)}`]
    : [`~ closes ${some(cves)}, by the changelog of ${source}`];
}

function dayOf(isoTime: string): string {
  return isoTime.slice(0, 10);
}

/** Best effort: an archive may drop a version, and what a new version has migrated does not go back. */
function wayBack(updates: readonly Update[]): string {
  const gone = updates.filter(({ previous }) => previous === 'gone');
  return gone.length === 0
    ? '~ the old versions can be had again now; a way back is tried, not promised'
    : `~ no way back for ${some(gone.map(({ name, from }) => `${name} ${from}`))}: no archive and no cache has it any more`;
}

const FILES = {
  keep: 'and is kept where the new version has another',
  take: 'and makes room for that of the new version',
  ask: '',
} as const;

function changeLines({ name, from, to, origin }: Change): readonly string[] {
  const where =
    origin === undefined ? '' : ` from ${origin.label || 'an archive without a label'}, ${origin.text}`;
  return [
    ...(from === undefined ? [] : [`- ${name} ${from}`]),
    `+ ${name} ${to}${origin?.security === true ? ' security' : ''}${where}`,
  ];
}
