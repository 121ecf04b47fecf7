import { createMemory } from '../../engine/hosts/memory.ts';
import { cappedOutput, lineSplitter, OUTPUT_MAX_BYTES } from '../../engine/hosts/output.ts';
import type { RunOptions, Session } from '../../engine/hosts/session.ts';
import type { HostTarget } from '../../engine/hosts/target.ts';

/** Of the network. Bytes. */
const CHUNK = 32 * 1024;

export interface Said {
  readonly stdout: Buffer;
  readonly stderr?: Buffer;
  readonly exitCode?: number;
}

/** A host that its owner has turned against the engine: whatever is asked, it says this. */
export function hostileHost(said: Said): Session {
  const target: HostTarget = {
    name: 'web-1',
    address: '192.0.2.1',
    port: 22,
    user: 'deploy',
    hostKeys: [],
    become: 'sudo',
    site: 'default',
  };
  return {
    target,
    identity: '192.0.2.1:22 SHA256:x',
    memory: createMemory(),
    run: async (_, options) => heard(said, options),
    connect: () => Promise.reject(new Error('nothing is to connect')),
  };
}

/** What a session makes of it, with the same bounds. */
function heard({ stdout, stderr = Buffer.alloc(0), exitCode = 0 }: Said, options: RunOptions) {
  const max = options.maxOutputBytes ?? OUTPUT_MAX_BYTES;
  const [out, err] = [cappedOutput(max), cappedOutput(max)];
  const split = options.onLine === undefined ? undefined : lineSplitter(options.onLine);
  for (let at = 0; at < stdout.length; at += CHUNK) {
    const chunk = stdout.subarray(at, at + CHUNK);
    out.push(chunk);
    split?.push(chunk);
  }
  split?.end();
  err.push(stderr);
  return {
    kind: 'run-result' as const,
    exitCode,
    signal: null,
    stdout: out.text(),
    stderr: err.text(),
    truncated: out.truncated() || err.truncated(),
    durationMs: 0,
  };
}
