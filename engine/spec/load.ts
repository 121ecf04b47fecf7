import { crossCheck } from './crossCheck.ts';
import { decodeSpecFile, fileTooLarge } from './decode.ts';
import { readHeader } from './header.ts';
import {
  MAX_DOCUMENTS,
  MAX_ERRORS,
  MAX_ERRORS_PER_FILE,
  MAX_FOREIGN_BYTES,
  MAX_SPEC_BYTES,
  MAX_SPEC_FILE_BYTES,
  MAX_SPEC_FILES,
  MAX_SPEC_VALUES,
} from './limits.ts';
import { fileStart } from './lines.ts';
import {
  type Document,
  type DocumentRef,
  documentRef,
  type LocatedDocument,
  type Manifest,
  type SpecError,
} from './manifest.ts';
import { type ParsedDocument, parseYaml } from './parse.ts';
import { withoutMistakes } from './prune.ts';
import { validateDocument, valuePosition } from './validate.ts';

export interface LoadOptions {
  /** Paths of symbolic links in the repository, which nothing follows. */
  readonly links?: ReadonlySet<string>;
  /** What the reader of the repository left out, links included (`RefusedPath` of repository/tree.ts). */
  readonly refused?: readonly Refused[];
  /** Folder (without a slash at its end) in which every YAML file must hold documents; elsewhere foreign YAML is ignored. */
  readonly specRoot?: string;
}

interface Refused {
  readonly path: string;
  /** Completes "it is ...". */
  readonly why: string;
  readonly reason: string;
}

/** A document that is there but has mistakes: references to it are not errors of their own. */
export interface BrokenDocument {
  readonly kind: string;
  /** Left out where even the name is wrong. */
  readonly ref?: DocumentRef;
}

export interface Loaded {
  readonly manifest: Manifest;
  /** Every document could be read; where not, something may only seem to be missing. */
  readonly complete: boolean;
  /** Sorted by file and place. */
  readonly errors: readonly SpecError[];
}

/**
 * Reads the documents of a repository: syntax, schema, and all that documents say about each other. Pure; never
 * throws for what is in the files.
 *
 * @param files every file of the repository at one commit, by path from its root with `/`; links left out.
 */
export function loadManifest(files: ReadonlyMap<string, Uint8Array>, options: LoadOptions = {}): Loaded {
  const paths = [...files.keys()].filter(mayHoldDocuments).sort();
  const { readings, complete } = readFiles(paths, files, options);
  const documents = readings.flatMap((reading) => reading.documents);
  const broken = readings.flatMap((reading) => reading.broken);
  const manifest: Manifest = { kind: 'manifest', documents, files, ...leftOut(options) };
  const tooMany = countErrors(readings.filter((reading) => reading.isSpec).length, documents);
  const errors = [...tooLargeErrors(options), ...readings.flatMap((reading) => reading.errors), ...tooMany];
  const checkable = complete && tooMany.length === 0;
  return {
    manifest,
    complete: checkable && broken.length === 0,
    errors: sortErrors(checkable ? [...errors, ...crossCheck(manifest, broken)] : errors),
  };
}

function leftOut({ links = new Set(), refused = [] }: LoadOptions): Pick<Manifest, 'links' | 'refused'> {
  const isLink = ({ reason }: Refused) => reason === 'symlink';
  return {
    links: new Set([...links, ...refused.filter(isLink).map(({ path }) => path)]),
    refused: new Map(refused.filter((one) => !isLink(one)).map(({ path, why }) => [path, why])),
  };
}

/** What a file holds that was too large to read is unknown; it must not be passed over in silence. */
function tooLargeErrors({ refused = [] }: LoadOptions): readonly SpecError[] {
  return refused
    .filter(({ path, reason }) => reason === 'size' && mayHoldDocuments(path))
    .map(({ path }) => fileTooLarge(path));
}

/** Reads file after file until there are too many errors; what is then not read must not count as missing. */
function readFiles(
  paths: readonly string[],
  files: ReadonlyMap<string, Uint8Array>,
  options: LoadOptions,
): { readonly readings: readonly FileReading[]; readonly complete: boolean } {
  const readings: FileReading[] = [];
  let errors = 0;
  const left = { ours: MAX_SPEC_BYTES, maybe: MAX_FOREIGN_BYTES, values: MAX_SPEC_VALUES };
  for (const path of paths) {
    if (errors >= MAX_ERRORS) return { readings, complete: false };
    const bytes = files.get(path) ?? new Uint8Array();
    const look = lookAt(path, bytes, options);
    if (look === 'foreign') continue;
    // one that is too large is not read
    if (bytes.byteLength <= MAX_SPEC_FILE_BYTES) left[look] -= bytes.byteLength;
    if (left.ours < 0) return { readings: [...readings, unreadable([tooMuch(path)])], complete: false };
    if (left.maybe < 0 && look === 'maybe') continue;
    const reading = readFile(path, bytes, look, options);
    readings.push(reading);
    errors += reading.errors.length;
    for (const { positions } of reading.documents) left.values -= positions.size;
    if (left.values < 0) return { readings: [...readings, unreadable([tooMuch(path)])], complete: false };
  }
  return { readings, complete: true };
}

function tooMuch(path: string): SpecError {
  const message = `The files with documents up to this one, by name, have more than ${MAX_SPEC_BYTES} bytes, or more than ${MAX_SPEC_VALUES} values; no more are read. Move long texts to files that a \`source\` names, or split the repository.`;
  return { kind: 'spec-error', code: 'too-many', message, position: fileStart(path), pointer: '' };
}

type Look = 'ours' | 'maybe' | 'foreign';

function lookAt(path: string, bytes: Uint8Array, options: LoadOptions): Look {
  return isStrict(path, options) ? 'ours' : looksLike(bytes);
}

function isStrict(path: string, { specRoot }: LoadOptions): boolean {
  return specRoot !== undefined && path.startsWith(`${specRoot}/`);
}

/** YAML outside of folders that begin with a dot. */
function mayHoldDocuments(path: string): boolean {
  return /\.ya?ml$/.test(path) && !/(^|\/)\.[^/]*\//.test(path);
}

interface FileReading {
  readonly isSpec: boolean;
  readonly documents: readonly LocatedDocument[];
  readonly broken: readonly BrokenDocument[];
  readonly errors: readonly SpecError[];
}

const nothing: FileReading = { isSpec: false, documents: [], broken: [], errors: [] };

function readFile(path: string, bytes: Uint8Array, look: Look, options: LoadOptions): FileReading {
  const decoded = decodeSpecFile(path, bytes);
  if (decoded.kind === 'error') {
    return look === 'ours' ? unreadable([decoded.error]) : nothing;
  }
  const parsed = parseYaml(path, decoded.text);
  if (parsed.errors.length > 0) return look === 'ours' ? unreadable(parsed.errors) : nothing;
  return readDocuments(parsed.documents, isStrict(path, options));
}

/** What a file that cannot be read declares is unknown, so references may point to it: `kind` is any. */
function unreadable(errors: readonly SpecError[]): FileReading {
  return { isSpec: true, documents: [], broken: [{ kind: '*' }], errors };
}

/**
 * A cheap look at the bytes before parsing, so that other people's YAML (with templates in it, or of any size) costs
 * little and its mistakes are not reported. NULs are dropped so that UTF-16 is recognised too.
 */
function looksLike(bytes: Uint8Array): Look {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('latin1')
    .replaceAll('\0', '');
  if (/apiVersion["']?[ \t]*:[ \t]*["']?doaas\b/.test(text)) return 'ours';
  return /\bdoaas\/|\bkind["']?[ \t]*:/.test(text) ? 'maybe' : 'foreign';
}

function readDocuments(parsed: readonly ParsedDocument[], strict: boolean): FileReading {
  const readings = parsed.map((document) => readDocument(document, strict));
  return {
    isSpec: readings.some((reading) => reading.isSpec),
    documents: readings.flatMap((reading) => reading.documents),
    broken: readings.flatMap((reading) => reading.broken),
    errors: readings.flatMap((reading) => reading.errors),
  };
}

function readDocument(parsed: ParsedDocument, strict: boolean): FileReading {
  const header = readHeader(parsed, strict);
  if (header.kind === 'foreign') return nothing;
  if (header.kind === 'error') return unreadable([header.error]);
  const errors = validateDocument(header.documentKind, parsed);
  if (errors.length > 0) {
    const value = withoutMistakes(header.documentKind, parsed.value, errors);
    return {
      isSpec: true,
      documents: value === undefined ? [] : [locate({ ...parsed, value })],
      broken: [brokenDocument(header.documentKind, parsed.value)],
      errors,
    };
  }
  return { isSpec: true, documents: [locate(parsed)], broken: [], errors: [] };
}

function brokenDocument(kind: string, value: unknown): BrokenDocument {
  const name = (value as { readonly metadata?: { readonly name?: unknown } | null }).metadata?.name;
  return typeof name === 'string' ? { kind, ref: `${kind}/${name}` } : { kind };
}

/** What the schemas let through has this shape. */
type Source = Pick<Document, 'apiVersion' | 'kind' | 'spec'> & {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly dependsOn?: readonly DocumentRef[];
  readonly onRemoval?: 'restore' | 'keep';
};

function locate(parsed: ParsedDocument): LocatedDocument {
  const source = parsed.value as Source;
  return {
    apiVersion: source.apiVersion,
    kind: source.kind,
    metadata: { name: source.metadata.name, labels: source.metadata.labels ?? {} },
    dependsOn: source.dependsOn ?? [],
    spec: source.spec,
    position: valuePosition(parsed, ''),
    ref: documentRef(source),
    onRemoval: source.onRemoval ?? 'restore',
    positions: parsed.positions,
    keys: parsed.keys,
  };
}

function countErrors(files: number, documents: readonly LocatedDocument[]): readonly SpecError[] {
  const file = documents[0]?.position.file ?? '';
  const error = (message: string): SpecError => {
    return { kind: 'spec-error', code: 'too-many', message, position: fileStart(file), pointer: '' };
  };
  if (files > MAX_SPEC_FILES) {
    return [
      error(`The repository has ${files} files with documents; at most ${MAX_SPEC_FILES} are allowed.`),
    ];
  }
  if (documents.length > MAX_DOCUMENTS) {
    return [error(`The repository has ${documents.length} documents; at most ${MAX_DOCUMENTS} are allowed.`)];
  }
  return [];
}

/** By file and place, without repeats, a bounded number a file. */
export function sortErrors(errors: readonly SpecError[]): readonly SpecError[] {
  const seen = new Set<string>();
  const perFile = new Map<string, number>();
  return [...errors].sort(byPlace).filter((error) => {
    const identity = JSON.stringify([error.position, error.code, error.message]);
    const count = perFile.get(error.position.file) ?? 0;
    if (seen.has(identity) || count >= MAX_ERRORS_PER_FILE) return false;
    seen.add(identity);
    perFile.set(error.position.file, count + 1);
    return true;
  });
}

function byPlace(a: SpecError, b: SpecError): number {
  if (a.position.file !== b.position.file) return a.position.file < b.position.file ? -1 : 1;
  return a.position.line - b.position.line || a.position.column - b.position.column;
}
