import { createHash } from 'node:crypto';
import type { PathState } from '../../../facts/path.ts';
import { type ConfigReader, type WriteConfig, writeConfig } from '../../../operations/config.ts';
import type { StepDraft } from '../../../plan/step.ts';
import { attributeDiff, unifiedDiff } from '../../configuration/diff.ts';

export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The file has this text and mode, and is root's. */
export function sameText(now: PathState, text: string, mode: string): boolean {
  return (
    now.type === 'file' &&
    now.sha256 === sha256Of(text) &&
    now.mode === mode &&
    now.owner === 'root' &&
    now.group === 'root'
  );
}

/** As it was read; undefined where not everybody may read it, or it is too large. */
export function textOf(now: PathState): string | undefined {
  if (now.type !== 'file' || now.content === undefined) return undefined;
  return Buffer.from(now.content, 'base64').toString('utf8');
}

export interface PlacedFile {
  readonly path: string;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  readonly reader: ConfigReader;
}

/** One step for a whole file; `of` are the controls that it is for. */
export function fileStep(
  file: PlacedFile,
  text: string,
  now: PathState,
  [of, dependsOn]: readonly [readonly string[], readonly string[]],
): StepDraft {
  const { path, mode, owner, group, reader } = file;
  const before = textOf(now) ?? '';
  const known = now.type !== 'file' || now.content !== undefined;
  const ownership = now.type === 'file' ? { mode: now.mode, owner: now.owner, group: now.group } : {};
  const params: WriteConfig = { path, text, mode, owner, group, reader };
  return {
    id: `config:${path}`,
    operation: writeConfig.operation,
    params,
    dependsOn,
    reversible: 'yes',
    disruption: 'none',
    summary: `${path}${now.present ? '' : ' new'} (${named(of)})`,
    diff: [
      known ? unifiedDiff(path, before, text).text : text,
      now.present ? attributeDiff(ownership, { mode, owner, group }) : '',
    ]
      .filter((part) => part !== '')
      .join('\n'),
  };
}

/** Ids shown in a summary; the rest are counted. */
const IDS_MAX = 4;

function named(ids: readonly string[]): string {
  const rest = ids.length - IDS_MAX;
  return rest > 0 ? `${ids.slice(0, IDS_MAX).join(', ')} and ${rest} more` : ids.join(', ');
}
