import { itemKey } from '../../../facts/fact.ts';
import { pathFact } from '../../../facts/path.ts';
import { stateOf } from '../../readings.ts';
import type { AlgorithmWish, SshWish } from '../control.ts';
import { SSHD_FILE, WRITTEN_BY } from '../ownFiles.ts';
import { because, passwordOnly } from '../probes.ts';
import type { Active } from '../spec.ts';
import { attention, notApplicable, passedIf, type Verdict, type View } from '../view.ts';
import { isWithin } from './bounds.ts';
import { sameText } from './text.ts';

type Wish = SshWish | AlgorithmWish;

export const SSHD_ITEM = itemKey(pathFact.fact, SSHD_FILE);

export function judgeSsh(wish: Wish, view: View): Verdict {
  const { sshd } = view;
  if (!sshd.present) return notApplicable('there is no sshd');
  if ('problem' in sshd)
    return attention(
      `sshd refuses its own configuration (${firstLine(sshd.problem)}): repair it on the host`,
    );
  if (!sshd.includes)
    return attention(
      `/etc/ssh/sshd_config does not begin with "Include /etc/ssh/sshd_config.d/*.conf", so nothing can be set beside it: add that line`,
    );
  const now = sshd.settings[wish.keyword.toLowerCase()];
  if (now === undefined) return notApplicable(`this sshd does not know ${wish.keyword}`);
  if (wish.kind === 'ssh-algorithms') return passedIf(strongOf(wish, now) === now);
  return passedIf(holds(wish, now, view));
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

/** sshd prints the older of two words for the same. */
const OLDER: Readonly<Record<string, string>> = { 'prohibit-password': 'without-password' };
const NEWER: Readonly<Record<string, string>> = { 'without-password': 'prohibit-password' };

function holds(wish: SshWish, now: string, view: View): boolean {
  const value = wantedValue(wish, view);
  const same = (one: string) => (OLDER[one] ?? one).toLowerCase() === now.toLowerCase();
  if (wish.judge !== 'equal') return isWithin(wish.judge, now, value);
  return same(value) || (value === wish.value && (wish.also ?? []).some(same));
}

/** What the engine itself needs goes before: it would lock itself out, or the hosts behind this one. */
export function wantedValue(wish: SshWish, view: View): string {
  const { profile, context } = view;
  if (needsRoot(wish, view)) return wish.value;
  if (wish.engineNeeds === 'forwarding' && context.jumpFor.length > 0) return 'local';
  return profile === 'strict' ? (wish.strict ?? wish.value) : wish.value;
}

/** A value that is as good stays, so that nothing becomes weaker than it was. */
function lineOf(wish: SshWish, now: string, view: View): string {
  const kept = wish.judge === 'equal' && (wish.also ?? []).includes(now) && holds(wish, now, view);
  if (kept && !needsRoot(wish, view)) return `${wish.keyword} ${NEWER[now] ?? now}`;
  return `${wish.keyword} ${strictestOf(wish, wantedValue(wish, view), view)}`;
}

/** What other files set counts where it is the stricter one. What our own file has does not: a document may loosen that. */
function strictestOf({ keyword, judge }: SshWish, value: string, { sshd }: View): string {
  if (judge === 'equal' || !sshd.present || 'problem' in sshd) return value;
  const others = sshd.lines?.filter(({ file }) => file !== SSHD_FILE) ?? [];
  const found = others.find((line) => line.keyword === keyword.toLowerCase())?.value ?? '';
  return isWithin(judge, found, value) ? found : value;
}

function needsRoot({ engineNeeds }: SshWish, { context }: View): boolean {
  return engineNeeds === 'root-login' && context.server.user === 'root';
}

function strongOf({ weak }: AlgorithmWish, now: string): string {
  const pattern = new RegExp(weak);
  return now
    .split(',')
    .filter((name) => !pattern.test(name))
    .join(',');
}

/** Text of our file with the controls that apply. A list without any strong algorithm stays as it is. */
export function sshdText(applying: readonly Active[], view: View): string | undefined {
  const { sshd } = view;
  if (!sshd.present || 'problem' in sshd) return undefined;
  const settings = applying.flatMap(({ wants }): readonly string[] => {
    if (wants.kind !== 'ssh' && wants.kind !== 'ssh-algorithms') return [];
    const now = sshd.settings[wants.keyword.toLowerCase()] ?? '';
    if (wants.kind === 'ssh') return [lineOf(wants, now, view)];
    const strong = strongOf(wants, now);
    return strong === '' ? [] : [`${wants.keyword} ${strong}`];
  });
  return settings.length === 0 ? undefined : `# ${WRITTEN_BY}\n${settings.join('\n')}\n`;
}

export function isSshdWritten(text: string, { readings }: View): boolean {
  return sameText(stateOf(readings, pathFact, SSHD_FILE), text, '0600');
}

/** What a person should know of the ways in. Sentences without full stop. */
export function sshRemarks(applying: readonly Active[], view: View): readonly string[] {
  const { sshd, context } = view;
  const wishes = applying.flatMap(({ wants }) => (wants.kind === 'ssh' ? [wants] : []));
  if (!sshd.present || 'problem' in sshd) return [];
  const ours = new Set(wishes.map(({ keyword }) => keyword.toLowerCase()));
  const matches = sshd.matches.filter(({ keyword }) => ours.has(keyword));
  const root = wishes.some((wish) => wish.engineNeeds === 'root-login') && context.server.user === 'root';
  const jump = wishes.some((wish) => wish.engineNeeds === 'forwarding') && context.jumpFor.length > 0;
  const shut = ['passwordauthentication', 'kbdinteractiveauthentication'].every(
    (keyword) => ours.has(keyword) && sshd.settings[keyword] === 'no',
  );
  return [
    ...(shut ? shutOut(passwordOnly(view, applying)) : []),
    ...(root && view.profile === 'strict'
      ? [
          'ssh-root-login: the engine logs in as root here, so root keeps its key; give the Server another user with become: sudo',
        ]
      : []),
    ...(jump
      ? [
          `ssh-tcp-forwarding: ${context.jumpFor.join(', ')} is reached through this server, so it keeps AllowTcpForwarding local`,
        ]
      : []),
    ...matches.map(
      ({ keyword, file }) =>
        `${file} sets ${keyword} within a Match block, which wins over what is set for all: look at it`,
    ),
    ...(sshd.sftpMissing === undefined
      ? []
      : [
          `the SFTP subsystem ${sshd.sftpMissing} is not there, so copies by scp and sftp fail: correct the line Subsystem`,
        ]),
  ];
}

function shutOut(names: readonly string[]): readonly string[] {
  const said = because(
    names,
    (some) =>
      `ssh-password-login: ${some} has a password and no key, so SSH lets nobody in by that name; give it a key`,
  );
  return said === undefined ? [] : [said];
}
