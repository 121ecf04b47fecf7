import { packageFact } from '../../../facts/package.ts';
import { pathFact } from '../../../facts/path.ts';
import { stateOf } from '../../readings.ts';
import type { LinesWish, OwnFileName } from '../control.ts';
import { OWN_FILES, WRITTEN_BY } from '../ownFiles.ts';
import type { Active } from '../spec.ts';
import { attention, notApplicable, type Verdict, type View } from '../view.ts';
import { holds, lastValueOf } from './setting.ts';
import { sameText, textOf } from './text.ts';

/** Whether a file of our own means anything here; that it is as wanted is seen once all its lines are known. */
export function judgeLines({ file }: LinesWish, { readings, installs }: View): Verdict | undefined {
  const reader = OWN_FILES[file].package;
  const isRead =
    reader === undefined || installs.has(reader) || stateOf(readings, packageFact, reader).present;
  return isRead ? undefined : notApplicable(`${reader} is not installed`);
}

/** Our lines mean nothing where a file that is read later says something else. */
export function overridden({ lines, later }: LinesWish, { readings }: View): Verdict | undefined {
  if (later === undefined) return undefined;
  const { path, judge } = later;
  const state = stateOf(readings, pathFact, path);
  if (!state.present) return undefined;
  const text = textOf(state);
  if (text === undefined)
    return attention(`${path}, which is read later, is no file that everybody may read: look at it`);
  for (const line of lines) {
    const [key = '', value = ''] = line.split(' = ');
    const said = lastValueOf(text, key);
    if (said !== undefined && !holds({ value, judge }, said))
      return attention(
        `${path}, which is read later, says "${key} = ${said.slice(0, SAID_MAX)}": take that line out`,
      );
  }
  return undefined;
}

/** Characters of a value that are told. */
const SAID_MAX = 40;

/** The port of sshd, where nothing says otherwise. */
const SSH_PORT = 22;
const PORTS = '$ssh-port';

/** The engine's own port of sshd, and all that sshd says it listens on; an address may be translated on the way to it. */
export function sshPortsOf({ context, sshd }: View): readonly number[] {
  return [context.server.port, ...(sshd.present && 'ports' in sshd ? sshd.ports : [])];
}

/**
 * Text of each file that controls which apply have lines for. `ports`: of sshd; they stand as `$ssh-port` in lines. Left out: they stay
 * that, which no host's file has.
 */
export function textsOf(
  applying: readonly Active[],
  ports?: readonly number[],
): ReadonlyMap<OwnFileName, string> {
  const files = new Map<OwnFileName, readonly string[]>();
  for (const { wants } of applying)
    if (wants.kind === 'lines') files.set(wants.file, [...(files.get(wants.file) ?? []), ...wants.lines]);
  // the one of the service counts in any case
  const others = [...new Set(ports)].filter((port) => port !== SSH_PORT);
  const listed = ports === undefined ? PORTS : ['ssh', ...others].join();
  return new Map([...files].map(([file, text]) => [file, ownText(file, text).replaceAll(PORTS, listed)]));
}

function ownText(file: OwnFileName, text: readonly string[]): string {
  const { comment } = OWN_FILES[file];
  const head = comment === null ? [] : [`${comment} ${WRITTEN_BY}`];
  return [...head, ...text, ''].join('\n');
}

export function isWritten(file: OwnFileName, text: string, { readings }: View): boolean {
  const { path, mode } = OWN_FILES[file];
  return sameText(stateOf(readings, pathFact, path), text, mode);
}
