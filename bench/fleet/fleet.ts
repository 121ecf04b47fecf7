import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from '../../scripts/bundle.ts';
import { median, rounded } from '../measure.ts';
import { progress, type Result } from '../report.ts';
import { applyRounds } from './applyRounds.ts';
import { HOSTS, withLab } from './lab.ts';
import { openOurs } from './ours.ts';
import { openPeers, type Peers } from './peers.ts';
import { planRounds } from './planRounds.ts';
import { planBySize } from './sizes.ts';

const RUNS = 5;
const SIZES = [20, 50, 100] as const;

const PARTS = ['apply', 'plan'] as const;

/** `--runs N`, `--sizes 20,50,100` (or `none`) and `--only apply` or `plan` shorten it while one works on it. */
function settings(argv: readonly string[]) {
  const options = { runs: { type: 'string' }, sizes: { type: 'string' }, only: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...argv], options });
  const sizes = values.sizes === undefined ? [...SIZES] : values.sizes.split(',').map(Number).filter(Boolean);
  const parts = values.only === undefined ? PARTS : PARTS.filter((part) => part === values.only);
  if (parts.length === 0) throw new Error(`--only knows ${PARTS.join(' and ')}, not "${values.only}"`);
  return { runs: Number(values.runs ?? RUNS), sizes, parts };
}

export async function fleet(argv: readonly string[]): Promise<Result> {
  const { runs, sizes, parts } = settings(argv);
  await bundle();
  const dir = await mkdtemp(join(tmpdir(), 'doaas-bench-peers-'));
  try {
    const peers = await openPeers(dir);
    await withLab(1, async (_, [host]) => {
      if (host === undefined) return;
      progress('filling the apt cache of the lab');
      await peers.script([host]);
    });
    const applied = parts.includes('apply') ? [appliesOf(await applyRounds(peers, runs))] : [];
    const planned = parts.includes('plan') ? [plansOf(await planning(peers, runs, sizes))] : [];
    return together([...planned, ...applied]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function planning(peers: Peers, runs: number, sizes: readonly number[]): Promise<Plans> {
  return withLab(HOSTS, async (lab, hosts) => {
    const ours = await openOurs(hosts[0]?.privateKeyPath ?? '');
    try {
      progress('first apply of the fleet that is planned');
      const { merged } = await ours.apply(hosts);
      const measured = await planRounds(ours, peers, merged, hosts, runs);
      return { ...measured, bySize: await planBySize(ours, peers, lab, merged, hosts, sizes, runs) };
    } finally {
      await ours.close();
    }
  });
}

function together(results: readonly Result[]): Result {
  return {
    json: Object.assign({}, ...results.map(({ json }) => json)),
    rows: results.flatMap(({ rows }) => rows),
  };
}

type Applies = Awaited<ReturnType<typeof applyRounds>>;
type Plans = Awaited<ReturnType<typeof planRounds>> & { readonly bySize: Readonly<Record<string, number>> };

const ratio = (a: number, b: number): string => `${rounded(a / b)}`;

function appliesOf(applies: Applies): Result {
  const json = {
    apply_s: rounded(median(applies.ours)),
    ansible_apply_s: rounded(median(applies.ansible)),
    pyinfra_apply_s: rounded(median(applies.pyinfra)),
    script_apply_s: rounded(median(applies.script)),
  };
  return {
    json,
    rows: [
      { what: 'first apply', value: json.apply_s, unit: 's' },
      { what: '  of a shell script', value: ratio(json.apply_s, json.script_apply_s), bar: '<= 1.5' },
      { what: '  of pyinfra', value: ratio(json.apply_s, json.pyinfra_apply_s), bar: '< 1' },
      { what: '  of Ansible', value: ratio(json.apply_s, json.ansible_apply_s), bar: '< 1' },
      { what: '  shell script', value: json.script_apply_s, unit: 's' },
      { what: '  pyinfra', value: json.pyinfra_apply_s, unit: 's' },
      { what: '  Ansible', value: json.ansible_apply_s, unit: 's' },
    ],
  };
}

function plansOf(plans: Plans): Result {
  const json = {
    plan_s: rounded(median(plans.ours)),
    ansible_plan_s: rounded(median(plans.ansible)),
    pyinfra_plan_s: rounded(median(plans.pyinfra)),
    login_s: rounded(median(plans.login)),
    altered_found: plans.found,
    altered: plans.altered,
    plan_s_by_hosts: { [HOSTS]: rounded(median(plans.ours)), ...plans.bySize },
  };
  return {
    json,
    rows: [
      { what: `plan of ${HOSTS} converged hosts`, value: json.plan_s, unit: 's' },
      { what: '  of a bare login', value: ratio(json.plan_s, json.login_s), bar: '<= 2' },
      { what: '  of pyinfra', value: ratio(json.plan_s, json.pyinfra_plan_s), bar: '<= 0.2' },
      { what: '  of Ansible', value: ratio(json.plan_s, json.ansible_plan_s), bar: '<= 0.0333' },
      { what: '  bare login', value: json.login_s, unit: 's' },
      { what: '  pyinfra', value: json.pyinfra_plan_s, unit: 's' },
      { what: '  Ansible', value: json.ansible_plan_s, unit: 's' },
      { what: 'altered items found', value: `${json.altered_found} of ${json.altered}`, bar: 'all' },
      ...Object.entries(json.plan_s_by_hosts).map(([hosts, seconds]) => ({
        what: `plan of ${hosts} hosts`,
        value: seconds,
        unit: 's',
      })),
    ],
  };
}
