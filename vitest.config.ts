import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { LongestFirst } from './test/setup/longestFirst.ts';

/** Files wait for reboots, probes and Temporal: three at once left two processors idle for 42 % of a run, four for 15 %. */
const E2E_FILES_AT_ONCE = 4;
const UNIT_TIMEOUT_MS = 20_000;
/** A whole pull request on three hosts takes less than a minute alone, several with neighbours. */
const E2E_TIMEOUT_MS = 300_000;
/** Boots hosts, starts Temporal and an engine; the base image is there before (scripts/prepare.ts). */
const E2E_HOOK_TIMEOUT_MS = 300_000;

/** Begun with the others, so that the processors do not wait for them alone; `npm run -s test:many` gives all that is named many. */
const WITH_MANY = ['test/e2e/queue.e2e.test.ts'];

const MANY = { DOAAS_TEST_TOPOLOGY: 'many' };

const EVERYWHERE = ['**/node_modules/**', '**/dist/**', '**/.doaas/**'];

const E2E: TestProjectInlineConfiguration['test'] = {
  exclude: EVERYWHERE,
  pool: 'forks',
  maxWorkers: E2E_FILES_AT_ONCE,
  testTimeout: E2E_TIMEOUT_MS,
  hookTimeout: E2E_HOOK_TIMEOUT_MS,
  globalSetup: ['./test/setup/temporary.ts', './test/setup/bundle.ts'],
  sequence: { groupOrder: 1 },
};

export default defineConfig({
  test: {
    reporters: ['default', './test/reporter.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...EVERYWHERE, '**/*.e2e.test.ts'],
          pool: 'forks',
          // a process for each of 140 files is a quarter of the processor's time that they take
          isolate: false,
          // vitest leaves a processor to itself, which needs none
          maxWorkers: 2,
          globalSetup: './test/setup/temporary.ts',
          testTimeout: UNIT_TIMEOUT_MS,
          hookTimeout: UNIT_TIMEOUT_MS,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...E2E, name: 'e2e', include: ['**/*.e2e.test.ts'] } },
      ...(process.env.DOAAS_TEST_TOPOLOGY === 'many'
        ? []
        : [{ test: { ...E2E, name: 'many', include: WITH_MANY, env: MANY } }]),
    ],
  },
});
