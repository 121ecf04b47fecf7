import { LISTS_AGE_MAX_SECONDS, originText, staleText } from '../kinds/patchPolicy/archives.ts';
import { some } from '../kinds/patchPolicy/words.ts';
import type { Patches } from './host.ts';

type Known = Omit<Patches, 'security'>;

/** Why not all updates of a server can be known, in sentences. */
export function listsTold(host: string, patches: Known): readonly string[] {
  const { listsAgeSeconds: age, problem, unknown, staleArchives: stale = [] } = patches;
  if (unknown === true)
    return [`What updates are out for ${host} is not known: ${problem ?? 'it has no package lists'}.`];
  return [
    ...(isOld(age)
      ? [
          `The package lists of ${host} are ${Math.floor(age / 86_400)} days old, so newer updates are not known.`,
        ]
      : []),
    ...(stale.length === 0
      ? []
      : [`On ${host}, newer updates are not known of ${some(stale.map(staleText), '; ')}.`]),
  ];
}

/** Which archives of security updates a server does not have, in sentences. */
export function securityTold(
  host: string,
  { policy, noSecurityArchive, unmatchedOrigins = [] }: Known,
): readonly string[] {
  const names = some(unmatchedOrigins.map(originText), '; ');
  return [
    ...(noSecurityArchive === true
      ? [
          `None of the archives that apt reads on ${host} is one of security updates, so no security update is ever known.`,
        ]
      : []),
    ...(names === ''
      ? []
      : [
          `None of the archives that apt reads on ${host} is what "securityOrigins" of ${policy ?? 'its PatchPolicy'} names: ${names}.`,
        ]),
  ];
}

/** Why a server may have more outstanding than is told, in sentences; none where all of it is known. */
export function unsureOf(host: string, patches: Known): readonly string[] {
  const { problem, unknown } = patches;
  const told = [...listsTold(host, patches), ...securityTold(host, patches)];
  if (problem === undefined || unknown === true) return told;
  return [`What updates are out for ${host} by now is not known: ${problem}.`, ...told];
}

function isOld(age: number | undefined): age is number {
  return age !== undefined && age > LISTS_AGE_MAX_SECONDS;
}
