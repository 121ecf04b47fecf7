import { packageFact } from '../../../facts/package.ts';
import { pathFact } from '../../../facts/path.ts';
import { stateOf } from '../../readings.ts';
import type { LinesWish, OwnFileName } from '../control.ts';
import { OWN_FILES, WRITTEN_BY } from '../ownFiles.ts';
import type { Active } from '../spec.ts';
import { notApplicable, type Verdict, type View } from '../view.ts';
import { sameText } from './text.ts';

/** Whether a file of our own means anything here; that it is as wanted is seen once all its lines are known. */
export function judgeLines({ file }: LinesWish, { readings, installs }: View): Verdict | undefined {
  const reader = OWN_FILES[file].package;
  if (reader === undefined || installs.has(reader)) return undefined;
  if (stateOf(readings, packageFact, reader).present) return undefined;
  return notApplicable(`${reader} is not installed`);
}

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
