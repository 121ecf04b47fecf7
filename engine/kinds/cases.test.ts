import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { itemKey } from '../facts/fact.ts';
import { type Case, contextOf, readCases, readingsOf } from './testing/case.ts';
import { type TestedKind, testedKinds } from './testing/kinds.ts';

const REQUIRED = ['id', 'operation', 'params', 'summary'];

describe.each(testedKinds)('kind $folder', (kind) => {
  const folder = new URL(`./${kind.folder}/cases/`, import.meta.url);
  const cases = existsSync(folder) ? readCases(folder) : [];

  it.each(cases)('$name', (c) => {
    expect(unread(kind, c), 'every item that the kind needs is in the readings').toEqual([]);
    const plan = kind.plan(c.spec, readingsOf(c), contextOf(c));
    expect(plan.steps).toMatchObject(c.steps);
    expect(plan.findings).toMatchObject(c.findings ?? []);
  });

  it('has cases that say what they expect of each step', () => {
    const vague = cases.flatMap((c) =>
      c.steps.filter((step) => REQUIRED.some((field) => !(field in step))).map(() => c.name),
    );
    expect(vague, `a step of these cases lacks one of ${REQUIRED.join(', ')}`).toEqual([]);
  });

  it('has a no-op case for every section', () => {
    const missing = kind.sections
      .filter((section) => !cases.some((c) => c.steps.length === 0 && isSet(c.spec[section])))
      .map((section) => `section ${section} has no no-op case: add one to ${folder.pathname}`);
    expect(missing).toEqual([]);
  });

  it('has a case with a step for every section', () => {
    const missing = kind.sections
      .filter((section) => !cases.some((c) => c.steps.length > 0 && isSet(c.spec[section])))
      .map((section) => `section ${section} has no case with a step: add one to ${folder.pathname}`);
    expect(missing).toEqual([]);
  });
});

function unread(kind: TestedKind, c: Case): readonly string[] {
  return kind
    .needs(c.spec)
    .map((query) => itemKey(query.fact, query.key))
    .filter((item) => c.readings[item] === undefined);
}

function isSet(section: unknown): boolean {
  if (section === undefined || section === null) return false;
  return typeof section !== 'object' || Object.keys(section).length > 0;
}
