import { windowErrors } from './checks/window.ts';
import { decodeSpecFile } from './decode.ts';
import { fileStart } from './lines.ts';
import type { Position, SpecError } from './manifest.ts';
import { type ParsedDocument, parseYaml } from './parse.ts';
import { childPointer } from './pointer.ts';
import { POLICY } from './schemas.ts';
import type { PolicySource, PolicySpec } from './types.generated.ts';
import { validateDocument, valuePosition } from './validate.ts';

export const POLICY_FILE = '.doaas/policy.yaml';

/** Where GitHub looks for owners of code, in its order. */
const CODEOWNERS = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'];

/** What a commit says about who may change what. Pure data. */
export interface RepositoryPolicy {
  /** Undefined where there is no such file, or where it has mistakes. */
  readonly spec: PolicySpec | undefined;
  readonly errors: readonly SpecError[];
  /** The text of CODEOWNERS. */
  readonly codeowners: string | undefined;
}

interface LeftOut {
  readonly path: string;
  readonly why: string;
}

/** Reads the policy among a commit's files. A file that is there and cannot be read is a mistake, never "no policy". */
export function loadPolicy(
  files: ReadonlyMap<string, Uint8Array>,
  refused: readonly LeftOut[] = [],
): RepositoryPolicy {
  const owners = CODEOWNERS.map((path) => files.get(path)).find((bytes) => bytes !== undefined);
  const codeowners = owners === undefined ? undefined : new TextDecoder().decode(owners);
  const bytes = files.get(POLICY_FILE);
  const misplaced = misplacedErrors(files, refused);
  if (misplaced.length > 0 || bytes === undefined) return { spec: undefined, errors: misplaced, codeowners };
  return { ...readPolicy(bytes), codeowners };
}

/** A policy that is not read would be one that does not hold, and nobody would notice. */
function misplacedErrors(
  files: ReadonlyMap<string, Uint8Array>,
  refused: readonly LeftOut[],
): readonly SpecError[] {
  const leftOut = refused
    .filter(({ path }) => path === POLICY_FILE || path === '.doaas')
    .map(({ path, why }) => problem(path, 'policy-unreadable', `The policy cannot be read: it is ${why}.`));
  const misnamed = [...files.keys()]
    .filter((path) => path !== POLICY_FILE && /^\.doaas\/policy\.(ya?ml|json)$/i.test(path))
    .map((path) =>
      problem(path, 'wrong-name', `The policy must be called ${POLICY_FILE}; rename this file.`),
    );
  return [...leftOut, ...misnamed];
}

function problem(file: string, code: string, message: string): SpecError {
  return { kind: 'spec-error', code, message, position: fileStart(file), pointer: '' };
}

function readPolicy(bytes: Uint8Array): Pick<RepositoryPolicy, 'spec' | 'errors'> {
  const broken = (errors: readonly SpecError[]) => ({ spec: undefined, errors });
  const decoded = decodeSpecFile(POLICY_FILE, bytes);
  if (decoded.kind === 'error') return broken([decoded.error]);
  const { documents, errors } = parseYaml(POLICY_FILE, decoded.text);
  if (errors.length > 0) return broken(errors);
  const [document, second] = documents.filter(({ value }) => value !== null);
  if (document === undefined)
    return broken([problem(POLICY_FILE, 'missing-policy', 'This file holds no Policy document.')]);
  if (second !== undefined)
    return broken([
      at(
        valuePosition(second, ''),
        'second-policy',
        '',
        'A repository has one policy; merge the two documents.',
      ),
    ]);
  const wrong = validateDocument(POLICY, document);
  if (wrong.length > 0) return broken(wrong);
  const { spec } = document.value as PolicySource;
  const inconsistent = checkPolicy(document, spec);
  return inconsistent.length > 0 ? broken(inconsistent) : { spec, errors: [] };
}

/** What the schema cannot say. */
function checkPolicy(document: ParsedDocument, spec: PolicySpec): readonly SpecError[] {
  const rules = Object.entries(spec.rules ?? {});
  return rules.flatMap(([name, { window }]) => {
    if (window === undefined) return [];
    const pointer = childPointer(childPointer('/spec/rules', name), 'window');
    return windowErrors(window, 'freeze fewer days').map(([place, message]) =>
      at(valuePosition(document, `${pointer}${place}`), 'wrong-value', `${pointer}${place}`, message),
    );
  });
}

function at(position: Position, code: string, pointer: string, message: string): SpecError {
  return { kind: 'spec-error', code, message, position, pointer };
}
