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
  const { changes } = state;
  if (changes.length === 0) return [];
  const params: UpgradePatches = {
    packages: changes.map((change) => ({
      name: change.name,
      from: change.from ?? null,
      to: change.to,
      origin: originOf(change, state)?.text ?? '',
    })),
    conffiles: rules.conffiles === 'take' ? 'take' : 'keep',
    changedConffiles:
      rules.conffiles === 'take' ? filesOf(changes, state).flatMap((one) => one.conffiles) : [],
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
      summary: summaryOf(changes, state),
      diff: diffOf(changes, state, rules, mended),
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

function originOf(
  { name, to, archives: ofNew }: PackageChange,
  { updates }: UpdatesState,
): Origin | undefined {
  const update = updates.find((one) => one.name === name);
  const archives = ofNew ?? update?.versions.find(({ version }) => version === to)?.archives ?? [];
  const archive = archives.find(({ security }) => security) ?? archives[0];
  if (archive === undefined) return undefined;
  return { text: `${archive.uri} ${archive.place}`, label: archive.label, security: archive.security };
}

function summaryOf(changes: readonly PackageChange[], state: UpdatesState): string {
  const security = changes.filter((change) => originOf(change, state)?.security === true).length;
  const names = changes.map(({ name, from, to }) =>
    from === undefined ? `${name} ${to} (new)` : `${name} ${from} -> ${to}`,
  );
  const kind = security === 0 ? '' : ` (${security} security)`;
  const noun = changes.length === 1 ? 'update' : 'updates';
  return `${changes.length} ${noun}${kind}: ${some(names)}`;
}

function diffOf(
  changes: readonly PackageChange[],
  state: UpdatesState,
  rules: PatchRules,
  mended: Mended | undefined,
): string {
  return [
    ...changes.flatMap((change) => changeLines(change, originOf(change, state))),
    ...closedLines(changes, state, mended),
    ...filesOf(changes, state).map(
      ({ name, conffiles }) =>
        `~ ${name}: ${conffiles.join(', ')} was changed here, ${FILES[rules.conffiles]}`,
    ),
    wayBack(changes, state),
    ...diskNeeds(changes, state).map(
      ({ mount, bytes: needed, free }) =>
        `~ takes up to ${bytes(needed)} on ${mount}, ${bytes(free)} are free`,
    ),
  ].join('\n');
}

/** One line a source, whatever packages of it are changed. */
function closedLines(
  changes: readonly PackageChange[],
  { updates }: UpdatesState,
  mended: Mended | undefined,
): readonly string[] {
  const changed = updates.filter(({ name }) => changes.some((change) => change.name === name));
  const sources = [...new Set(changed.map(({ source }) => source))];
  return sources.flatMap((source) =>
    closedLine(
      source,
      changed.filter((update) => update.source === source),
      mended,
    ),
  );
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

/** Updates with a configuration file that was changed on the host. */
function filesOf(changes: readonly PackageChange[], { updates }: UpdatesState): readonly Update[] {
  return updates.filter(
    ({ name, conffiles }) => conffiles.length > 0 && changes.some((change) => change.name === name),
  );
}

/** Best effort: an archive may drop a version, and what a new version has migrated does not go back. */
function wayBack(changes: readonly PackageChange[], { updates }: UpdatesState): string {
  const gone = updates.filter(
    ({ name, previous }) => previous === 'gone' && changes.some((change) => change.name === name),
  );
  return gone.length === 0
    ? '~ the old versions can be had again now; a way back is tried, not promised'
    : `~ no way back for ${some(gone.map(({ name, from }) => `${name} ${from}`))}: no archive and no cache has it any more`;
}

const FILES = {
  keep: 'and is kept where the new version has another',
  take: 'and makes room for that of the new version',
  ask: '',
} as const;

function changeLines({ name, from, to }: PackageChange, origin: Origin | undefined): readonly string[] {
  const where =
    origin === undefined ? '' : ` from ${origin.label || 'an archive without a label'}, ${origin.text}`;
  return [
    ...(from === undefined ? [] : [`- ${name} ${from}`]),
    `+ ${name} ${to}${origin?.security === true ? ' security' : ''}${where}`,
  ];
}
