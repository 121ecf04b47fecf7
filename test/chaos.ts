import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store, type StoreLocation } from '../engine/store/store.ts';
import { type PostgresCluster, startCluster } from '../engine/store/testing/postgres.ts';
import type { LabHost } from '../lab/hosts.ts';
import { run } from '../lab/run.ts';
import { serverYaml, startWorld, type World } from './world.ts';

export type StoreKind = 'sqlite' | 'postgres';

export const HOSTS = 3;
/** So that a disk can be full. MiB. */
const DISK_MIB = 400;
/** Longer than a lab host needs to boot on a busy machine. */
const OUTAGE_SECONDS = 180;
/** Of an engine whose machine is busy, or whose store is not back yet. */
const START_TRIES = 5;
/** Package libfaketime of Debian. The one for programs with threads. */
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

type Progress = (line: string) => void;

/** A world in which anything may be broken. Close it in any case. */
export interface Scene {
  readonly kind: StoreKind;
  readonly world: World;
  readonly hosts: readonly LabHost[];
  /** The engine's clock from now on; seconds to add to the machine's. */
  readonly setClock: (seconds: number) => Promise<void>;
  readonly postgres: PostgresCluster | undefined;
  readonly storeFile: string;
  /** Reads the store beside the engine. */
  readonly look: <T>(use: (store: Store) => Promise<T>) => Promise<T>;
  /** As systemd would: an engine that has ended is started again, as often as it takes. */
  readonly supervise: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The bench alone needs it, so it is not among the packages that the tests prepare. */
async function ensureFaketime(progress: Progress): Promise<void> {
  if (existsSync(FAKETIME)) return;
  progress('installing the Debian package libfaketime');
  await run(['apt-get', 'install', '-q', '-y', '--no-install-recommends', 'libfaketime'], {
    env: { PATH: process.env.PATH, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (!existsSync(FAKETIME)) throw new Error(`the package libfaketime has no ${FAKETIME} here`);
}

/** `files`: of the repository, beside its servers. */
export async function openScene(
  kind: StoreKind,
  files: Readonly<Record<string, string>>,
  progress: Progress,
): Promise<Scene> {
  await ensureFaketime(progress);
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0).reverse())
      await end().catch((error: unknown) => progress(String(error)));
  };
  try {
    const dir = await mkdtemp(join(tmpdir(), 'doaas-chaos-'));
    closing.push(() => rm(dir, { recursive: true, force: true }));
    const clock = join(dir, 'clock');
    const setClock = (seconds: number) => writeFile(clock, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    await setClock(0);
    const postgres = kind === 'postgres' ? await startCluster() : undefined;
    if (postgres !== undefined) closing.push(() => postgres.stop());
    const world = await startWorld({
      hosts: HOSTS,
      limits: { diskMiB: DISK_MIB },
      engine: 'process',
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts), ...files }),
      environment: {
        DOAAS_HOST_OUTAGE_SECONDS: String(OUTAGE_SECONDS),
        LD_PRELOAD: FAKETIME,
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_CACHE_DURATION: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        ...(postgres === undefined ? {} : { DATABASE_URL: postgres.url }),
      },
      progress,
    });
    closing.push(() => world.close());
    const storeFile = join(world.dataDir, 'store.sqlite');
    const location: StoreLocation = postgres === undefined ? { file: storeFile } : { url: postgres.url };
    return {
      kind,
      world,
      hosts: world.hosts,
      setClock,
      postgres,
      storeFile,
      close,
      look: lookInto(location),
      supervise: supervising(world),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function lookInto(location: StoreLocation): Scene['look'] {
  return async (use) => {
    const store = await openStore(location, { readOnly: true });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  };
}

function supervising({ engine }: World): Scene['supervise'] {
  const startAgain = async (tries: number): Promise<void> => {
    try {
      await engine.start();
    } catch (error) {
      await engine.kill();
      if (tries === 1) throw error;
      await startAgain(tries - 1);
    }
  };
  return async () => {
    if (!existsSync(`/proc/${engine.pid()}`)) await startAgain(START_TRIES);
  };
}
