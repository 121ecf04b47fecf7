import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadOrder, LoadReport, Sent } from './load.ts';

const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url));

/** Sends all deliveries from another process. `onSent` hears how many went out so far. */
export async function sendAll(order: LoadOrder, onSent: (count: number) => void): Promise<readonly Sent[]> {
  const child: ChildProcess = fork(LOAD, [], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    child.send(order);
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the load generator ended with ${code}`)));
      child.on('message', (report: LoadReport) => {
        if (report.kind === 'sent') onSent(report.count);
        if (report.kind === 'done') resolve(report.sent);
      });
    });
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
  }
}
