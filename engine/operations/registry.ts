import type { Operation, Params } from './operation.ts';
import { makeDirectory, makeLink, removePath, writeFile } from './path.ts';
import { forgetItem, releaseItem } from './release.ts';

/**
 * Every operation, by name. An operation is only ever called with the params that its own step carries, so the
 * params' type is erased here and nowhere else.
 */
const all = [writeFile, makeDirectory, makeLink, removePath, releaseItem, forgetItem] as readonly {
  readonly operation: string;
}[] as readonly Operation<Params>[];

export const operations: Readonly<Record<string, Operation<Params>>> = Object.freeze(
  Object.fromEntries(all.map((operation) => [operation.operation, operation])),
);

export function operationNamed(name: string): Operation<Params> {
  const operation = operations[name];
  if (operation === undefined)
    throw new Error(`no operation is named ${name}; register it in engine/operations/registry.ts`);
  return operation;
}
