import { type AuthorizedKeysState, authorizedKeysFact } from '../../facts/authorizedKeys.ts';
import { writeKeys } from '../../operations/authorizedKeys.ts';
import type { ResolvedConfiguration } from '../../spec/configuration.ts';
import type { KindPlan } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { attributeDiff, unifiedDiff } from './diff.ts';
import { pointerTo } from './files.ts';
import { joined, problem, steps } from './outcome.ts';
import type { Section } from './section.ts';

/** sshd's StrictModes wants nothing looser. */
const MODES = { 'mode of ~/.ssh': '0700', 'mode of authorized_keys': '0600' };

/** The keys of users: a part of its own, planned after directories, since one of those may be the home folder. */
export const authorizedKeysSection: Section = {
  section: 'users',
  claims: (spec) =>
    managed(spec).map(([name]) => ({
      item: `authorized-keys:${name}`,
      pointer: `${pointerTo('users', name)}/authorizedKeys`,
    })),
  needs: (spec) => managed(spec).map(([name]) => ({ fact: 'authorized-keys', key: name })),
  plan: (spec, readings) =>
    joined(
      managed(spec).map(([name, keys]) =>
        planKeys(name, keys, stateOf(readings, authorizedKeysFact, name), spec),
      ),
    ),
};

function managed(spec: ResolvedConfiguration): readonly (readonly [string, readonly string[]])[] {
  return Object.entries(spec.users).flatMap(([name, user]) =>
    user.state === 'absent' || user.authorizedKeys === undefined
      ? []
      : [[name, user.authorizedKeys] as const],
  );
}

function planKeys(
  name: string,
  keys: readonly string[],
  now: AuthorizedKeysState,
  spec: ResolvedConfiguration,
): KindPlan {
  if (now.type === 'unsafe')
    return problem(
      `keys of user ${name}: ${now.why}; the engine follows no links there, so put it in order by hand`,
    );
  if (now.type === 'absent' && now.user && !now.home && !homeIsMade(name, spec))
    return problem(`keys of user ${name}: the home folder does not exist; add it to directories`);
  const text = keys.map((key) => `${key}\n`).join('');
  const modes = attributeDiff(modesOf(now), MODES);
  if (now.type === 'keys' && now.text === text && modes === '') return steps();
  const diff = unifiedDiff('~/.ssh/authorized_keys', now.type === 'keys' ? now.text : '', text);
  return steps({
    id: `authorized-keys:${name}`,
    operation: writeKeys.operation,
    params: { user: name, text },
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
    summary: `authorized keys of ${name} +${diff.added} -${diff.removed}`,
    diff: [diff.text, now.type === 'keys' ? modes : ''].filter((part) => part !== '').join('\n'),
  });
}

function modesOf(now: AuthorizedKeysState): Readonly<Record<string, string>> {
  return now.type === 'keys'
    ? { 'mode of ~/.ssh': now.directoryMode, 'mode of authorized_keys': now.mode }
    : {};
}

/** Where the document does not say the home folder, any of its directories may be it. */
function homeIsMade(name: string, spec: ResolvedConfiguration): boolean {
  const user = spec.users[name];
  const home = user?.state === 'present' ? user.home : undefined;
  return Object.entries(spec.directories).some(
    ([path, directory]) => directory.state === 'directory' && (home === undefined || path === home),
  );
}
