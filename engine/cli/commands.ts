import { type Command, misuse } from './command.ts';

const EXIT_CODES = 'Exit codes: 0 done, 1 failed, 2 wrong use.';

const validate: Command = {
  name: 'validate',
  usage: ['validate PATH [--json]'],
  summary: 'Checks the documents in a directory, as the check doaas/validate does on a pull request.',
  details: `
PATH is the root of an infrastructure repository. No server and no GitHub is asked.
  --json   errors as data, with file, line and column

Exit codes: 0 valid, 1 mistakes found, 2 wrong use.`,
  run: async (argv, io) => (await import('./validate.ts')).runValidate(argv, io),
};

const plan: Command = {
  name: 'plan',
  usage: ['plan PATH [--host NAME]... [--repository OWNER/NAME] [--json]', 'plan show DIGEST [--json]'],
  summary: 'Shows what would change on the servers; `plan show` prints a plan that the engine stored.',
  details: `
plan PATH reads the servers over SSH and plans against them as they are now. It changes nothing and needs no GitHub.
  --host NAME                only this server; may be given several times
  --repository OWNER/NAME    whose the items are; default: the git remote "origin". Without either, items that left
                             the YAML are not planned
  --json                     the plan as data
It logs in with DOAAS_SSH_CA_KEY_FILE and DOAAS_SSH_KEY_FILE, else with your own keys in ~/.ssh, and your agent.

plan show DIGEST reads the engine's store (DOAAS_DATA_DIR or DATABASE_URL); the first characters of a digest are enough.

Exit codes: 0 nothing to change (or the stored plan was shown), 1 mistakes, a server that cannot be read or a failure,
2 wrong use, 3 there is something to change.`,
  run: async (argv, io) =>
    argv[0] === 'show'
      ? (await import('./planShow.ts')).runPlanShow(argv.slice(1), io)
      : (await import('./plan.ts')).runPlan(argv, io),
};

const scan: Command = {
  name: 'scan',
  usage: ['scan HOST[:PORT] [--user USER] [--become sudo|none] [--name NAME] [--json]'],
  summary: 'Prints the Server document of a machine with its host key, ready to commit.',
  details: `
  --user USER           whom to log in as; default root
  --become sudo|none    how to become root; default sudo for any other user
  --name NAME           the document's name; default from HOST
  --json                what was found, as data
Compare the fingerprint with the machine's console before you commit it.

Exit codes: 0 printed (also where the login failed: then without facts), 1 the machine showed no key, 2 wrong use.`,
  run: async (argv, { stdout, stderr }) =>
    (await import('./scan.ts')).runScan(argv, {
      out: (text) => stdout.write(text),
      err: (text) => stderr.write(text),
    }),
};

const status: Command = {
  name: 'status',
  usage: ['status [--json]'],
  summary: 'Shows what runs, which servers are locked by whom, and who waits.',
  details: `
Reads the engine's store (DOAAS_DATA_DIR or DATABASE_URL), also while the engine runs. It changes nothing.

${EXIT_CODES}`,
  run: async (argv, io) => (await import('./status.ts')).runStatus(argv, io),
};

const policy: Command = {
  name: 'policy',
  usage: ['policy explain PR [--repository OWNER/NAME] [--json]'],
  summary: 'Says which rules hold for a pull request, what they ask for, and what is missing.',
  details: `
The same as the check doaas/plan says, as it was judged last. Reads the engine's store (DOAAS_DATA_DIR or DATABASE_URL),
also while the engine runs.
  --repository OWNER/NAME   default: the git remote "origin" of this directory
  --json                    the verdict as data

${EXIT_CODES}`,
  run: async (argv, io) => (await import('./policy.ts')).runPolicy(argv, io),
};

const unlock: Command = {
  name: 'unlock',
  usage: ['unlock HOST [--force]'],
  summary: 'Takes the lock of a held run away from a server, by hand; the audit log records it.',
  details: `
HOST is the server's address as \`doaas status\` shows it. With the SQLite store the engine must be stopped first; while it
runs, comment \`/doaas unlock\` on the pull request instead. With PostgreSQL it works beside the engine.
  --force   also for a run that has not ended; only when its workflow is gone for good. Of a server that is not locked and
            needs recovery: what was left there stays as it is; only for a machine that no run will meet again

${EXIT_CODES}`,
  run: async (argv, io) => (await import('./unlock.ts')).runUnlock(argv, io),
};

const audit: Command = {
  name: 'audit',
  usage: [
    'audit [--since TIME] [--repository OWNER/NAME] [--pull NUMBER] [--json]',
    'audit --verify [--expect HASH] [--json]',
  ],
  summary: 'Shows who did what, to which commit and plan; proves that the log was not rewritten.',
  details: `
  --since TIME               30m, 24h, 7d ago, or a time such as 2026-11-26 or 2026-11-26T08:00Z
  --repository OWNER/NAME    only what was done for it, as it is called now or was first
  --pull NUMBER              only what was done for this pull request
  --json                     one JSON object a line, with each entry's hash; of --verify, one object
  --verify                   computes the chain of hashes again, and prints the last one: keep it somewhere else
  --expect HASH              with --verify: a hash that was kept must still be in the log

Reads the engine's store (DOAAS_DATA_DIR or DATABASE_URL), also while the engine runs. It changes nothing.

Exit codes: 0 done, 1 failed, or the log was rewritten, 2 wrong use.`,
  run: async (argv, io) => (await import('./audit.ts')).runAudit(argv, io),
};

const secret: Command = {
  name: 'secret',
  usage: ['secret keygen', 'secret edit FILE', 'secret rotate [PATH]'],
  summary: 'Makes, edits and re-encrypts the files of secrets in a repository (age).',
  details: `
  keygen         prints a new key: the private line is for the engine (DOAAS_AGE_KEY_FILE), the public one for
                 .doaas/recipients in the repository
  edit FILE      opens a *.age file in $VISUAL or $EDITOR and encrypts it again; makes it where it is not there
  rotate [PATH]  encrypts every *.age file below PATH (default .) again for those whom .doaas/recipients names now:
                 the nearest one in the file's folder or above it, as edit does
It decrypts with DOAAS_AGE_KEY or DOAAS_AGE_KEY_FILE, else with DOAAS_AGE_KEY_PREVIOUS. More: docs/secrets.md

${EXIT_CODES}`,
  run: async (argv, io) => (await import('./secret.ts')).runSecret(argv, io),
};

const security: Command = {
  name: 'security',
  usage: ['security report PATH [--server NAME]... [--json | --markdown | --sarif]'],
  summary: 'Reports how secure the servers are: controls, waivers and open ports.',
  details: `
PATH is the root of an infrastructure repository. Its servers are read over SSH as they are now, and each is looked at from
outside: by another of them, or from here. It changes nothing and needs no GitHub. More: docs/security-report.md
  --server NAME   only this server; may be given several times. The others may still look at it
  --markdown      as the answer to /doaas security; without any of these three too
  --json          the whole report as data
  --sarif         SARIF 2.1.0: one result for each thing to mend, for GitHub's code scanning and other tools
It logs in with DOAAS_SSH_CA_KEY_FILE and DOAAS_SSH_KEY_FILE, else with your own keys in ~/.ssh, and your agent.

Exit codes: 0 there is nothing to mend, 1 mistakes, a server that cannot be read or a failure, 2 wrong use, 3 there is
something to mend.`,
  run: async (argv, io) => (await import('./security.ts')).runSecurity(argv, io),
};

const ROLLBACK = `A change is taken back on its pull request, because the repository and the servers must agree:
  while it is being applied, and after it was merged: comment  /doaas rollback
The engine puts the servers back as its records say, and opens the revert pull request of a merged change. One of what people
get in by (sshd, sudo, accounts, firewall, network) is not put back so: apply its revert.

If the engine is gone for good: each server keeps what its runs did below /var/lib/doaas/runs, and
  sh /var/lib/doaas/runs/RUN/batch.sh undo
there, as root, takes one run back.
`;

const rollback: Command = {
  name: 'rollback',
  usage: ['rollback'],
  summary: 'Says how a change is taken back: on its pull request.',
  details: ROLLBACK,
  run: async (argv, io) => {
    if (argv.length > 0) throw misuse('rollback', 'It takes no arguments.');
    io.stdout.write(ROLLBACK);
    return 0;
  },
};

const lab: Command = {
  name: 'lab',
  usage: ['lab up N|NAME...', 'lab status', 'lab ssh NAME [COMMAND]', 'lab down'],
  summary: 'Boots real Debian servers on this machine, to try things out (needs root).',
  details: `
  up N        boots N more (host-1, host-2, ...), up to 253 in all; they stay until \`down\`
  up NAME...  the same with names of your own
  status      the servers, their addresses, host keys and the private key to log in with
  ssh NAME    logs in as root, or runs one command there
  down        removes all of them with everything on them

${EXIT_CODES} \`ssh\` ends with the code of the remote command.`,
  run: async (argv, { stdout, stderr }) => {
    if (argv.length === 0) throw misuse('lab', 'Say what to do: up, status, ssh or down.');
    return (await import('../../lab/cli.ts')).runLabCommand(argv, {
      out: (line) => stdout.write(`${line}\n`),
      err: (line) => stderr.write(`${line}\n`),
    });
  },
};

const demo: Command = {
  name: 'demo',
  usage: ['demo [--keep] [--kill]'],
  summary: 'Plays two pull requests on three real servers of this machine (needs root).',
  details: `
The same as \`npm run demo\`: installs what is missing, then narrates; cleans up after itself.
  --keep   leaves everything running and says what to try
  --kill   also kills the engine in the middle of an apply

${EXIT_CODES}`,
  run: async (argv) => {
    const { inRepository, passOn } = await import('./passOn.ts');
    return passOn('sh', [inRepository('scripts/demo.sh'), ...argv]);
  },
};

const start: Command = {
  name: 'start',
  usage: ['start'],
  summary: 'Runs the engine with settings from the environment, until SIGINT or SIGTERM.',
  details: `
The same as \`npm start\`. All settings: docs/configuration.md; what is missing or wrong is named, and the engine exits.

${EXIT_CODES}`,
  run: async (argv) => {
    if (argv.length > 0) throw misuse('start', 'It takes no arguments; settings come from the environment.');
    const { inRepository, passOn } = await import('./passOn.ts');
    const { npmStart } = await import('./npmStart.ts');
    const bundled = await passOn(process.execPath, [...process.execArgv, inRepository('scripts/bundle.ts')]);
    if (bundled !== 0) return bundled;
    const { environment, flags, program } = await npmStart();
    return passOn(process.execPath, [...flags, program], environment);
  },
};

/** In the order of the overview. */
export const commands: readonly Command[] = [
  validate,
  plan,
  scan,
  secret,
  status,
  audit,
  policy,
  security,
  unlock,
  rollback,
  lab,
  demo,
  start,
];
