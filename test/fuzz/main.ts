import { parseArgs } from 'node:util';
import { failureOf, inputOf } from './run.ts';
import { TARGETS, targetNamed } from './targets.ts';
import type { FoundCase } from './thread.ts';
import { type FuzzRun, fuzz } from './watch.ts';

const USAGE = `usage: npm run -s fuzz -- [--minutes N] [--target NAME] [--seed N] [--case N]

Feeds changed copies of good inputs to every part of the engine that reads what strangers wrote, and says where one
throws what it does not promise, takes too long, needs too much memory, or lets through what it must not.

  --minutes N     for that long in all: each of the ${TARGETS.length} targets has an equal share of it (default 10)
  --target NAME   only that one, which then has all of the time
  --seed N        of the inputs; the same seed makes the same ones (default: the time)
  --case N        only the nth input of the seed, which is printed; needs --target and --seed

What was found becomes a case in test/fuzz/cases/TARGET.json, which the unit tests run.

targets:
${TARGETS.map(({ name, about }) => `  ${name.padEnd(10)}${about}`).join('\n')}
`;

/** Of an input that is printed. Bytes. */
const SHOWN_MAX = 2_000;

interface Order {
  readonly minutes: number;
  readonly targets: readonly string[];
  readonly seed: number;
  readonly only: number | undefined;
}

async function main(argv: readonly string[]): Promise<number> {
  const order = orderOf(argv);
  if (order === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (order.only !== undefined) return one(order, order.only);
  const seconds = (order.minutes * 60) / order.targets.length;
  console.log(`seed ${order.seed}, ${seconds.toFixed(0)} s for each of ${order.targets.length} targets`);
  const runs: FuzzRun[] = [];
  for (const target of order.targets) {
    const run = await fuzz(target, order.seed, seconds, (found) => console.log(foundText(found, order.seed)));
    runs.push(run);
    console.log(
      `${target.padEnd(10)} ${String(run.cases).padStart(8)} inputs ${(run.cases / run.seconds).toFixed(0).padStart(6)} a second  ${run.found.length} found`,
    );
  }
  const found = runs.reduce((sum, run) => sum + run.found.length, 0);
  const inputs = runs.reduce((sum, run) => sum + run.cases, 0);
  console.log(JSON.stringify({ seed: order.seed, inputs, found }));
  return found === 0 ? 0 : 1;
}

function orderOf(argv: readonly string[]): Order | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean', short: 'h' },
      minutes: { type: 'string', default: '10' },
      target: { type: 'string' },
      seed: { type: 'string' },
      case: { type: 'string' },
    },
  });
  if (values.help === true) return undefined;
  const [minutes, seed] = [Number(values.minutes), Number(values.seed ?? Math.floor(Date.now() / 1000))];
  const only = values.case === undefined ? undefined : Number(values.case);
  if (!(minutes > 0) || !Number.isSafeInteger(seed))
    throw new Error('--minutes and --seed take numbers; see --help');
  if (
    only !== undefined &&
    (values.target === undefined || values.seed === undefined || !Number.isSafeInteger(only))
  )
    throw new Error('--case takes a number, and needs --target and --seed');
  const targets =
    values.target === undefined ? TARGETS.map(({ name }) => name) : [targetNamed(values.target).name];
  return { minutes, targets, seed, only };
}

async function one({ targets, seed }: Order, n: number): Promise<number> {
  const target = targetNamed(targets[0] ?? '');
  const input = inputOf(target, target.seeds(), seed, n);
  process.stdout.write(input);
  const failure = await failureOf(target, input);
  console.error(failure === undefined ? '\nholds' : `\n${failure.message}\n${failure.stack}`);
  return failure === undefined ? 0 : 1;
}

function foundText({ target, n, message, stack, input }: FoundCase, seed: number): string {
  const bytes = input === undefined ? undefined : Buffer.from(input, 'base64');
  const shown =
    bytes === undefined ? 'not minimised' : JSON.stringify(bytes.subarray(0, SHOWN_MAX).toString('utf8'));
  const where =
    stack
      .split('\n')
      .find((line) => /^\s+at .*\/(engine|test)\//.test(line))
      ?.trim() ?? '';
  return `FOUND ${target}: ${message.slice(0, 300)} ${where}
  again: npm run -s fuzz -- --target ${target} --seed ${seed} --case ${n}
  input${bytes === undefined ? '' : ` (${bytes.length} bytes)`}: ${shown}`;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return 2;
});
