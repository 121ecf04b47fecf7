import type { PullRequest } from '../github/pulls.ts';

/**
 * A pull request that goes into another branch than the default one. What the policy asks of it is asked of its own difference only, and
 * whoever brings that branch into the default one brings more: so it is validated and planned, never applied.
 */
export interface Aside {
  readonly into: string;
  readonly defaultBranch: string;
}

export function asideOf({
  baseRef,
  defaultBranch,
}: Pick<PullRequest, 'baseRef' | 'defaultBranch'>): Aside | undefined {
  return baseRef === defaultBranch ? undefined : { into: baseRef, defaultBranch };
}

/** What is missing, and what to do. */
export function sayAside({ into, defaultBranch }: Aside): string {
  const [own, other] = [sayBranch(into), sayBranch(defaultBranch)];
  return `the pull request goes into ${own}; only what goes into ${other} is applied. Change its base, or merge ${own} first`;
}

/** Of a branch's name. Characters. */
const NAME_MAX = 50;

/** Whoever may push names branches, and this is said as Markdown as well: nothing in it ends the ticks or begins anything. */
export function sayBranch(name: string): string {
  const plain = name.replace(/[^\p{L}\p{N}./_@#+=-]/gu, '?');
  return `\`${plain.length > NAME_MAX ? `${plain.slice(0, NAME_MAX)}...` : plain}\``;
}
