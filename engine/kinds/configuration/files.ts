import { type PathQuery, type PathState, pathFact } from '../../facts/path.ts';
import { makeLink, removePath, writeFile } from '../../operations/path.ts';
import type { StepDraft } from '../../plan/step.ts';
import type { ResolvedConfiguration, ResolvedFile } from '../../spec/configuration.ts';
import { refText, type SecretUse, sealKey } from '../../spec/secrets.ts';
import type { KindFinding, Payloads, Seal, Seals } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { type AccountUse, accountNeeds, missingAccounts, ownershipUses } from './accounts.ts';
import { attributeDiff, unifiedDiff } from './diff.ts';
import type { Section } from './section.ts';

/** Files and links: content, mode, owner, group. */
export const filesSection: Section = {
  section: 'files',
  claims: (spec) =>
    Object.keys(spec.files).map((path) => ({ item: `path:${path}`, pointer: pointerTo('files', path) })),
  needs: (spec) => [
    ...Object.entries(spec.files).map(([path, file]) => query(path, file)),
    ...accountNeeds(spec, ownersOf(spec)),
  ],
  plan: (spec, readings, payloads, seals) => ({
    steps: Object.entries(spec.files).flatMap(([path, file]) =>
      planFile(path, file, stateOf(readings, pathFact, path), payloads, seals),
    ),
    findings: [
      ...Object.entries(spec.files).flatMap(([path, file]) => unreadable(path, file, seals)),
      ...Object.keys(spec.files).flatMap((path) => hardLinks(path, stateOf(readings, pathFact, path))),
      ...missingAccounts(spec, readings, ownersOf(spec)),
    ],
  }),
};

function ownersOf(spec: ResolvedConfiguration): readonly AccountUse[] {
  return Object.entries(spec.files).flatMap(([path, file]) =>
    file.state === 'file' ? ownershipUses(`file ${path}`, file) : [],
  );
}

/** JSON pointer of a map's entry, RFC 6901. */
export function pointerTo(section: keyof ResolvedConfiguration, key: string): string {
  return `/${section}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function query(path: string, file: ResolvedFile): PathQuery {
  // of what holds secrets only the hash is read
  const plain = file.state === 'file' && file.content.sealed === undefined;
  return { fact: 'path', key: path, ...(plain ? { unlessSha256: file.content.sha256 } : {}) };
}

type WantedFile = Extract<ResolvedFile, { state: 'file' }>;

function planFile(
  path: string,
  file: ResolvedFile,
  now: PathState,
  payloads: Payloads,
  seals: Seals,
): readonly StepDraft[] {
  switch (file.state) {
    case 'absent':
      return now.present ? [removal(path, now)] : [];
    case 'link':
      return now.type === 'link' && now.target === file.linkTo ? [] : [link(path, file.linkTo, now)];
    case 'file': {
      const { sealed } = file.content;
      if (sealed === undefined)
        return isWritten(file, file.content.sha256, now) ? [] : [write(path, file, now, payloads)];
      const seal = seals.get(sealKey(file.content));
      if (seal?.kind !== 'seal' || isWritten(file, seal.sha256, now)) return [];
      return [writeSealed(path, file, sealed, seal, now, payloads)];
    }
  }
}

/** A file whose secrets cannot be read is neither written nor taken to be right. */
function unreadable(path: string, file: ResolvedFile, seals: Seals): readonly KindFinding[] {
  if (file.state !== 'file' || file.content.sealed === undefined) return [];
  const seal = seals.get(sealKey(file.content));
  if (seal?.kind === 'seal') return [];
  const why = seal?.message ?? 'its secrets were not read';
  return [{ severity: 'error', message: `${path} cannot be planned: ${why}` }];
}

function isWritten(file: WantedFile, sha256: string, now: PathState): boolean {
  return now.type === 'file' && now.sha256 === sha256 && attributes(file, now) === '';
}

function attributes(want: { mode: string; owner: string; group: string }, now: PathState): string {
  const before = 'mode' in now ? ownershipOf(want, now) : {};
  return attributeDiff(before, { mode: want.mode, owner: want.owner, group: want.group });
}

/** Owners are compared by number where the document gives a number. */
function ownershipOf(want: { owner: string; group: string }, now: Extract<PathState, { mode: string }>) {
  return {
    mode: now.mode,
    owner: /^\d+$/.test(want.owner) ? String(now.uid) : now.owner,
    group: /^\d+$/.test(want.group) ? String(now.gid) : now.group,
  };
}

function write(path: string, file: WantedFile, now: PathState, payloads: Payloads): StepDraft {
  const { mode, owner, group, content } = file;
  const changed = contentDiff(path, content, now, payloads);
  return {
    id: `file:${path}`,
    operation: writeFile.operation,
    params: { path, sha256: content.sha256, mode, owner, group },
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
    summary: [
      basename(path),
      now.present ? '' : 'new',
      changed.count,
      now.present ? attributes(file, now).replaceAll('\n', ', ') : '',
    ]
      .filter((part) => part !== '')
      .join(' '),
    diff: [changed.text, attributes(file, now)].filter((part) => part !== '').join('\n'),
  };
}

/** The hash of the whole content stays here: it would tell a short secret to whoever guesses. */
function writeSealed(
  path: string,
  file: WantedFile,
  uses: readonly SecretUse[],
  { sha256, fingerprint }: Extract<Seal, { kind: 'seal' }>,
  now: PathState,
  payloads: Payloads,
): StepDraft {
  const { count, text } = sealedDiff(
    path,
    file,
    uses,
    fingerprint,
    now.type === 'file' && now.sha256 === sha256,
    now,
    payloads,
  );
  const plain = write(path, file, now, payloads);
  const attributesOnly = now.present ? attributes(file, now) : '';
  return {
    ...plain,
    params: { ...plain.params, sealed: { fingerprint, uses } },
    summary: [basename(path), now.present ? '' : 'new', count, attributesOnly.replaceAll('\n', ', ')]
      .filter((part) => part !== '')
      .join(' '),
    diff: [text, attributes(file, now)].filter((part) => part !== '').join('\n'),
  };
}

/** Hex digits of a fingerprint that people compare. */
const FINGERPRINT_SHOWN = 16;

function sealedDiff(
  path: string,
  { content }: WantedFile,
  uses: readonly SecretUse[],
  fingerprint: string,
  same: boolean,
  now: PathState,
  payloads: Payloads,
): { readonly count: string; readonly text: string } {
  if (same) return { count: '', text: '' };
  const template = now.present ? undefined : payloads.get(content.sha256);
  const text = [
    ...(template === undefined ? [] : [unifiedDiff(path, '', Buffer.from(template).toString('utf8')).text]),
    `${now.present ? 'changed; it' : 'it'} holds secrets, so only its fingerprint is shown: ${fingerprint.slice(0, FINGERPRINT_SHOWN)}…`,
    ...uses.map(({ name, ref }) => `‹secret ${name}› is ${refText(ref)}`),
  ];
  return { count: 'holds secrets', text: text.join('\n') };
}

function contentDiff(
  path: string,
  content: { readonly sha256: string; readonly size: number; readonly text: boolean },
  now: PathState,
  payloads: Payloads,
): { readonly count: string; readonly text: string } {
  if (now.type === 'file' && now.sha256 === content.sha256) return { count: '', text: '' };
  const after = payloads.get(content.sha256);
  const before = contentOf(now, payloads);
  if (after === undefined || before === undefined || !content.text) {
    return {
      count: `${content.size} bytes`,
      text: `content replaced: ${content.size} bytes, sha256 ${content.sha256}`,
    };
  }
  const diff = unifiedDiff(path, before, Buffer.from(after).toString('utf8'));
  return { count: `+${diff.added} -${diff.removed}`, text: diff.text };
}

/** Undefined when it is not text, is too large, or is not for everybody and not as the repository has it. */
function contentOf(now: PathState, payloads: Payloads): string | undefined {
  if (now.type !== 'file') return '';
  const known = now.content === undefined ? payloads.get(now.sha256) : Buffer.from(now.content, 'base64');
  if (known === undefined) return undefined;
  const bytes = Buffer.from(known);
  const text = bytes.toString('utf8');
  return text.includes('\0') || !Buffer.from(text, 'utf8').equals(bytes) ? undefined : text;
}

function link(path: string, target: string, now: PathState): StepDraft {
  return {
    id: `file:${path}`,
    operation: makeLink.operation,
    params: { path, target },
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
    summary: `${basename(path)} links to ${target}`,
    diff: `${now.present ? `- ${describe(now)}\n` : ''}+ link to ${target}`,
  };
}

/** Also used for directories. */
export function removal(path: string, now: PathState): StepDraft {
  return {
    id: `file:${path}`,
    operation: removePath.operation,
    params: { path, type: now.type },
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
    summary: `${basename(path)} removed`,
    diff: `- ${describe(now)}`,
  };
}

export function describe(now: PathState): string {
  switch (now.type) {
    case 'absent':
      return 'absent';
    case 'other':
      return now.description;
    case 'link':
      return `link to ${now.target}`;
    case 'directory':
      return `directory ${now.mode} ${now.owner}:${now.group}`;
    case 'file':
      return `file ${now.mode} ${now.owner}:${now.group}, ${now.size} bytes`;
  }
}

function hardLinks(path: string, now: PathState) {
  if (now.type !== 'file' || now.links < 2) return [];
  const message = `${path} has ${now.links} hard links; a change gives it an inode of its own and the others keep the old content`;
  return [{ severity: 'warning' as const, message }];
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || path;
}
