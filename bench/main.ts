import { print, progress, type Result } from './report.ts';

/**
 * `npm run -s bench -- NAME`: progress on stderr; on stdout a table and, as its last line, one JSON object. Ends with 1 where a bar
 * that the benchmark judges was not held.
 */
const BENCHMARKS: Readonly<
  Record<string, { readonly about: string; readonly run: (argv: readonly string[]) => Promise<Result> }>
> = {
  fleet: {
    about: 'plan and first apply of ten hosts, beside Ansible, pyinfra, a shell script and a bare login',
    run: async (argv) => (await import('./fleet/fleet.ts')).fleet(argv),
  },
  webhook: {
    about: '50 deliveries a second for a minute, and again with the engine killed in the middle',
    run: async () => (await import('./webhook/webhook.ts')).webhook(),
  },
  github: {
    about: "pull requests over 100 hosts: how much of GitHub's limits each uses",
    run: async (argv) => (await import('./github/github.ts')).github(argv),
  },
  status: {
    about: 'time from a delivery to its checks on ten hosts; memory with 1,000 open pull requests',
    run: async () => (await import('./status/status.ts')).status(),
  },
  pulls: {
    about:
      '500 pull requests opened at once, then all applied at once, on five servers (--pulls N, --hosts N, --minutes N)',
    run: async (argv) => (await import('./pulls/pulls.ts')).pulls(argv),
  },
  replay: {
    about: "what bringing back a pull request's workflow costs a worker (--events N)",
    run: async (argv) => (await import('./replay/replay.ts')).replay(argv),
  },
  hardening: {
    about: 'the strict hardening profile on a fresh host, before and after Lynis, and its undo',
    run: async () => (await import('./hardening/hardening.ts')).hardening(),
  },
  patches: {
    about: 'a fix in rings over ten hosts, then a broken one that stops at the canary (--hosts N)',
    run: async (argv) => (await import('./patches/patches.ts')).patches(argv),
  },
  lockout: {
    about: '59 changes that would shut the engine out, each with or without an accident: --only N, --hosts N',
    run: async (argv) => (await import('./lockout/lockout.ts')).lockout(argv),
  },
  chaos: {
    about:
      'plans, applies and rollbacks on three hosts, each with one fault: --runs N (100), --seed N, --only-run K, --store NAME',
    run: async (argv) => (await import('./chaos/chaos.ts')).chaos(argv),
  },
};

async function main(name: string | undefined): Promise<number> {
  const benchmark = name !== undefined && Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (benchmark === undefined) {
    const names = Object.entries(BENCHMARKS).map(([each, { about }]) => `  ${each.padEnd(9)}${about}`);
    process.stderr.write(`usage: npm run -s bench -- NAME\n${names.join('\n')}\n`);
    return 2;
  }
  progress(`${name}: ${benchmark.about}`);
  const result = await benchmark.run(process.argv.slice(3));
  print(result);
  const { barsMissed = [] } = result;
  for (const missed of barsMissed) progress(`bar missed: ${missed}`);
  return barsMissed.length === 0 ? 0 : 1;
}

process.exit(
  await main(process.argv[2]).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return 1;
  }),
);
