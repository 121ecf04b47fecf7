/** `npm test [-- PATH...]`: prepares the machine, runs all tests or those below PATH, and says what was skipped and why. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { OBSTACLE_VARIABLE } from '../test/reporter.ts';
import { prepare } from './prepare.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const VITEST = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));

const args = process.argv.slice(2);
const onlyUnit = args.length > 0 && args.every((arg) => /\.test\.ts$/.test(arg) && !/\.e2e\./.test(arg));
const obstacle = onlyUnit ? undefined : await prepare((line) => console.log(line), true);
if (obstacle !== undefined) console.log(`The end-to-end tests are skipped: ${obstacle}.`);

const projects = obstacle === undefined && !onlyUnit ? [] : ['--project', 'unit'];
const child = spawn(process.execPath, [VITEST, 'run', ...projects, ...args], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, ...(obstacle === undefined ? {} : { [OBSTACLE_VARIABLE]: obstacle }) },
});
// A Ctrl-C reaches vitest by itself; it cleans up, then this process follows.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
