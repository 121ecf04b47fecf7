import type { VariableSource, VariableValue } from './types.generated.ts';

/** Why a value does not have the declared type, as the rest of a sentence; undefined where it does. */
export function variableTypeProblem(type: VariableSource['type'], value: VariableValue): string | undefined {
  if (hasType(type, value)) return undefined;
  return `is ${JSON.stringify(value)}, but is declared as ${NAMES[type]}`;
}

const NAMES: Readonly<Record<VariableSource['type'], string>> = {
  string: 'text (write it in quotes)',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  list: 'a list of texts',
};

function hasType(type: VariableSource['type'], value: VariableValue): boolean {
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value);
    case 'list':
      return Array.isArray(value);
    default:
      return typeof value === type;
  }
}
