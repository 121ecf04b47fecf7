/** A place in a file of the infrastructure repository. Lines and columns count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** A mistake in the user's YAML or in a template: reads as a sentence, says what, where and what to do. */
export interface SpecError {
  readonly kind: 'spec-error';
  /** Stable name, such as `yaml-syntax`, `unknown-property`, `duplicate-claim`. */
  readonly code: string;
  readonly message: string;
  readonly position: Position;
  /** JSON pointer within the document, empty where there is none. */
  readonly pointer: string;
  /** Of a mistake in a template, whose own place is `position`. */
  readonly usedBy?: readonly TemplateUser[];
}

/** A document that uses a template, and where it names that. */
export interface TemplateUser {
  readonly document: DocumentRef;
  readonly position: Position;
}

/** One YAML document that passed its schema; where there are errors, what of it did. */
export interface Document<Spec = unknown> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly dependsOn: readonly DocumentRef[];
  readonly spec: Spec;
  readonly position: Position;
}

/** `Configuration/web` */
export type DocumentRef = `${string}/${string}`;

export function documentRef(document: { kind: string; metadata: { name: string } }): DocumentRef {
  return `${document.kind}/${document.metadata.name}`;
}

/** A document with the place of each of its values, by JSON pointer from the document's root. */
export interface LocatedDocument<Spec = unknown> extends Document<Spec> {
  readonly ref: DocumentRef;
  readonly onRemoval: 'restore' | 'keep';
  readonly positions: ReadonlyMap<string, Position>;
  /** The same for the keys that name the values. */
  readonly keys: ReadonlyMap<string, Position>;
}

/** What a repository declares at one commit, schema-checked but not yet resolved for hosts. */
export interface Manifest {
  readonly kind: 'manifest';
  /** In the order of file paths, then of documents in a file. */
  readonly documents: readonly LocatedDocument[];
  /** All files of the repository that specs may point to, by path from its root with `/`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Paths of symbolic links; never followed, only named in errors. */
  readonly links: ReadonlySet<string>;
  /** Paths that were left out for another reason, with what they are (`2 bytes long, over the limit of 1`). */
  readonly refused: ReadonlyMap<string, string>;
}
