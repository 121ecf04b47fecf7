import type { Client } from '@temporalio/client';
import type { LabHost } from '../lab/hosts.ts';
import { until } from './until.ts';

/** Where nothing undoes or compares files. */
const go = (name: string): string => `/run/${name}.go`;

/** A command that goes on until `letGo`. */
export const untilGo = (name: string): string => `until [ -e ${go(name)} ]; do sleep 0.1; done`;

/** A script's step that has begun, and goes on until `letGo`: what interferes with it is never late. `end`: its last command. */
export function heldStep(name: string, end = `touch /var/tmp/${name}.done`) {
  return {
    check: `test -e /var/tmp/${name}.done`,
    apply: `touch /var/tmp/${name}.begun; ${untilGo(name)}; ${end}`,
    undo: `rm -f /var/tmp/${name}.begun /var/tmp/${name}.done`,
  };
}

/** From now on, whatever is done again. */
export async function letGo(hosts: readonly LabHost[], name: string): Promise<void> {
  await Promise.all(hosts.map((host) => host.exec(`touch ${go(name)}`)));
}

/** Waits until that step has begun on each of them. */
export function stepBegun(hosts: readonly LabHost[], name: string): Promise<true> {
  const begun = async (host: LabHost): Promise<boolean> =>
    (await host.exec(`[ -e /var/tmp/${name}.begun ] && echo yes`)).stdout === 'yes\n';
  return until(
    async () => ((await Promise.all(hosts.map(begun))).every(Boolean) ? true : undefined),
    `the effect ${name} to begin`,
  );
}

/** Waits until the run of the pull request has been told to stop; no check shows that before its step is over. */
export function toldToStop({ workflow }: Client, pull: number): Promise<true> {
  return until(async () => {
    for await (const { workflowId, runId } of workflow.list({ query: 'WorkflowType = "deployment"' })) {
      if (!workflowId.startsWith(`deployment:pr${pull}-`)) continue;
      const { events } = await workflow.getHandle(workflowId, runId).fetchHistory();
      const isTold = (events ?? []).some(
        ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName === 'cancelRun',
      );
      if (isTold) return true;
    }
    return undefined;
  }, `the run of #${pull} to be told to stop`);
}
