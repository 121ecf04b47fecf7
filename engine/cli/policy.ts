import { parseArgs } from 'node:util';
import { count } from '../github/render/words.ts';
import { messageOf } from '../hosts/host-error.ts';
import type { Verdict } from '../policy/judge.ts';
import { misuse } from './command.ts';
import { withStore } from './openStore.ts';
import { isRepositoryName, originOf } from './repositoryName.ts';
import { CliError, columns, EXIT, type Io, painter, printable } from './terminal.ts';

interface Asked {
  readonly repository: string;
  readonly number: number;
  readonly json: boolean;
}

/** `doaas policy explain PR`: which rules hold for a pull request, what each asks for, and what is missing. Reads the store only. */
export async function runPolicy(argv: readonly string[], io: Io): Promise<number> {
  const { repository, number, json } = await parse(argv);
  const [owner = '', name = ''] = repository.split('/');
  const stored = await withStore('read', async (store) => {
    const renamed = await store.repositories.findByName(owner, name);
    return store.verdicts.of(renamed?.knownAs ?? repository, number);
  });
  if (stored === undefined)
    throw new CliError(
      `No plan of ${printable(repository)}#${number} was judged. It has none yet, or nothing to do; its checks say which.`,
    );
  const { verdict, judgedAt, ...rest } = stored;
  const judged = verdict as unknown as Verdict;
  io.stdout.write(
    json
      ? `${JSON.stringify({ ...rest, judgedAt: new Date(judgedAt).toISOString(), ...judged }, undefined, 2)}\n`
      : asText({ ...rest, judgedAt }, judged, io),
  );
  return EXIT.done;
}

async function parse(argv: readonly string[]): Promise<Asked> {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { repository: { type: 'string' }, json: { type: 'boolean' } },
      allowPositionals: true,
    });
    const [verb, pull = '', ...others] = positionals;
    if (verb !== 'explain' || !/^#?[1-9]\d{0,8}$/.test(pull) || others.length > 0)
      throw new Error('Say `explain` and the number of one pull request.');
    const repository = values.repository ?? (await originOf('.'));
    if (repository === undefined || !isRepositoryName(repository))
      throw new Error('Give --repository OWNER/NAME, or run this in a clone of it.');
    return { repository, number: Number(pull.replace('#', '')), json: values.json === true };
  } catch (error) {
    throw misuse('policy', messageOf(error));
  }
}

interface Judged {
  readonly repository: string;
  readonly number: number;
  readonly headSha: string;
  readonly digest: string;
  readonly judgedAt: number;
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** What was given, pushed or became green since is not in it. */
export function ageOf(ms: number): string {
  const [unit, size] = UNITS.find(([, least]) => ms >= least) ?? ['second', 1_000];
  return `${count(Math.max(0, Math.floor(ms / size)), unit)} ago`;
}

function asText(of: Judged, verdict: Verdict, io: Io): string {
  const paint = painter(io);
  const at = new Date(of.judgedAt).toISOString().replace(/\.\d+Z$/, 'Z');
  const rows = verdict.asks.map(({ rule, asks, missing }) => [
    '',
    missing === undefined ? 'given' : 'missing',
    rule ?? '-',
    printable(asks),
  ]);
  const rules = verdict.rules.map(({ name, because }) => ['', name, printable(because)]);
  const missing = verdict.missing.map((sentence) => `  ${printable(sentence)}\n`).join('');
  return [
    `${printable(of.repository)}#${of.number}, head ${of.headSha.slice(0, 8)}, plan ${of.digest.slice(0, 8)}, judged ${at}, ${ageOf(Date.now() - of.judgedAt)}\n`,
    `${paint('bold', 'Rules that match')}\n${rules.length === 0 ? '  none\n' : columns(rules)}`,
    `${paint('bold', 'Asked for')}\n${columns(rows)}`,
    verdict.ready ? `${paint('green', 'Ready.')}\n` : `${paint('bold', 'Missing')}\n${missing}`,
  ].join('\n');
}
