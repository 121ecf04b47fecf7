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

/** Text of each file that controls which apply have lines for. `port`: where the engine reaches sshd; it stands as `$ssh-port` in lines. */
export function textsOf(applying: readonly Active[], port = SSH_PORT): ReadonlyMap<OwnFileName, string> {
  const files = new Map<OwnFileName, readonly string[]>();
  for (const { wants } of applying)
    if (wants.kind === 'lines') files.set(wants.file, [...(files.get(wants.file) ?? []), ...wants.lines]);
  // an address may be translated on the way, so the one of the service counts too
  const ports = port === SSH_PORT ? 'ssh' : `ssh,${port}`;
  return new Map(
    [...files].map(([file, text]) => [file, ownText(file, text).replaceAll('$ssh-port', ports)]),
  );
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
