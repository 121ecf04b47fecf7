import { parseArgs } from 'node:util';
import type { HostPlanning } from '../activities/planning.ts';
import { planHosts } from '../activities/planning.ts';
import { withSameMachines } from '../activities/twins.ts';
import { loadLocalConfig } from '../config/config.ts';
import { planTitle } from '../github/render/words.ts';
import type { Credentials } from '../hosts/credentials.ts';
import { messageOf } from '../hosts/host-error.ts';
import { createTransport } from '../hosts/transport.ts';
import { planDigest } from '../plan/digest.ts';
import type { HostPlan, Plan } from '../plan/step.ts';
import { newKey } from '../secrets/fingerprintKey.ts';
import { secretsFrom } from '../secrets/fromConfig.ts';
import type { Resolution, ResolvedHost } from '../spec/resolution.ts';
import { checkedTree, chosenHosts } from './checkedTree.ts';
import { misuse, ONE_PATH, onlyOne } from './command.ts';
import { ownCredentials } from './ownCredentials.ts';
import { ownTracker } from './ownTracker.ts';
import { planText } from './planText.ts';
import { isRepositoryName, originOf } from './repositoryName.ts';
import { EXIT, type Io, painter, printable } from './terminal.ts';

interface Wanted {
  readonly path: string;
  readonly hosts: readonly string[];
  readonly repository: string | undefined;
  readonly json: boolean;
}

/** The plan of a directory against its hosts, as it is now. */
interface LivePlan {
  readonly plan: Plan;
  readonly problems: readonly { readonly host: string; readonly message: string }[];
  readonly notes: readonly string[];
}

/** `doaas plan PATH`: what a pull request with this directory's content would do, without GitHub. Changes nothing. */
export async function runPlan(
  argv: readonly string[],
  io: Io,
  credentials: Credentials = ownCredentials(),
): Promise<number> {
  const wanted = parse(argv);
  const checked = await checkedTree(wanted.path, io);
  if (checked === undefined) return EXIT.failed;
  const { resolution } = checked;
  const hosts = chosenHosts(resolution, wanted.hosts);
  const repository = wanted.repository ?? (await originOf(wanted.path));
  const live = await planLive(hosts, resolution, repository, credentials, io);
  io.stdout.write(wanted.json ? asJson(live) : asText(live, io));
  return exitOf(live);
}

function parse(argv: readonly string[]): Wanted {
  const options = {
    host: { type: 'string', multiple: true },
    repository: { type: 'string' },
    json: { type: 'boolean' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const path = onlyOne(positionals, ONE_PATH);
    if (values.repository !== undefined && !isRepositoryName(values.repository))
      throw new Error(`--repository is OWNER/NAME, not "${values.repository}".`);
    return { path, hosts: values.host ?? [], repository: values.repository, json: values.json === true };
  } catch (error) {
    throw misuse('plan', messageOf(error));
  }
}

/** No repository has this name, so nothing on a host is taken to have left this one. */
const NO_REPOSITORY = '-';

const NO_REPOSITORY_NOTE =
  'The directory has no git remote "origin" of the form OWNER/NAME: what left the YAML is not planned. Give --repository OWNER/NAME.';

async function planLive(
  hosts: readonly ResolvedHost[],
  { payloads }: Resolution,
  repository: string | undefined,
  credentials: Credentials,
  io: Io,
): Promise<LivePlan> {
  const tracker = ownTracker(io);
  const transport = createTransport({ credentials });
  const secrets = await secretsFrom(loadLocalConfig(process.env), process.env, async () => newKey());
  try {
    const plannings = await planHosts(
      // waited for however long it takes: this process is its only reader
      { transport, secrets, tracker: { of: (sources) => tracker.of(sources) } },
      {
        hosts,
        payloads,
        repository: repository ?? NO_REPOSITORY,
        changedItems: () => undefined,
        planRest: true,
      },
    );
    return assemble(plannings, hosts, repository);
  } finally {
    await transport.close();
  }
}

function assemble(
  plannings: readonly HostPlanning[],
  servers: readonly ResolvedHost[],
  repository: string | undefined,
): LivePlan {
  const read = plannings.flatMap((planning) => (planning.kind === 'planned' ? [planning.plan] : []));
  const planned = withSameMachines(read, servers);
  const hosts = repository === undefined ? planned.map(withoutOwners) : planned;
  return {
    plan: { kind: 'plan', hosts, digest: planDigest(hosts) },
    problems: plannings.flatMap((planning) => (planning.kind === 'problem' ? [planning] : [])),
    notes: repository === undefined ? [NO_REPOSITORY_NOTE] : [],
  };
}

/** Without a repository every owner seems foreign, which says nothing. */
export function withoutOwners(host: HostPlan): HostPlan {
  const said = / belongs to \S+ of the repository \S+; remove it there first$/;
  return { ...host, findings: host.findings.filter((finding) => !said.test(finding.message)) };
}

function isBroken({ plan, problems }: LivePlan): boolean {
  const errors = plan.hosts.flatMap((host) => host.findings.filter((f) => f.severity === 'error'));
  return problems.length + errors.length > 0;
}

function exitOf(live: LivePlan): number {
  if (isBroken(live)) return EXIT.failed;
  return live.plan.hosts.some((host) => host.steps.length > 0) ? EXIT.changes : EXIT.done;
}

function asJson({ plan, problems, notes }: LivePlan): string {
  const shown = problems.map(({ host, message }) => ({ host, message }));
  return `${JSON.stringify({ ...plan, problems: shown, notes }, undefined, 2)}\n`;
}

function asText(live: LivePlan, io: Io): string {
  const paint = painter(io);
  const { plan, problems, notes } = live;
  const unread = problems.map(
    ({ host, message }) =>
      `${paint('bold', printable(host))}: ${paint('red', 'cannot be planned:')} ${printable(message)}\n`,
  );
  const quiet = plan.hosts.every((host) => host.steps.length === 0);
  const title = quiet ? 'Nothing to change' : planTitle(plan);
  return [
    planText(plan.hosts, paint),
    ...unread,
    ...notes.map((note) => `${paint('yellow', 'note:')} ${note}\n`),
    `\n${paint('bold', title)}${isBroken(live) ? paint('red', '; errors above') : ''}\n`,
  ].join('');
}
