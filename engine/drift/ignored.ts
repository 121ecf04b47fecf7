import type { Step } from '../plan/step.ts';
import { matchesGlob } from '../policy/glob.ts';

/** Whether a pattern means an item: `/etc/motd` and `/etc/app/**` files and directories, `unit:cron.*` the rest. */
export function isIgnored(item: string, patterns: readonly string[]): boolean {
  const [fact, key] = halves(item);
  return patterns.some((pattern) => {
    const [sort, wanted] = pattern.startsWith('/') ? ['path', pattern] : halves(pattern);
    return sort === fact && matchesGlob(wanted, key);
  });
}

/** All that the step is about. A unit's own file goes with the unit. */
export function ignoresStep({ before }: Pick<Step, 'before'>, patterns: readonly string[]): boolean {
  const items = subjects(before);
  return items.length > 0 && items.every((item) => isIgnored(item, patterns));
}

/** The first item that a step touches although it is to be left alone. */
export function ignoredOf({ before }: Pick<Step, 'before'>, patterns: readonly string[]): string | undefined {
  return subjects(before).find((item) => isIgnored(item, patterns));
}

function subjects(before: Step['before']): readonly string[] {
  const items = Object.keys(before);
  const others = items.filter((item) => !item.startsWith('path:'));
  return others.length > 0 ? others : items;
}

function halves(item: string): readonly [string, string] {
  const at = item.indexOf(':');
  return [item.slice(0, at), item.slice(at + 1)];
}
