import { homedir } from 'node:os';
import { join } from 'node:path';
import { createTracker, type Tracker } from '../advisories/tracker.ts';
import { loadLocalConfig } from '../config/config.ts';
import type { Io } from './terminal.ts';

/** Kept where a person's other caches are, not in the directory, which may be the repository itself. */
export function ownTracker(io: Io): Tracker {
  const { cveUrl: url, cacheDir = join(homedir(), '.cache', 'doaas') } = loadLocalConfig(process.env);
  return createTracker({
    url,
    folder: join(cacheDir, 'advisories'),
    failed: (reason) => io.stderr.write(`doaas: the list of vulnerabilities could not be had: ${reason}\n`),
  });
}
