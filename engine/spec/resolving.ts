import { errorAt, type ServerDocument } from './documents.ts';
import { MAX_PAYLOAD_BYTES } from './limits.ts';
import type { BrokenDocument } from './load.ts';
import type { LocatedDocument, Manifest, SpecError } from './manifest.ts';
import type { PayloadStore } from './payloads.ts';
import type { ResolvedServer } from './resolution.ts';
import type { templateParser } from './sources.ts';
import type { TemplateErrors } from './templateErrors.ts';
import type { Variables } from './variables.ts';

/** What a kind may see while it checks one of its documents. */
export interface Checking {
  readonly manifest: Manifest;
  /** Documents that are there but have mistakes: what seems to be missing may be one of them. */
  readonly broken: readonly BrokenDocument[];
}

/** What a kind may see while its documents become the desired state of hosts; mistakes go into `errors`. */
export interface Resolving {
  readonly manifest: Manifest;
  /** All servers of the repository with their defaults, by name, sorted. */
  readonly servers: ReadonlyMap<string, ResolvedServer>;
  /** The same as they are written. */
  readonly serverDocuments: ReadonlyMap<string, ServerDocument>;
  readonly payloads: PayloadStore;
  readonly errors: SpecError[];
  /** What is odd and forbids nothing. */
  readonly warnings: SpecError[];
  /** Mistakes in templates, each once with all documents that use it. */
  readonly mistakes: TemplateErrors;
  readonly parseTemplate: ReturnType<typeof templateParser>;
}

/** The host that a document is resolved for. */
export interface ResolvingHost {
  readonly document: ServerDocument;
  readonly server: ResolvedServer;
  /** Names of the servers that are reached through it, sorted. */
  readonly jumpFor: readonly string[];
  /** Values that the repository gives to variables there. */
  readonly settings: Variables['settings'];
}

/** Keeps a content for the hosts; an error at the pointer where it does not fit any more. */
export function storeContent(
  { payloads, errors }: Resolving,
  document: LocatedDocument,
  bytes: Uint8Array,
  pointer: string,
) {
  const payload = payloads.add(bytes);
  if (payload !== undefined) return payload;
  const bound = MAX_PAYLOAD_BYTES / 1024 / 1024;
  const message = `With this, all contents together are larger than ${bound} MiB; make them smaller.`;
  errors.push(errorAt(document, 'file-too-large', pointer, message));
  return NO_CONTENT;
}

/** Stands for a content that is an error; never planned. */
export const NO_CONTENT = { sha256: '', size: 0, text: true } as const;
