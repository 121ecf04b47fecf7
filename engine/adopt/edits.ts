import type { Edit } from '../kinds/adoption.ts';
import { decodeSpecFile } from '../spec/decode.ts';
import { isConfiguration } from '../spec/documents.ts';
import { editYaml, type ValueEdit } from '../spec/edit/edit.ts';
import { type LoadOptions, loadManifest } from '../spec/load.ts';
import type { Manifest } from '../spec/manifest.ts';
import { parseYaml } from '../spec/parse.ts';
import { fileProblem, sourceReferences } from '../spec/sources.ts';

export type Files = ReadonlyMap<string, Uint8Array>;

type Edited =
  | { readonly kind: 'edited'; readonly files: Files }
  | { readonly kind: 'cannot'; readonly why: string };

/** The files that these edits of one document change. */
export function withEdits(files: Files, options: LoadOptions, ref: string, edits: readonly Edit[]): Edited {
  const { manifest } = loadManifest(files, options);
  const document = manifest.documents.find((each) => each.ref === ref);
  if (document === undefined) return { kind: 'cannot', why: `${ref} is not in the repository any more` };
  const path = document.position.file;
  const changed = new Map<string, Uint8Array>();
  for (const edit of edits) {
    if (edit.kind === 'write') {
      const why = notWritable(manifest, edit.path);
      if (why !== undefined) return { kind: 'cannot', why };
      changed.set(edit.path, encode(edit.text));
    } else {
      const text = edited(changed.get(path) ?? files.get(path), path, ref, edit);
      if (text === undefined) return { kind: 'cannot', why: NO_PLACE };
      changed.set(path, text);
    }
  }
  return { kind: 'edited', files: changed };
}

const NO_PLACE =
  'the YAML has no place for it that can be changed by itself, as within an alias; change it by hand';

/** A file that something else copies too would change that as well. */
function notWritable(manifest: Manifest, path: string): string | undefined {
  const problem = fileProblem(manifest, { path });
  if (problem !== undefined) return problem.message.replace(/\.$/, '');
  const uses = manifest.documents.filter(isConfiguration).flatMap(sourceReferences);
  const count = uses.filter((use) => use.path === path).length;
  return count === 1 ? undefined : `${path} is used ${count} times in the repository; change that by hand`;
}

const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf);

function edited(
  bytes: Uint8Array | undefined,
  path: string,
  ref: string,
  edit: ValueEdit,
): Uint8Array | undefined {
  if (bytes === undefined) return undefined;
  const decoded = decodeSpecFile(path, bytes);
  if (decoded.kind === 'error') return undefined;
  const index = parseYaml(path, decoded.text).documents.findIndex(({ value }) => refOf(value) === ref);
  const text = index === -1 ? undefined : editYaml(decoded.text, index, edit);
  if (text === undefined) return undefined;
  const marked = BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte);
  return marked ? Uint8Array.of(...BYTE_ORDER_MARK, ...encode(text)) : encode(text);
}

function refOf(value: unknown): string {
  const { kind, metadata } = (value ?? {}) as {
    readonly kind?: unknown;
    readonly metadata?: { readonly name?: unknown } | null;
  };
  return `${String(kind)}/${String(metadata?.name)}`;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
