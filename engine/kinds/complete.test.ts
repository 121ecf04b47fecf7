import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { facts } from '../facts/registry.ts';
import { custodyOf } from '../operations/custodies.ts';
import { operations } from '../operations/registry.ts';
import { RELEASE_ORDER } from '../plan/removals.ts';
import { propertiesOf } from '../spec/schemas.ts';
import { configurationClaims } from './configuration/claims.ts';
import { configuration, sections } from './configuration/plan.ts';
import { readCases } from './testing/case.ts';
import { testedKinds, withDefaults } from './testing/kinds.ts';

const here = new URL('./', import.meta.url);
const readme = readFileSync(new URL('README.md', here), 'utf8');
const e2eFiles = readdirSync(new URL('../operations/', here))
  .filter((file) => file.endsWith('.e2e.test.ts'))
  .map((file) => ({ file, text: readFileSync(new URL(`../operations/${file}`, here), 'utf8') }));
const e2eTests = e2eFiles.map(({ text }) => text).join('\n');

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

  it('every section of a Configuration is a property of its schema', () => {
    const missing = sections
      .filter(({ section }) => !propertiesOf('Configuration').spec.includes(section))
      .map(({ section }) => `section ${section} is no property of the spec in schemas/configuration.json`);
    expect(missing).toEqual([]);
  });

  it('every item that a section claims is in claims.ts, by which two writers of it are found', () => {
    const cases = readCases(new URL('configuration/cases/', here));
    const missing = cases.flatMap(({ spec }) => {
      const known = new Set(configurationClaims(withDefaults(spec)).map(({ item }) => item));
      const claimed = configuration.claims(withDefaults(spec)).map(({ item }) => item);
      // A unit that is to be absent has no text to claim; writes.ts has its file.
      const own = claimed.filter((item) => !known.has(item) && !item.startsWith('path:/etc/systemd/system/'));
      return own.map((item) => `items such as ${item} are not in engine/kinds/configuration/claims.ts`);
    });
    expect([...new Set(missing)]).toEqual([]);
  });

  it('every custody has its place in the order of release', () => {
    const missing = Object.keys(facts)
      .filter((fact) => hasCustody(fact) && !RELEASE_ORDER.includes(fact))
      .map((fact) => `fact ${fact} is not in RELEASE_ORDER of engine/plan/removals.ts`);
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

  it('every test file of operations runs the whole cycle: apply, plan again, undo, compare', () => {
    const missing = e2eFiles
      .filter(({ text }) => !/\bt\.cycle\(/.test(text))
      .map(({ file }) => `engine/operations/${file} calls no cycle of testing/cycle.ts`);
    expect(missing).toEqual([]);
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
