import { isSecretSetting } from './secrets.ts';
import type { VariableSetting, VariableSource } from './types.generated.ts';

/** Why a value does not have the declared type, as the rest of a sentence; undefined where it does. */
export function variableTypeProblem(
  type: VariableSource['type'],
  value: VariableSetting,
): string | undefined {
  if (hasType(type, value)) return undefined;
  if (type === 'secret') return CLEAR_TEXT;
  if (isSecretSetting(value)) return `is a secretRef, but is declared as ${NAMES[type]}`;
  return `is ${JSON.stringify(value)}, but is declared as ${NAMES[type]}`;
}

/** The value is not repeated: it may be a real secret. */
const CLEAR_TEXT =
  'stands in clear text, but is declared as a secret; write {secretRef: {env: NAME}} or another place instead (and if it was real, change it: all who can read the repository know it)';

const NAMES: Readonly<Record<Exclude<VariableSource['type'], 'secret'>, string>> = {
  string: 'text (write it in quotes)',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  list: 'a list of texts',
};

function hasType(type: VariableSource['type'], value: VariableSetting): boolean {
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value);
    case 'list':
      return Array.isArray(value);
    case 'secret':
      return isSecretSetting(value);
    default:
      return typeof value === type;
  }
}
