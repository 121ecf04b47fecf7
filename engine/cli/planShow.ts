import { parseArgs } from 'node:util';
import { messageOf } from '../hosts/host-error.ts';
import type { Store } from '../store/store.ts';
import { misuse, onlyOne } from './command.ts';
import { withStore } from './openStore.ts';
import { planPage } from './planText.ts';
import { CliError, EXIT, type Io, painter } from './terminal.ts';

/** `doaas plan show DIGEST`: a stored plan, whole. */
export async function runPlanShow(argv: readonly string[], io: Io): Promise<number> {
  const { digest, json } = parse(argv);
  const { plan, uses } = await withStore('read', async (store) => {
    const whole = await wholeDigest(store, digest);
    return { plan: await store.plans.get(whole), uses: await store.plans.uses(whole) };
  });
  if (plan === undefined) throw missing(digest);
  io.stdout.write(
    json ? `${JSON.stringify({ ...plan, uses }, undefined, 2)}\n` : planPage(plan, uses, painter(io)),
  );
  return EXIT.done;
}

function parse(argv: readonly string[]): { readonly digest: string; readonly json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { json: { type: 'boolean' } },
      allowPositionals: true,
    });
    const digest = onlyOne(positionals, 'Give one DIGEST, or its first characters.');
    if (!/^[0-9a-f]{4,64}$/.test(digest)) throw new Error('A DIGEST is 4 to 64 characters of 0-9 and a-f.');
    return { digest, json: values.json === true };
  } catch (error) {
    throw misuse('plan', messageOf(error));
  }
}

async function wholeDigest(store: Store, prefix: string): Promise<string> {
  const [first, second] = await store.plans.findByPrefix(prefix);
  if (first === undefined) throw missing(prefix);
  if (second !== undefined)
    throw new CliError(`Several plans begin with ${prefix}; give more characters of the digest.`);
  return first;
}

function missing(digest: string): CliError {
  return new CliError(
    `No plan that begins with ${digest} is stored. The comment on the pull request names the present one.`,
  );
}
