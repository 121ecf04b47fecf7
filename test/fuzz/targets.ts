import type { Target } from './target.ts';
import { commands } from './targets/commands.ts';
import { facts } from './targets/facts.ts';
import { journal } from './targets/journal.ts';
import { markdown } from './targets/markdown.ts';
import { policy } from './targets/policy.ts';
import { shell } from './targets/shell.ts';
import { webhooks } from './targets/webhooks.ts';
import { yaml } from './targets/yaml.ts';

export const TARGETS: readonly Target[] = [webhooks, yaml, facts, journal, commands, policy, markdown, shell];

/** Throws with the names that there are. */
export function targetNamed(name: string): Target {
  const found = TARGETS.find((target) => target.name === name);
  if (found === undefined)
    throw new Error(
      `there is no target ${name}; there are ${TARGETS.map((target) => target.name).join(', ')}`,
    );
  return found;
}
