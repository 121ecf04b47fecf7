import { randomOf } from './random.ts';
import { Broken, type Target } from './target.ts';

export interface Failure {
  readonly target: string;
  readonly message: string;
  /** Where it came from; empty where it is none of this program. */
  readonly stack: string;
}

/** The nth input of a seed: any of them can be made without those before it. */
export function inputOf(target: Target, seeds: readonly Buffer[], seed: number, n: number): Buffer {
  const random = randomOf(`${seed} ${target.name} ${n}`);
  return target.mutate(random, random.pick(seeds), seeds);
}

/** Undefined: all that must hold does, in the time allowed. */
export async function failureOf(target: Target, input: Buffer): Promise<Failure | undefined> {
  const before = process.cpuUsage();
  try {
    await target.check(input);
    const { user, system } = process.cpuUsage(before);
    const seconds = (user + system) / 1e6;
    if (seconds > target.secondsMax)
      throw new Broken(`took ${seconds.toFixed(1)} s, of at most ${target.secondsMax} s`);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { target: target.name, message, stack: error instanceof Error ? (error.stack ?? '') : '' };
  }
}

/** Whether two failures are of one cause, as far as can be told: digits and quoted values differ from input to input. */
export function alike(a: Failure, b: Failure): boolean {
  const cause = ({ message }: Failure) => message.replace(/\d+(\.\d+)?|"[^"]*"/g, '').slice(0, 60);
  return cause(a) === cause(b);
}
