import type { ErrorObject } from 'ajv/dist/2020.js';
import type { Position, SpecError } from './manifest.ts';
import type { ParsedDocument } from './parse.ts';
import { childPointer, nearestEntry, pointerSegments } from './pointer.ts';
import { schemaErrors } from './schemas.ts';
import { schemaSentence } from './sentences.ts';

/** Every mistake in a document by the schema of its kind, one a place, each as a sentence. */
export function validateDocument(kind: string, document: ParsedDocument): readonly SpecError[] {
  const errors = [...schemaErrors(kind, document.value)].filter(isOwnError).sort(byWorth);
  const byPlace = new Map<string, SpecError>();
  for (const error of errors) {
    const specError = toSpecError(kind, error, document);
    const place = `${specError.pointer} ${ofOneValue(error) ? 'value' : specError.code}`;
    if (!byPlace.has(place)) byPlace.set(place, specError);
  }
  const wrong = new Set([...byPlace.values()].map((error) => error.pointer));
  return [...byPlace.values(), ...numbersInDisguise(document).filter(({ pointer }) => !wrong.has(pointer))];
}

/** YAML reads 0644 as 644, 1.10 as 1.1 and 0x10 as 16; where a number is allowed nobody would notice. */
function numbersInDisguise(document: ParsedDocument): readonly SpecError[] {
  return [...document.plain].flatMap(([pointer, text]) => {
    const value = valueAt(document.value, pointer);
    if (typeof value !== 'number' || String(value) === text) return [];
    const message = `${text} is read as ${value} by YAML; write ${value}, or ${JSON.stringify(text)} in quotes if it is a text.`;
    return [
      {
        kind: 'spec-error',
        code: 'wrong-value',
        message,
        position: valuePosition(document, pointer),
        pointer,
      },
    ];
  });
}

function valueAt(value: unknown, pointer: string): unknown {
  return pointerSegments(pointer).reduce<unknown>((at, key) => Reflect.get(Object(at), key), value);
}

/** Which choices there are says more than which type; sorting keeps the order of the rest. */
function byWorth(a: ErrorObject, b: ErrorObject): number {
  return Number(b.keyword === 'enum') - Number(a.keyword === 'enum');
}

/** A value of another type breaks its other rules as well; one sentence about it is enough, the most telling first. */
function ofOneValue({ keyword }: ErrorObject): boolean {
  return !['additionalProperties', 'required', 'propertyNames'].includes(keyword);
}

/** A wrong key is reported twice: for its pattern and for `propertyNames`; the second has all that a reader needs. */
function isOwnError(error: ErrorObject): boolean {
  return error.propertyName === undefined || error.keyword === 'propertyNames';
}

function toSpecError(kind: string, error: ErrorObject, document: ParsedDocument): SpecError {
  const key = keyAtFault(error);
  const pointer = key === undefined ? error.instancePath : childPointer(error.instancePath, key);
  return {
    kind: 'spec-error',
    code: errorCode(error.keyword),
    message: schemaSentence(kind, error, document.plain.get(error.instancePath)),
    position: key === undefined ? valuePosition(document, pointer) : keyPosition(document, pointer),
    pointer,
  };
}

/** The key that should not be there or is not well formed. */
function keyAtFault(error: ErrorObject): string | undefined {
  if (error.keyword === 'additionalProperties') return String(error.params.additionalProperty);
  if (error.keyword === 'propertyNames') return String(error.params.propertyName);
  return undefined;
}

type Places = Pick<ParsedDocument, 'positions' | 'keys'>;

/** Place of a value; what has none of its own (it came by an alias, or is missing) is at what holds it. */
export function valuePosition(document: Places, pointer: string): Position {
  const position = nearestEntry(document.positions, pointer);
  if (position === undefined) throw new Error('a document has no position at all');
  return position;
}

export function keyPosition(document: Places, pointer: string): Position {
  return document.keys.get(pointer) ?? valuePosition(document, pointer);
}

function errorCode(keyword: string): string {
  switch (keyword) {
    case 'additionalProperties':
      return 'unknown-property';
    case 'required':
      return 'missing-property';
    case 'propertyNames':
      return 'wrong-name';
    case 'type':
      return 'wrong-type';
    default:
      return 'wrong-value';
  }
}
