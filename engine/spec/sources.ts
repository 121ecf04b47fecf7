import { repositoryPathProblem } from './checks/paths.ts';
import { decodeUtf8 } from './decode.ts';
import { type ConfigurationDocument, errorAt, errorsOf } from './documents.ts';
import { MAX_SOURCE_FILE_BYTES, MAX_TEMPLATE_BYTES } from './limits.ts';
import type { Manifest, SpecError } from './manifest.ts';
import { didYouMean } from './nearest.ts';
import { childPointer } from './pointer.ts';
import { parseTemplate, secretUsage, type Template, undeclaredNames } from './template.ts';

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
  readonly errors: readonly SpecError[];
}

/** Checks every file that a document names, once for all hosts. */
export function readSources(manifest: Manifest, document: ConfigurationDocument): Sources {
  const templates = new Map<string, Template>();
  const variables = Object.entries(document.spec.variables ?? {});
  const names: Names = {
    declared: new Set([...variables.map(([name]) => name), 'host.name', 'host.address']),
    secrets: new Set(variables.filter(([, { type }]) => type === 'secret').map(([name]) => name)),
  };
  const errors = errorsOf(sourceReferences(document), (reference) =>
    sourceProblems(manifest, reference, names, templates).map(({ code, message }) =>
      errorAt(document, code, reference.pointer, message),
    ),
  );
  const isSecretive = (template: Template) => secretUsage(template, names.secrets).used;
  const secretive = new Set([...templates].filter(([, each]) => isSecretive(each)).map(([path]) => path));
  return { templates, secretive, errors: [...errors, ...secretErrors(document, secretive)] };
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

function sourceProblems(
  manifest: Manifest,
  reference: SourceReference,
  names: Names,
  templates: Map<string, Template>,
): readonly Problem[] {
  const missing = fileProblem(manifest, reference);
  if (missing !== undefined) return [missing];
  const bytes = manifest.files.get(reference.path) ?? new Uint8Array();
  if (reference.role === 'key') return keyProblems(reference.path, bytes);
  return reference.role === 'template' ? templateProblems(reference.path, bytes, names, templates) : [];
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
function keyProblems(path: string, bytes: Uint8Array): readonly Problem[] {
  if (isArmored(bytes) || ((bytes[0] ?? 0) & 0x80) !== 0) return [];
  const message = `${path} is not an OpenPGP public key; give one that is armored (.asc) or binary (.gpg).`;
  return [{ code: 'wrong-key', message }];
}

export function isArmored(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(ARMOR_START);
}

function templateProblems(
  path: string,
  bytes: Uint8Array,
  { declared, secrets }: Names,
  templates: Map<string, Template>,
): readonly Problem[] {
  const wrong = (message: string, code = 'wrong-template') => [{ code, message }];
  if (bytes.length > MAX_TEMPLATE_BYTES) {
    return wrong(`${path} is larger than the ${MAX_TEMPLATE_BYTES / 1024} KiB that a template may have.`);
  }
  const text = decodeUtf8(bytes);
  if (text === undefined)
    return wrong(`${path} is not UTF-8, so it cannot be a template; use "source" to copy it.`);
  const template = parseTemplate(text);
  if (template.kind === 'problem') return wrong(`${path} line ${template.line} ${template.message}.`);
  const undeclared = undeclaredNames(template, declared);
  const asked = secretUsage(template, secrets).problems;
  if (undeclared.length + asked.length === 0) templates.set(path, template);
  const problems = asked.map(({ line, message }) => ({
    code: 'wrong-template',
    message: `${path} line ${line} ${message}.`,
  }));
  const missing = undeclared.map(({ line, message }) => ({
    code: 'undeclared-variable',
    message: `${path} line ${line} ${message}${message.endsWith('?') ? '' : '.'}`,
  }));
  return [...missing, ...problems];
}
