import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { facts } from '../facts/registry.ts';
import { custodyOf } from '../operations/custodies.ts';
import { operations } from '../operations/registry.ts';
import { readCases } from './testing/case.ts';
import { testedKinds } from './testing/kinds.ts';

const here = new URL('./', import.meta.url);
const readme = readFileSync(new URL('README.md', here), 'utf8');
const e2eTests = readdirSync(new URL('../operations/', here))
  .filter((file) => file.endsWith('.e2e.test.ts'))
  .map((file) => readFileSync(new URL(`../operations/${file}`, here), 'utf8'))
  .join('\n');

/** Each line says what is missing and where to add it; an empty list means that nothing is. */
describe('what a half-added part lacks', () => {
  it('every kind is known to the tests', () => {
    const missing = readdirSync(here, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/plan.ts`, here)))
      .filter((entry) => !testedKinds.some((kind) => kind.folder === entry.name))
      .map((entry) => `kind ${entry.name} is not in engine/kinds/testing/kinds.ts`);
    expect(missing).toEqual([]);
  });

  it.each(testedKinds)('every section of $folder has a README line and cases', (kind) => {
    const cases = new URL(`${kind.folder}/cases/`, here);
    const names = existsSync(cases) ? readdirSync(cases) : [];
    const missing = kind.sections.flatMap((section) => [
      ...(new RegExp(`^\\| \`${section}\` \\|`, 'm').test(readme)
        ? []
        : [`section ${section} has no line in the table of engine/kinds/README.md`]),
      ...(names.includes(`${section}.json`)
        ? []
        : [`section ${section} has no ${cases.pathname}${section}.json`]),
    ]);
    expect(missing).toEqual([]);
  });

  it.each(testedKinds)('every item that $folder reads and changes has a fact and a custody', (kind) => {
    const cases = readCases(new URL(`${kind.folder}/cases/`, here));
    const read = cases.flatMap((c) => kind.needs(c.spec).map((query) => query.fact));
    const changed = cases.flatMap((c) =>
      c.steps.flatMap(
        (step) =>
          operations[step.operation]?.items(step.params).map((item) => item.split(':')[0] ?? '') ?? [],
      ),
    );
    const missing = [
      ...[...new Set([...read, ...changed])]
        .filter((fact) => facts[fact] === undefined)
        .map((fact) => `fact ${fact} is not in engine/facts/registry.ts`),
      ...[...new Set(changed)]
        .filter((fact) => !hasCustody(fact))
        .map((fact) => `fact ${fact} has no custody in engine/operations/custodies.ts`),
    ];
    expect(missing).toEqual([]);
  });

  it('every operation that a case names is registered, and every registered one has a case', () => {
    const named = new Set(
      testedKinds.flatMap((kind) =>
        readCases(new URL(`${kind.folder}/cases/`, here)).flatMap((c) =>
          c.steps.map((step) => step.operation),
        ),
      ),
    );
    const unknown = [...named].filter((name) => operations[name] === undefined);
    expect(unknown.map((name) => `operation ${name} is not in engine/operations/registry.ts`)).toEqual([]);
    // The planner emits these itself, see engine/plan/removals.ts.
    const ofPlanner = ['item.release', 'item.forget'];
    const unused = Object.keys(operations).filter((name) => !named.has(name) && !ofPlanner.includes(name));
    expect(unused.map((name) => `operation ${name} is in no JSON case`)).toEqual([]);
  });

  it('every operation is named by a test on a real host', () => {
    const missing = Object.keys(operations)
      .filter((name) => !e2eTests.includes(name))
      .map((name) => `operation ${name} is named by no engine/operations/*.e2e.test.ts`);
    expect(missing).toEqual([]);
  });
});

function hasCustody(fact: string): boolean {
  try {
    return custodyOf(fact).fact === fact;
  } catch {
    return false;
  }
}
