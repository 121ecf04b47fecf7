/** What a document must say so that it is as a host is, for one item. */
export type Adoption =
  | { readonly kind: 'adopt'; readonly edits: readonly Edit[] }
  /** A sentence without its full stop. */
  | { readonly kind: 'cannot'; readonly why: string };

export type Edit =
  /** A value of the document, by JSON pointer from its root. Nothing else of it changes. */
  | { readonly kind: 'set'; readonly pointer: string; readonly value: YamlValue }
  /** A file of the repository that the document copies. */
  | { readonly kind: 'write'; readonly path: string; readonly text: string };

export type YamlValue =
  | string
  | number
  | boolean
  | readonly YamlValue[]
  | { readonly [key: string]: YamlValue };

export function cannot(why: string): Adoption {
  return { kind: 'cannot', why };
}

export function adopt(...edits: readonly Edit[]): Adoption {
  return { kind: 'adopt', edits };
}

export function set(pointer: string, value: YamlValue): Edit {
  return { kind: 'set', pointer, value };
}
