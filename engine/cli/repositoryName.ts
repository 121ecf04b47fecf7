import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** `owner/name` from the URL of a remote; undefined for a URL that has no such form. */
export function nameInUrl(url: string): string | undefined {
  const path =
    /^(?:https?|ssh|git):\/\/(?:[^/@]*@)?[^/]+\/(.+)$/.exec(url)?.[1] ??
    /^[^/\s:]+:(?!\/\/)(.+)$/.exec(url)?.[1];
  const match = /(?:^|\/)([\w.-]+)\/([\w.-]+?)(?:\.git)?\/?$/.exec(path ?? '');
  return match === null ? undefined : `${match[1]}/${match[2]}`;
}

export function isRepositoryName(text: string): boolean {
  return /^[\w.-]+\/[\w.-]+$/.test(text);
}

/** What `git remote get-url origin` says in the directory, as `owner/name`; undefined where there is none. */
export async function originOf(directory: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('git', ['-C', directory, 'remote', 'get-url', 'origin']);
    return nameInUrl(stdout.trim());
  } catch {
    return undefined;
  }
}
