import type { Fact, FactQuery } from './fact.ts';
import { ownedFact } from './owned.ts';
import { pathFact } from './path.ts';
import type { Facts } from './script.ts';

/** Every fact, by name. Each `parse` is only ever called with queries of its own fact. */
const all = [pathFact, ownedFact] as readonly { readonly fact: string }[] as readonly Fact<
  FactQuery,
  unknown
>[];

export const facts: Facts = Object.freeze(Object.fromEntries(all.map((fact) => [fact.fact, fact])));
