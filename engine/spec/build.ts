import { EVENT_ID, type Event, getScalarValue, type ScalarEvent } from 'js-yaml';
import { MAX_YAML_ALIASES, MAX_YAML_ENTRIES, MAX_YAML_VALUES } from './limits.ts';
import type { Lines } from './lines.ts';
import type { Position, SpecError } from './manifest.ts';
import type { ParsedDocument, ParsedFile } from './parse.ts';
import { childPointer } from './pointer.ts';
import { resolvePlainScalar, scalarRange } from './scalar.ts';

/** Values with their size once aliases are expanded. */
interface Node {
  readonly value: unknown;
  readonly size: number;
  readonly start: number;
  readonly end: number;
}

/** State of one document; the maps and counters grow as its events are read. */
interface Builder {
  readonly events: readonly Event[];
  readonly text: string;
  readonly lines: Lines;
  readonly errors: SpecError[];
  readonly positions: Map<string, Position>;
  readonly keys: Map<string, Position>;
  readonly plain: Map<string, string>;
  readonly anchors: Map<string, Node | 'open'>;
  aliases: number;
  size: number;
  /** Index of the next event. */
  next: number;
  /** Offset after the last thing read: the place of an empty value. */
  last: number;
}

/** Ends the reading of a file at an error that makes the rest meaningless. */
class Stop extends Error {
  readonly type = 'yaml-stop';
}

/** Half of a surrogate pair; UTF-8 cannot carry it. */
const LONE_SURROGATE = /\p{Surrogate}/u;
/** Characters of text that weigh as much as one value. */
const TEXT_WEIGHT = 64;

export function buildDocuments(events: readonly Event[], text: string, lines: Lines): ParsedFile {
  const errors: SpecError[] = [];
  const documents: ParsedDocument[] = [];
  let next = 0;
  try {
    while (next < events.length) {
      const builder = newBuilder(events, text, lines, errors, next + 1);
      if (events[builder.next]?.type !== EVENT_ID.POP) documents.push(readDocument(builder));
      next = builder.next + 1;
    }
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
  }
  return { documents, errors };
}

function newBuilder(
  events: readonly Event[],
  text: string,
  lines: Lines,
  errors: SpecError[],
  next: number,
): Builder {
  const maps = { positions: new Map(), keys: new Map(), plain: new Map(), anchors: new Map() };
  return { events, text, lines, errors, ...maps, aliases: 0, size: 0, next, last: 0 };
}

function readDocument(builder: Builder): ParsedDocument {
  const { value } = readNode(builder, '');
  const { positions, keys, plain } = builder;
  return { value, positions, keys, plain };
}

function readNode(builder: Builder, pointer: string): Node {
  const event = builder.events[builder.next++];
  switch (event?.type) {
    case EVENT_ID.SCALAR:
      return anchored(builder, event, () => readScalar(builder, event, pointer));
    case EVENT_ID.SEQUENCE:
      rejectTag(builder, event);
      return anchored(builder, event, () => readSequence(builder, event.start, pointer));
    case EVENT_ID.MAPPING:
      rejectTag(builder, event);
      return anchored(builder, event, () => readMapping(builder, event.start, pointer));
    case EVENT_ID.ALIAS:
      return readAlias(builder, event.anchorStart, event.anchorEnd, pointer);
    default:
      return stop(builder, 'yaml-syntax', 'This is not valid YAML.', builder.last, builder.last + 1);
  }
}

function readScalar(builder: Builder, event: ScalarEvent, pointer: string): Node {
  const text = getScalarValue(builder.text, event);
  const range = scalarRange(builder.text, event, builder.last);
  const value = scalarValue(builder, event, text, range);
  if (typeof value !== 'string') builder.plain.set(pointer, text);
  builder.positions.set(pointer, builder.lines.position(range.start, range.end));
  builder.last = Math.max(builder.last, range.end);
  return { value, size: grow(builder, 1 + Math.floor(text.length / TEXT_WEIGHT), range), ...range };
}

type Range = { readonly start: number; readonly end: number };

function scalarValue(builder: Builder, event: ScalarEvent, text: string, range: Range): unknown {
  if (text.includes('\0')) {
    const message = 'This text contains a NUL character, which no file name or command can carry; remove it.';
    report(builder, 'nul-byte', message, '', range);
  }
  if (LONE_SURROGATE.test(text)) {
    report(builder, 'not-utf8', 'This text contains half of a surrogate pair; remove the escape.', '', range);
  }
  const tag = event.tagStart === -1 ? '' : builder.text.slice(event.tagStart, event.tagEnd);
  if (tag === '!!str' || tag === '!') return text;
  rejectTag(builder, event);
  return resolvePlainScalar(event, text);
}

function readSequence(builder: Builder, start: number, pointer: string): Node {
  const items: unknown[] = [];
  let size = grow(builder, 1, { start, end: start + 1 });
  builder.positions.set(pointer, builder.keys.get(pointer) ?? builder.lines.position(start, start + 1));
  builder.last = Math.max(builder.last, start + 1);
  while (builder.events[builder.next]?.type !== EVENT_ID.POP) {
    const item = readNode(builder, childPointer(pointer, items.length));
    items.push(item.value);
    checkEntries(builder, items.length, item);
    size += item.size;
  }
  builder.next++;
  return { value: items, size, start, end: builder.last };
}

function readMapping(builder: Builder, start: number, pointer: string): Node {
  const value: Record<string, unknown> = {};
  let size = grow(builder, 1, { start, end: start + 1 });
  builder.positions.set(pointer, builder.keys.get(pointer) ?? builder.lines.position(start, start + 1));
  let entries = 0;
  while (builder.events[builder.next]?.type !== EVENT_ID.POP) {
    const key = readKey(builder, pointer, value);
    const child = readNode(builder, childPointer(pointer, key));
    size += child.size + 1;
    checkEntries(builder, ++entries, child);
    // Plain assignment to `__proto__` would change the prototype.
    Object.defineProperty(value, key, {
      value: child.value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  builder.next++;
  return { value, size, start, end: builder.last };
}

/** Keys are always text, as written: `80: x` has the key "80". */
function readKey(builder: Builder, pointer: string, siblings: object): string {
  const event = builder.events[builder.next++];
  if (event?.type !== EVENT_ID.SCALAR) {
    const start = event !== undefined && 'start' in event ? event.start : builder.last;
    const message =
      'A key must be plain text, not a list, a map or an alias; put a value that begins with "{" or "[" in quotes.';
    return stop(builder, 'yaml-key', message, start, start + 1);
  }
  const key = getScalarValue(builder.text, event);
  const range = scalarRange(builder.text, event, builder.last);
  const place = builder.lines.position(range.start, range.end);
  const at = childPointer(pointer, key);
  if (event.valueStart === -1) report(builder, 'yaml-key', 'There is no key before this ":".', at, range);
  scalarValue(builder, event, key, range);
  if (Object.hasOwn(siblings, key)) {
    const first = builder.keys.get(at)?.line ?? 0;
    const message = `The key ${JSON.stringify(key)} is already there in line ${first}; keep one of the two.`;
    report(builder, 'duplicate-key', message, at, range);
  } else {
    builder.keys.set(at, place);
  }
  builder.last = Math.max(builder.last, range.end);
  return key;
}

function readAlias(builder: Builder, start: number, end: number, pointer: string): Node {
  const name = builder.text.slice(start, end);
  const target = builder.anchors.get(name);
  if (target === undefined) {
    return stop(builder, 'yaml-alias', `There is no anchor &${name} before this alias.`, start - 1, end);
  }
  if (target === 'open') {
    return stop(builder, 'yaml-alias', `The alias *${name} lies within its own anchor.`, start - 1, end);
  }
  if (++builder.aliases > MAX_YAML_ALIASES) {
    const message = `This document has more than ${MAX_YAML_ALIASES} aliases; write the values out.`;
    return stop(builder, 'yaml-too-large', message, start - 1, end);
  }
  const range = { start: start - 1, end };
  builder.positions.set(pointer, builder.lines.position(range.start, range.end));
  builder.last = Math.max(builder.last, end);
  return { value: target.value, size: grow(builder, target.size, range), ...range };
}

function anchored(
  builder: Builder,
  event: { readonly anchorStart: number; readonly anchorEnd: number },
  read: () => Node,
): Node {
  if (event.anchorStart === -1) return read();
  const name = builder.text.slice(event.anchorStart, event.anchorEnd);
  builder.anchors.set(name, 'open');
  const node = read();
  builder.anchors.set(name, node);
  return node;
}

function rejectTag(builder: Builder, event: { readonly tagStart: number; readonly tagEnd: number }): void {
  if (event.tagStart === -1) return;
  const tag = builder.text.slice(event.tagStart, event.tagEnd);
  const message = `YAML tags such as ${tag} are not supported; remove it (quotes make a value text).`;
  report(builder, 'yaml-tag', message, '', { start: event.tagStart, end: event.tagEnd });
}

function checkEntries(builder: Builder, entries: number, range: Range): void {
  if (entries <= MAX_YAML_ENTRIES) return;
  const message = `This list or map has more than ${MAX_YAML_ENTRIES} entries; split the document.`;
  stop(builder, 'yaml-too-large', message, range.start, range.end);
}

function grow(builder: Builder, size: number, range: Range): number {
  builder.size += size;
  if (builder.size > MAX_YAML_VALUES) {
    const message = `This document has more than ${MAX_YAML_VALUES} values (aliases count in full); split it.`;
    stop(builder, 'yaml-too-large', message, range.start, range.end);
  }
  return size;
}

function report(builder: Builder, code: string, message: string, pointer: string, range: Range): void {
  const position = builder.lines.position(range.start, range.end);
  builder.errors.push({ kind: 'spec-error', code, message, position, pointer });
}

function stop(builder: Builder, code: string, message: string, start: number, end: number): never {
  report(builder, code, message, '', { start, end });
  throw new Stop();
}
