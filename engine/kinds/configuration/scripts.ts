import { scriptDigest, type UserScriptState, userScriptFact } from '../../facts/userScript.ts';
import { runScript } from '../../operations/userScript.ts';
import type { ResolvedScript } from '../../spec/configuration.ts';
import type { KindPlan } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { pointerTo } from './files.ts';
import { joined, steps } from './outcome.ts';
import type { Section } from './section.ts';

/**
 * Scripts, the way out. A text that no approved run has brought to the host is a step, since its check may not run
 * before; the step then runs the check first, and apply only where that fails.
 */
export const scriptsSection: Section = {
  section: 'scripts',
  claims: (spec) =>
    Object.keys(spec.scripts).map((name) => ({
      item: `script:${name}`,
      pointer: pointerTo('scripts', name),
    })),
  needs: (spec) => Object.keys(spec.scripts).map((name) => ({ fact: 'script', key: name })),
  plan: (spec, readings) =>
    joined(
      Object.entries(spec.scripts).map(([name, script]) =>
        planScript(name, script, stateOf(readings, userScriptFact, name)),
      ),
    ),
};

function planScript(name: string, script: ResolvedScript, now: UserScriptState): KindPlan {
  const known = now.present && now.digest === scriptDigest(script);
  if (known && now.check === 0) return steps();
  const { check, apply, undo, timeoutSeconds } = script;
  return steps({
    id: `script:${name}`,
    operation: runScript.operation,
    params: { name, check, apply, undo: undo ?? null, timeoutSeconds },
    dependsOn: [],
    reversible: undo === undefined ? 'no' : 'best-effort',
    disruption: 'none',
    summary: `script ${name} ${known ? `runs: its check ended with ${now.check}` : 'runs unless its check passes'}`,
    diff: [
      part('check', check),
      part('apply', apply),
      ...(undo === undefined ? [] : [part('undo', undo)]),
    ].join('\n'),
  });
}

/** The full text: whoever approves the plan approves this. */
function part(title: string, text: string): string {
  return [`# ${title}`, ...text.replace(/\n$/, '').split('\n')].map((line) => `+ ${line}`).join('\n');
}
