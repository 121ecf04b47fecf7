import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cachedDir, endingWithUs } from './cached-dir.ts';
import { unmountAndRemove } from './overlay.ts';
import { labObstacle } from './prerequisites.ts';
import { killProcess, processStart } from './processes.ts';
import { run } from './run.ts';
import { waitFor } from './wait.ts';

const obstacle = await labObstacle();
if (obstacle && process.env.CI === 'true') throw new Error(obstacle);

async function emptyDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'doaas-cached-'));
  onTestFinished(() => unmountAndRemove(dir));
  return dir;
}

async function mountsBelow(dir: string): Promise<string[]> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return mounts.filter((line) => line.includes(dir));
}

test.skipIf(obstacle)('what a killed build left mounted is no obstacle to the next one', async () => {
  const dir = await emptyDir();
  const image = join(dir, 'image');
  const left = join(`${image}.partial`, 'proc');
  await mkdir(left, { recursive: true });
  await run(['mount', '-t', 'proc', 'proc', left]);
  await cachedDir(image, (partial) => writeFile(join(partial, 'built'), ''));
  expect(await readdir(image)).toEqual(['built']);
  expect(await readdir(dir)).toEqual(['image']);
  expect(await mountsBelow(dir)).toEqual([]);
});

test.skipIf(obstacle)('a whole folder is not built again', async () => {
  const image = join(await emptyDir(), 'image');
  await cachedDir(image, (partial) => writeFile(join(partial, 'first'), ''));
  await cachedDir(image, (partial) => writeFile(join(partial, 'second'), ''));
  expect(await readdir(image)).toEqual(['first']);
});

test.skipIf(obstacle)('nothing that a build starts or mounts outlives its process', async () => {
  const dir = await emptyDir();
  const build = `mount -t proc proc ${dir}; sleep 3600 & sleep 3600`;
  // its own process between, as with debootstrap under the program that prepares
  const script = `require('node:child_process').spawn(process.argv[1], process.argv.slice(2))`;
  const owner = spawn(process.execPath, ['-e', script, ...endingWithUs(['sh', '-c', build])], {
    stdio: 'ignore',
  });
  onTestFinished(() => void owner.kill('SIGKILL'));
  const started = async (): Promise<number[]> => pidsOf(owner.pid ?? 0);
  await waitFor('the build to start all', 20_000, async () => (await started()).length >= 4);
  const pids = await started();
  const ended = once(owner, 'exit');
  await killProcess(owner.pid ?? 0, 'SIGKILL');
  await ended;
  await waitFor('the build to end', 20_000, async () => {
    const states = await Promise.all(pids.map(processStart));
    return states.every((start) => start === undefined);
  });
  expect(await mountsBelow(dir)).toEqual([]);
});

/** All descendants. */
async function pidsOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text.split(' ').filter(Boolean).map(Number);
  return [...children, ...(await Promise.all(children.map(pidsOf))).flat()];
}
