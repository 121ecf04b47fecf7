import type { Sh } from '../shell/sh.ts';

/**
 * A fact reads one sort of item on a host and changes nothing.
 *
 * `read` is a POSIX sh snippet that prints, for every query in order, the line `= KEY` (KEY as `encodeKey` gives it)
 * and then the item's lines. The text between two such lines is the item's *raw* state: deterministic, the same
 * bytes whenever the item is the same, so that a digest of it is a before-state and the host itself can compare it.
 * Whatever is only informational (a file's content, a candidate version) goes into lines that begin with `~ `;
 * those are left out of the raw state. Anything that could hold a newline is base64 or hashed.
 *
 * Host output is untrusted: `parse` must accept any lines and throw `FactError` on what it does not understand.
 * An item that is not there is a state ("absent"), never an error.
 */
export interface Fact<Query extends FactQuery, State> {
  readonly fact: Query['fact'];
  readonly read: (queries: readonly Query[]) => Sh;
  readonly parse: (lines: readonly string[], query: Query) => State;
}

export interface FactQuery {
  readonly fact: string;
  /** Identity of the item within its fact, such as a path or a unit's name. */
  readonly key: string;
}

/** One item as read from one host. */
export interface Reading<State = unknown> {
  readonly query: FactQuery;
  readonly state: State;
  /** Raw state lines joined by newlines, without informational lines. */
  readonly raw: string;
}

/** All readings of one host, by `itemKey(fact, key)`. */
export type Readings = ReadonlyMap<ItemKey, Reading>;

/** `fact:key`, the identity of an item on one host. */
export type ItemKey = `${string}:${string}`;

export function itemKey(fact: string, key: string): ItemKey {
  return `${fact}:${key}`;
}

export function splitItemKey(item: string): { readonly fact: string; readonly key: string } {
  const at = item.indexOf(':');
  return { fact: item.slice(0, at), key: item.slice(at + 1) };
}

/** Keys are printed on one line; whatever is not plain is percent-encoded, the same on both sides. */
export function encodeKey(key: string): string {
  return encodeURIComponent(key);
}

/** Characters of a message. What it quotes came from a host, which may name things as long as it likes. */
const MESSAGE_MAX = 1_000;

export class FactError extends Error {
  readonly type = 'fact-unreadable';
  constructor(message: string) {
    super(message.length <= MESSAGE_MAX ? message : `${message.slice(0, MESSAGE_MAX - 3)}...`);
  }
}
