import { type CheckedRepository, checkRepository, errorsByOwnPolicy } from '../spec/check.ts';
import { didYouMean } from '../spec/nearest.ts';
import type { Resolution, ResolvedHost } from '../spec/resolution.ts';
import { readTree, TreeError } from './readTree.ts';
import { CliError, EXIT, type Io, painter, printable } from './terminal.ts';
import { errorsText } from './validate.ts';

/** A directory as a repository; undefined when there are mistakes, which have been shown. */
export async function checkedTree(path: string, io: Io): Promise<CheckedRepository | undefined> {
  const { files, links } = await readTree(path).catch((error: unknown) => {
    throw error instanceof TreeError ? new CliError(error.message, EXIT.usage) : error;
  });
  const checked = checkRepository(files, { links });
  const errors = errorsByOwnPolicy(checked);
  if (errors.length > 0) {
    io.stderr.write(errorsText(errors, painter(io)));
    return undefined;
  }
  if (checked.resolution.hosts.length > 0) return checked;
  throw new CliError(
    `${path} declares no server, so there is nothing to plan. Is it the root of the repository?`,
  );
}

/** Those of these names; all where none is given. */
export function chosenHosts(resolution: Resolution, names: readonly string[]): readonly ResolvedHost[] {
  const known = resolution.hosts.map((host) => host.name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new CliError(`There is no server "${printable(unknown)}"${didYouMean(unknown, known)}`, EXIT.usage);
  return names.length === 0 ? resolution.hosts : resolution.hosts.filter((host) => names.includes(host.name));
}
