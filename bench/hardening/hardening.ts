/** The strict profile on a fresh host, with Lynis (Debian's package) as a witness that knows nothing of this project. */
import { checkRepository } from '../../engine/spec/check.ts';
import type { ResolvedDocument } from '../../engine/spec/resolution.ts';
import { compareTrees, describeDifferences, MAY_DIFFER, snapshotTree } from '../../lab/compare.ts';
import { type LabHost, openLab } from '../../lab/hosts.ts';
import { type HostHarness, hostHarness } from '../../test/hostHarness.ts';
import { progress, type Result } from '../report.ts';
import { type Figures, resultOf } from './result.ts';

/** A converged host is read and judged this often; the median counts. */
const CHECKS = 5;

/** What Lynis itself writes at its second run. */
const WITNESS = { pattern: '/var/log/lynis*', reason: 'the report and log of Lynis' };

export async function hardening(): Promise<Result> {
  const lab = await openLab({ progress });
  try {
    const [host] = await lab.up(1);
    if (host === undefined) throw new Error('the lab gave no host');
    const harness = hostHarness(host);
    try {
      return resultOf(await measure(host, harness));
    } finally {
      await harness.close();
    }
  } finally {
    await lab.down();
  }
}

async function measure(host: LabHost, harness: HostHarness): Promise<Figures> {
  const wanted = [strict(host)];
  await host.exec('apt-get install -y -q --no-install-recommends lynis > /dev/null 2>&1');
  const lynisBefore = await lynis(host);
  const before = await snapshotTree(host);
  const began = performance.now();
  const first = await harness.plan(wanted);
  const run = await harness.applyPlan(first);
  if (run.end !== 'applied') throw new Error(`the profile was not applied: ${run.output}`);
  const firstSeconds = secondsSince(began);
  progress(`applied ${first.steps.length} steps in ${firstSeconds} s`);
  const checks: number[] = [];
  let again = first;
  for (let n = 0; n < CHECKS; n += 1) {
    const at = performance.now();
    again = await harness.plan(wanted);
    checks.push(secondsSince(at));
  }
  const lynisAfter = await lynis(host);
  await harness.undo(run.run);
  const differences = await compareTrees(before, await snapshotTree(host), [...MAY_DIFFER, WITNESS]);
  if (differences.length > 0) progress(describeDifferences(differences));
  return {
    findings: again.findings.map(({ message }) => message),
    lynisBefore,
    lynisAfter,
    secondRunChanges: again.steps.length,
    undoDifferences: differences.length,
    firstSeconds,
    checkSeconds: [...checks].sort((a, b) => a - b)[Math.floor(CHECKS / 2)] ?? 0,
  };
}

function strict({ name, address, hostKeys }: LabHost): ResolvedDocument {
  const server = {
    apiVersion: 'doaas/v1',
    kind: 'Server',
    metadata: { name },
    spec: { address, hostKey: hostKeys[0] },
  };
  const base = { apiVersion: 'doaas/v1', kind: 'Hardening', metadata: { name: 'base' } };
  const documents = [server, { ...base, spec: { targets: { all: true }, profile: 'strict' } }];
  const text = documents.map((document) => JSON.stringify(document)).join('\n---\n');
  const { resolution, errors } = checkRepository(new Map([['bench.yaml', Buffer.from(`${text}\n`)]]));
  const document = resolution.hosts[0]?.documents[0];
  if (document === undefined) throw new Error(errors.map(({ message }) => message).join(' '));
  return document;
}

async function lynis(host: LabHost): Promise<number> {
  await host.exec('lynis audit system --quick --no-colors > /dev/null 2>&1 || :');
  const { stdout } = await host.exec("sed -n 's/^hardening_index=//p' /var/log/lynis-report.dat");
  progress(`Lynis: ${stdout.trim()}`);
  return Number(stdout);
}

function secondsSince(at: number): number {
  return Math.round(performance.now() - at) / 1000;
}
