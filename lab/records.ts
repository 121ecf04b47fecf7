import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BaseName } from './base-image.ts';
import type { Guest } from './guest.ts';
import { isSameProcess, processStart } from './processes.ts';
import { type LabSettings, labDir } from './settings.ts';

/** What another process needs to find, use or remove a lab and its hosts. */
export interface LabRecord {
  readonly name: string;
  /** The process that a temporary lab ends with; a persistent one has none. */
  readonly owner?: { readonly pid: number; readonly start: string };
}

export interface HostRecord {
  readonly lab: string;
  readonly name: string;
  /** Counts the hosts of its lab from 0 in the order in which they came; addresses are given out again. */
  readonly order: number;
  /** Last part of its address; also names its namespace, link and control groups. */
  readonly index: number;
  readonly base: BaseName;
  readonly baseDir: string;
  readonly hostKeys: readonly string[];
  readonly memoryMiB?: number;
  readonly diskMiB?: number;
  readonly guest?: Guest;
}

export function hostDir(settings: LabSettings, lab: string, host: string): string {
  return join(labDir(settings, lab), 'hosts', host);
}

export async function writeLab(settings: LabSettings, record: LabRecord): Promise<void> {
  await writeRecord(join(labDir(settings, record.name), 'lab.json'), record);
}

export async function readLab(settings: LabSettings, name: string): Promise<LabRecord | undefined> {
  return readRecord<LabRecord>(join(labDir(settings, name), 'lab.json'));
}

export async function labNames(settings: LabSettings): Promise<string[]> {
  return readdir(join(settings.stateDir, 'labs')).catch(() => []);
}

export async function writeHost(settings: LabSettings, record: HostRecord): Promise<void> {
  await writeRecord(join(hostDir(settings, record.lab, record.name), 'host.json'), record);
}

export async function readHosts(settings: LabSettings, lab: string): Promise<HostRecord[]> {
  const names = await readdir(join(labDir(settings, lab), 'hosts')).catch(() => []);
  const files = names.map((name) => join(hostDir(settings, lab, name), 'host.json'));
  const records = await Promise.all(files.map((file) => readRecord<HostRecord>(file)));
  return records.filter((record) => record !== undefined).sort((a, b) => a.order - b.order);
}

/** Whether the lab's owner died without taking it down. */
export async function isStale(record: LabRecord): Promise<boolean> {
  return record.owner !== undefined && !(await isSameProcess(record.owner.pid, record.owner.start));
}

export async function thisProcess(): Promise<{ pid: number; start: string }> {
  return { pid: process.pid, start: (await processStart(process.pid)) ?? '' };
}

async function writeRecord(file: string, record: LabRecord | HostRecord): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, JSON.stringify(record, null, 2));
  await rename(`${file}.new`, file);
}

async function readRecord<T>(file: string): Promise<T | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}
