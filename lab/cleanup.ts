/**
 * Takes a temporary lab down when its owner ends, however it ends. `watchOwner` starts a shell that waits for its
 * stdin to close: the kernel closes it with the owner. An orderly `down` says so first, and nothing is left to do.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type LabSettings, labSettings } from './settings.ts';
import { removeLab } from './teardown.ts';

const WATCH = 'read -r word && exit 0; exec "$@"';

export interface Watch {
  /** The lab is down: nothing to clean. */
  release(): Promise<void>;
}

export function watchOwner(lab: string, settings: LabSettings): Watch {
  const self = fileURLToPath(import.meta.url);
  const tsx = import.meta.resolve('tsx');
  const child: ChildProcess = spawn(
    'sh',
    ['-c', WATCH, 'doaas-lab-watch', process.execPath, '--import', tsx, self, lab],
    {
      // Own session: a Ctrl-C at the terminal reaches the owner, not its cleaner.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
      env: { ...process.env, DOAAS_LAB_DIR: settings.stateDir, DOAAS_LAB_CACHE_DIR: settings.cacheDir },
    },
  );
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  // Neither the process nor the pipe keeps the owner's event loop alive.
  child.unref();
  if (child.stdin && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
  return {
    release: async () => {
      // a Ctrl-C before it had a session of its own ends it by a signal
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.ref();
      child.stdin?.end('down\n');
      await ended;
    },
  };
}

const [, script, lab] = process.argv;
if (script === fileURLToPath(import.meta.url) && lab) await removeLab(labSettings(), lab);
