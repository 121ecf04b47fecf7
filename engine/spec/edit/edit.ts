import type { YamlValue } from '../../kinds/adoption.ts';
import { canonicalJson } from '../canonical.ts';
import { parseYaml } from '../parse.ts';
import { parentPointer, pointerSegments } from '../pointer.ts';
import { type Place, placesOf } from './places.ts';
import { flow, literal, scalarForms } from './write.ts';

export interface ValueEdit {
  readonly pointer: string;
  readonly value: YamlValue;
}

/**
 * The text with one value of one of its documents changed, or added to its map: comments, order and layout stay. Several
 * ways to write it are tried, and only one that a parser reads as exactly the change that is meant is taken; so no value
 * can become anything else, whatever is in it. Undefined where there is no such way, as within an alias.
 */
export function editYaml(text: string, document: number, edit: ValueEdit): string | undefined {
  const before = valuesOf(text);
  const places = before === undefined ? undefined : placesOf(text)[document];
  if (before === undefined || places === undefined) return undefined;
  const wanted = before.map((value, i) => (i === document ? changed(value, edit) : value));
  const meant = canonicalJson(wanted);
  for (const candidate of candidates(text, places, edit)) {
    const after = valuesOf(candidate);
    if (after !== undefined && canonicalJson(after) === meant) return candidate;
  }
  return undefined;
}

function valuesOf(text: string): readonly unknown[] | undefined {
  const { documents, errors } = parseYaml('', text);
  return errors.length > 0 ? undefined : documents.map(({ value }) => value);
}

function changed(root: unknown, { pointer, value }: ValueEdit): unknown {
  const [head, ...rest] = pointerSegments(pointer);
  if (head === undefined) return value;
  const below = rest.map((segment) => `/${segment.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  const own = isMap(root) ? root : {};
  const inner = Object.hasOwn(own, head) ? own[head] : undefined;
  return { ...own, [head]: changed(inner, { pointer: below, value }) };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function candidates(text: string, places: ReadonlyMap<string, Place>, edit: ValueEdit): readonly string[] {
  const place = places.get(edit.pointer);
  if (place !== undefined) return replacements(text, place, edit.value);
  const parent = places.get(parentPointer(edit.pointer));
  const key = pointerSegments(edit.pointer).at(-1);
  if (parent?.kind !== 'map' || key === undefined) return [];
  return insertions(text, parent, key, edit.value);
}

function replacements(text: string, place: Place, value: YamlValue): readonly string[] {
  const put = (start: number, written: string) => `${text.slice(0, start)}${written}${text.slice(place.end)}`;
  if (place.kind === 'alias') return [];
  // a block begins on a line of its own, a value in braces behind its key
  if (!place.flow && (place.kind === 'map' || place.kind === 'list'))
    return place.afterKey < 0 ? [] : [put(place.afterKey, ` ${flow(value)}`)];
  return forms(text, place, value).map((written) => put(place.start, written));
}

function forms(text: string, { kind, flow: inBraces, indent }: Place, value: YamlValue): readonly string[] {
  if (typeof value !== 'string') return [flow(value)];
  const several = kind === 'block-scalar' || value.trimEnd().includes('\n');
  const block = several && !inBraces ? literal(value, indent, lineEndOf(text)) : undefined;
  return [...(block === undefined ? [] : [block]), ...scalarForms(value)];
}

function insertions(text: string, parent: Place, key: string, value: YamlValue): readonly string[] {
  const values = typeof value === 'string' ? scalarForms(value) : [flow(value)];
  const entries = values.flatMap((written) => scalarForms(key).map((name) => `${name}: ${written}`));
  const put = (at: number, inserted: string, from = at) =>
    `${text.slice(0, at)}${inserted}${text.slice(from)}`;
  return entries.flatMap((entry) => {
    if (parent.flow && parent.empty) return [put(parent.start, `{ ${entry} }`, parent.end)];
    if (parent.flow) return [put(parent.start + 1, ` ${entry},`)];
    const indent = ' '.repeat(parent.indent);
    const lineEnd = text.indexOf('\n', parent.end);
    const behind = lineEnd === -1 ? text.length : lineEnd - (text[lineEnd - 1] === '\r' ? 1 : 0);
    const before = put(parent.start, `${entry}${lineEndOf(text)}${indent}`);
    return [put(behind, `${lineEndOf(text)}${indent}${entry}`), before];
  });
}

function lineEndOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}
