import { repositoryPathProblem } from './checks/paths.ts';
import { decodeUtf8 } from './decode.ts';
import { type ConfigurationDocument, errorAt, errorsOf } from './documents.ts';
import { MAX_ERRORS, MAX_SOURCE_FILE_BYTES, MAX_TEMPLATE_BYTES } from './limits.ts';
import { fileStart } from './lines.ts';
import type { Manifest, SpecError } from './manifest.ts';
import { didYouMean } from './nearest.ts';
import { childPointer } from './pointer.ts';
import {
  parseTemplate,
  secretUsage,
  type Template,
  type TemplateProblem,
  undeclaredNames,
} from './template.ts';

/** A file of the repository that a document names. */
export interface SourceReference {
  readonly path: string;
  readonly pointer: string;
  readonly role: 'source' | 'template' | 'key';
}

export function sourceReferences({ spec }: ConfigurationDocument): readonly SourceReference[] {
  const forms = (section: 'files' | 'units') =>
    Object.entries(spec[section] ?? {}).flatMap(([name, { source, template }]) => {
      const pointer = childPointer(`/spec/${section}`, name);
      return [
        ...(source === undefined
          ? []
          : [{ path: source, pointer: `${pointer}/source`, role: 'source' as const }]),
        ...(template === undefined
          ? []
          : [{ path: template, pointer: `${pointer}/template`, role: 'template' as const }]),
      ];
    });
  const keys = Object.entries(spec.aptRepositories ?? {}).map(([name, { key }]) => ({
    path: key,
    pointer: `${childPointer('/spec/aptRepositories', name)}/key`,
    role: 'key' as const,
  }));
  return [...forms('files'), ...forms('units'), ...keys];
}

export interface Sources {
  /** Parsed templates by path; only those without mistakes. */
  readonly templates: ReadonlyMap<string, Template>;
  /** Those of them that use secrets. */
  readonly secretive: ReadonlySet<string>;
  /** What is wrong in the document. */
  readonly errors: readonly SpecError[];
  /** What is wrong in its templates. */
  readonly mistakes: readonly TemplateMistake[];
}

export interface TemplateMistake {
  readonly code: string;
  readonly problem: TemplateProblem;
  /** Of what names the template in the document. */
  readonly pointer: string;
}

/** Every template once, however many documents use it. */
export type Parse = (path: string, bytes: Uint8Array) => Template | TemplateProblem;

export function templateParser(): Parse {
  const parsed = new Map<string, Template | TemplateProblem>();
  return (path, bytes) => {
    const result = parsed.get(path) ?? parseBytes(path, bytes);
    parsed.set(path, result);
    return result;
  };
}

function parseBytes(path: string, bytes: Uint8Array): Template | TemplateProblem {
  const wrong = (message: string): TemplateProblem => {
    return { kind: 'problem', position: fileStart(path), message };
  };
  if (bytes.length > MAX_TEMPLATE_BYTES)
    return wrong(
      `is larger than the ${MAX_TEMPLATE_BYTES / 1024} KiB that a template may have; make it smaller`,
    );
  const text = decodeUtf8(bytes);
  if (text === undefined) return wrong('is not UTF-8, so it cannot be one; use "source" to copy it');
  return parseTemplate(path, text);
}

/** Checks every file that a document names, once for all hosts. */
export function readSources(manifest: Manifest, document: ConfigurationDocument, parse: Parse): Sources {
  const templates = new Map<string, Template>();
  const names = namesIn(document);
  const mistakes: TemplateMistake[] = [];
  const errors = errorsOf(sourceReferences(document), (reference) => {
    const problem = fileProblem(manifest, reference) ?? keyProblem(manifest, reference);
    if (problem !== undefined) return [errorAt(document, problem.code, reference.pointer, problem.message)];
    if (reference.role !== 'template' || mistakes.length >= MAX_ERRORS) return [];
    const template = parse(reference.path, bytesOf(manifest, reference));
    const found =
      template.kind === 'problem' ? [{ code: WRONG, problem: template }] : misuses(template, names);
    for (const { code, problem: wrong } of found)
      mistakes.push({ code, problem: wrong, pointer: reference.pointer });
    if (template.kind === 'template' && found.length === 0) templates.set(reference.path, template);
    return [];
  });
  const isSecretive = (template: Template) => secretUsage(template, names.secrets).used;
  const secretive = new Set([...templates].filter(([, each]) => isSecretive(each)).map(([path]) => path));
  return { templates, secretive, errors: [...errors, ...secretErrors(document, secretive)], mistakes };
}

function namesIn({ spec }: ConfigurationDocument): Names {
  const variables = Object.entries(spec.variables ?? {});
  return {
    declared: new Set([...variables.map(([name]) => name), 'host.name', 'host.address']),
    secrets: new Set(variables.filter(([, { type }]) => type === 'secret').map(([name]) => name)),
  };
}

function bytesOf(manifest: Manifest, { path }: SourceReference): Uint8Array {
  return manifest.files.get(path) ?? new Uint8Array();
}

/** Names that the templates of a document may use. */
interface Names {
  readonly declared: ReadonlySet<string>;
  readonly secrets: ReadonlySet<string>;
}

/** Where secrets may not go: texts that others can read on the server. */
function secretErrors(document: ConfigurationDocument, secretive: ReadonlySet<string>): readonly SpecError[] {
  const { files = {}, units = {} } = document.spec;
  const inUnits = Object.entries(units)
    .filter(([, { template }]) => template !== undefined && secretive.has(template))
    .map(([name, { template }]) =>
      errorAt(
        document,
        'secret-in-unit',
        `${childPointer('/spec/units', name)}/template`,
        `${template} uses a secret, and every user can read a unit. Put the secret into a file, and name that in the unit (EnvironmentFile= or LoadCredential=).`,
      ),
    );
  const readable = Object.entries(files)
    .filter(([, { template, mode }]) => secretive.has(template ?? '') && !/0$/.test(mode ?? '0'))
    .map(([path, { mode, template }]) =>
      errorAt(
        document,
        'secret-readable',
        `${childPointer('/spec/files', path)}/mode`,
        `${template} uses a secret, and with the mode ${mode} every user of the server can read ${path}; take the last digit to 0, such as 0600 or 0640.`,
      ),
    );
  return [...inUnits, ...readable];
}

interface Problem {
  readonly code: string;
  readonly message: string;
}

export function fileProblem(
  manifest: Manifest,
  { path }: Pick<SourceReference, 'path'>,
): Problem | undefined {
  const shape = repositoryPathProblem(path);
  if (shape !== undefined) return { code: 'wrong-path', message: `${path} ${shape}.` };
  const link = linkOnTheWay(manifest.links, path);
  if (link !== undefined) {
    const message = `${path} goes through the symbolic link ${link}, which is not followed; name the file itself.`;
    return { code: 'wrong-path', message };
  }
  const why = manifest.refused.get(path);
  if (why !== undefined) return { code: 'wrong-path', message: `${path} cannot be used: it is ${why}.` };
  const bytes = manifest.files.get(path);
  if (bytes === undefined) {
    const message = `There is no file ${path} in the repository${didYouMean(path, manifest.files.keys())}`;
    return { code: 'missing-source', message };
  }
  if (bytes.length <= MAX_SOURCE_FILE_BYTES) return undefined;
  const bound = MAX_SOURCE_FILE_BYTES / 1024 / 1024;
  return {
    code: 'file-too-large',
    message: `${path} is larger than the ${bound} MiB that a copied file may have.`,
  };
}

function linkOnTheWay(links: ReadonlySet<string>, path: string): string | undefined {
  const segments = path.split('/');
  return segments
    .map((_, index) => segments.slice(0, index + 1).join('/'))
    .find((prefix) => links.has(prefix));
}

export const ARMOR_START = '-----BEGIN PGP PUBLIC KEY BLOCK-----';

/** A key that apt would not read stops every later update of the host. A binary packet has its top bit set (RFC 4880, 4.2). */
function keyProblem(manifest: Manifest, reference: SourceReference): Problem | undefined {
  if (reference.role !== 'key') return undefined;
  const bytes = bytesOf(manifest, reference);
  if (isArmored(bytes) || ((bytes[0] ?? 0) & 0x80) !== 0) return undefined;
  const message = `${reference.path} is not an OpenPGP public key; give one that is armored (.asc) or binary (.gpg).`;
  return { code: 'wrong-key', message };
}

export function isArmored(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(ARMOR_START);
}

export const WRONG = 'wrong-template';

/** Names that a template may not use, or not so. */
function misuses(
  template: Template,
  { declared, secrets }: Names,
): readonly Omit<TemplateMistake, 'pointer'>[] {
  const undeclared = undeclaredNames(template, declared);
  const asked = secretUsage(template, secrets).problems;
  return [
    ...undeclared.map((problem) => ({ code: 'undeclared-variable', problem })),
    ...asked.map((problem) => ({ code: WRONG, problem })),
  ];
}
