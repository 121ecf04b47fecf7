import { appendFileSync } from 'node:fs';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

/** Set by scripts/test.ts where the end-to-end tests cannot run: a sentence that says why. */
export const OBSTACLE_VARIABLE = 'DOAAS_E2E_OBSTACLE';

/** File that the last line is added to as well, for who adds up several runs (.ci/run). */
const COUNTS_VARIABLE = 'DOAAS_TEST_COUNTS';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[];
}

/**
 * Says what was skipped, then `N passed, N failed` as the last line of the run. A file that could not be loaded and an
 * error outside of any test count as failures; with CI=true so does whatever was skipped.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: TestRunEndReason): void {
    const counts = modules.map(countsOf);
    const skipped = counts.flatMap((count) => count.skipped);
    const obstacle = process.env[OBSTACLE_VARIABLE] ?? '';
    const inCi = process.env.CI === 'true';
    const missing = skipped.length + (obstacle === '' ? 0 : 1);
    const passed = sum(counts.map((count) => count.passed));
    const stopped = reason === 'interrupted' || modules.length === 0 ? 1 : 0;
    const failed = sum(counts.map((count) => count.failed)) + errors.length + stopped + (inCi ? missing : 0);
    const last = `${passed} passed, ${failed} failed`;
    const lines = [
      ...(modules.length === 0 ? ['No test file matches.'] : []),
      ...skippedLines(skipped),
      ...(obstacle === '' ? [] : [`The end-to-end tests were skipped: ${obstacle}.`]),
      ...(inCi && missing > 0 ? ['With CI=true what is skipped counts as failed.'] : []),
      last,
    ];
    const file = process.env[COUNTS_VARIABLE];
    if (file !== undefined) appendFileSync(file, `${last}\n`);
    if (failed > 0) process.exitCode = 1;
    // Vitest may still print, such as about a process that does not end; this must stay the last line.
    process.once('exit', () => process.stdout.write(`${lines.join('\n')}\n`));
  }
}

/** Names listed; more are counted. */
const NAMES_SHOWN = 50;

function skippedLines(names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const more = names.length - NAMES_SHOWN;
  return [
    `${names.length} skipped:`,
    ...names.slice(0, NAMES_SHOWN).map((name) => `  ${name}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function countsOf(module: TestModule): Counts {
  const tests = [...module.children.allTests()];
  const inState = (state: string) => tests.filter((test) => test.result().state === state);
  const broken = module.errors().length + [...module.children.allSuites()].flatMap((s) => s.errors()).length;
  return {
    passed: inState('passed').length,
    failed: inState('failed').length + broken,
    skipped: [...inState('skipped'), ...inState('pending')].map(
      (test) => `${module.relativeModuleId}: ${test.fullName}`,
    ),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, next) => total + next, 0);
}
