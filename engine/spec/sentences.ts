import type { ErrorObject } from 'ajv/dist/2020.js';
import { dump } from 'js-yaml';
import { placeOfProperty, sectionWithin } from './misplaced.ts';
import { didYouMean } from './nearest.ts';
import { describePointer } from './pointer.ts';

/** Characters of a user's value that are repeated in a sentence. */
const SHOWN_VALUE_LENGTH = 60;
/** Characters of an example; a longer one is no help in a line. */
const SHOWN_EXAMPLE_LENGTH = 120;

/**
 * What is wrong, what was expected and what to do, as one sentence.
 *
 * `plain` is the unquoted text in the file where YAML read it as something else than text.
 */
export function schemaSentence(kind: string, error: ErrorObject, plain: string | undefined): string {
  const section = sectionWithin(kind, error.instancePath);
  const text = sentence(kind, error, plain);
  return section === undefined ? text : `${text.replace(/[.?]$/, '')}${section}.`;
}

function sentence(kind: string, error: ErrorObject, plain: string | undefined): string {
  const what = describePointer(error.instancePath);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownProperty(kind, error, what);
    case 'required':
      return `${capitalised(what)} has no "${String(error.params.missingProperty)}", which is required.`;
    case 'propertyNames':
      return wrongName(error, what);
    case 'type':
      return wrongType(error, what, plain);
    case 'enum':
      return wrongChoice(error, what);
    case 'const':
      return wrongConstant(error, what);
    case 'pattern':
      return `${capitalised(what)} is ${shown(error.data)}, but must be ${expected(error)}.`;
    default:
      return `${capitalised(what)} ${limitSentence(error)}.`;
  }
}

function unknownProperty(kind: string, error: ErrorObject, what: string): string {
  const name = String(error.params.additionalProperty);
  if (name === '<<') return 'Merge keys ("<<") are no part of YAML 1.2; write the properties out.';
  const known = Object.keys(objectAt(error.parentSchema, 'properties'));
  const place = error.instancePath === '' ? 'a document' : what;
  const elsewhere = placeOfProperty(kind, name, error.instancePath);
  if (elsewhere !== undefined) return `Unknown property ${shown(name)} in ${place}; it belongs ${elsewhere}.`;
  const nearest = didYouMean(name, known);
  const choice = nearest === '.' ? `; known are ${known.join(', ')}.` : nearest;
  return `Unknown property ${shown(name)} in ${place}${choice}`;
}

function wrongName(error: ErrorObject, what: string): string {
  const names = objectAt(error.parentSchema, 'propertyNames');
  const wanted = typeof names['x-expected'] === 'string' ? names['x-expected'] : 'another name';
  const shape = names.$ref === undefined ? wanted : VARIABLE_NAME;
  return `${shown(String(error.params.propertyName))} cannot be a name in ${what}; expected ${shape}.`;
}

/** The one reference that `propertyNames` uses. */
const VARIABLE_NAME =
  'up to 63 lower-case letters, digits and "_", beginning with a letter, such as site_name (host is reserved)';

function wrongType(error: ErrorObject, what: string, plain: string | undefined): string {
  const types: readonly string[] = [error.params.type as string | string[]].flat();
  const subject = capitalised(what);
  if (error.data === null && !types.includes('null')) {
    const example = types.includes('object')
      ? ' ({} if there is nothing to say; if it follows, indent it further)'
      : '';
    return `${subject} has no value; it must be ${typeNames(types)}${example}.`;
  }
  if (plain !== undefined && types.includes('string') && quotesHelp(error, plain))
    return `${subject} must be text; ${quoting(plain, error.data)}.`;
  if (
    typeof error.data === 'string' &&
    types.includes('boolean') &&
    /^(yes|no|on|off|y|n)$/i.test(error.data)
  ) {
    return `${subject} must be true or false; YAML 1.2 reads ${error.data} as text.`;
  }
  if (typeof error.data === 'string' && /^[^\s:]+:[^\s/]/.test(error.data) && types.includes('object'))
    return `${subject} must be ${typeNames(types)}, not ${shown(error.data)}; write a space after the ":".`;
  return `${subject} must be ${typeNames(types)}, not ${shown(error.data)}${hint(error)}${example(error, types)}.`;
}

/** How a list or a map is written, in YAML, where something else stands: with the user's own value where that would do. */
function example(error: ErrorObject, types: readonly string[]): string {
  if (types.includes('array') && isItem(error)) return `; write it in brackets: [${inYaml(error.data)}]`;
  const examples: unknown = Reflect.get(error.parentSchema ?? {}, 'examples');
  const shape = Array.isArray(examples) && types.some((type) => type === 'object' || type === 'array');
  const first: unknown = shape ? examples.find((one: object) => Object.keys(one).length > 0) : undefined;
  const text = first === undefined ? '' : inYaml(first);
  return text === '' || text.length > SHOWN_EXAMPLE_LENGTH ? '' : `; for example ${text}`;
}

/** One word where a list of texts should be. */
function isItem({ data, parentSchema }: ErrorObject): boolean {
  return typeof data === 'string' && !/\s/.test(data) && objectAt(parentSchema, 'items').type === 'string';
}

/** In one line. */
function inYaml(value: unknown): string {
  return dump(value, { flowLevel: 0, lineWidth: -1, quoteStyle: 'double' }).trimEnd();
}

/** Whether the same text in quotes would be right: `0644` as a mode, but not `30` as a duration. */
function quotesHelp(error: ErrorObject, plain: string): boolean {
  const pattern: unknown = Reflect.get(error.parentSchema ?? {}, 'pattern');
  return typeof pattern !== 'string' || new RegExp(pattern, 'u').test(plain);
}

function quoting(plain: string, value: unknown): string {
  const read = String(value);
  const as = typeof value === 'number' ? (read === plain ? 'a number' : read) : `a ${typeof value}`;
  return `write ${JSON.stringify(plain)} in quotes: YAML reads ${plain} as ${as}`;
}

function wrongConstant(error: ErrorObject, what: string): string {
  const allowed: unknown = error.params.allowedValue;
  const advice = allowed === 'absent' ? '; leave it out where the item must exist' : '';
  return `${capitalised(what)} must be ${JSON.stringify(allowed)}, not ${shown(error.data)}${advice}.`;
}

function wrongChoice(error: ErrorObject, what: string): string {
  const allowed = (error.params.allowedValues as readonly unknown[]).map(String);
  const nearest = didYouMean(String(error.data), allowed);
  return `${capitalised(what)} must be one of ${allowed.join(', ')}, not ${shown(error.data)}${nearest}`;
}

function limitSentence(error: ErrorObject): string {
  const limit = String(error.params.limit);
  switch (error.keyword) {
    case 'minimum':
    case 'maximum':
      return `is ${shown(error.data)}, but must be ${error.keyword === 'minimum' ? 'at least' : 'at most'} ${limit}`;
    case 'minItems':
    case 'minProperties':
      return `must have at least ${limit} item${limit === '1' ? '' : 's'}`;
    case 'maxItems':
    case 'maxProperties':
      return `has too many items; at most ${limit} are allowed`;
    case 'minLength':
      return 'must not be empty';
    case 'maxLength':
      return `is too long; at most ${limit} characters are allowed`;
    case 'uniqueItems':
      return `has the same item twice (items ${Math.min(error.params.i, error.params.j) + 1} and ${Math.max(error.params.i, error.params.j) + 1})`;
    default:
      return `is not valid: ${error.message ?? error.keyword}`;
  }
}

/** What the schema says about the value, for people. */
function expected(error: ErrorObject): string {
  const text = (error.parentSchema as Record<string, unknown> | undefined)?.['x-expected'];
  return typeof text === 'string' ? text : `as ${String(error.params.pattern)} says`;
}

function hint(error: ErrorObject): string {
  const text = (error.parentSchema as Record<string, unknown> | undefined)?.['x-expected'];
  return typeof text === 'string' ? `; expected ${text}` : '';
}

function typeNames(types: readonly string[]): string {
  const names = types.map((type) => TYPE_NAMES[type] ?? type);
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} or ${names.at(-1)}` : (names[0] ?? '');
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  object: 'a map of names to values',
  array: 'a list',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map';
  const text = (JSON.stringify(value) ?? String(value)).replaceAll(UNSEEN, escaped);
  return text.length > SHOWN_VALUE_LENGTH ? `${text.slice(0, SHOWN_VALUE_LENGTH)}..."` : text;
}

/** Spaces that are none and signs without width, as a copied text brings them. */
const UNSEEN = /[\p{Zs}\p{Zl}\p{Zp}\p{Cf}]/gu;

function escaped(character: string): string {
  if (character === ' ') return character;
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function objectAt(schema: unknown, key: string): Readonly<Record<string, unknown>> {
  const value =
    typeof schema === 'object' && schema !== null ? (schema as Record<string, unknown>)[key] : undefined;
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
