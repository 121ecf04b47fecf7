import { repositoryPaths } from '../facts/aptRepository.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Custody, Operation } from './operation.ts';
import { APT_LIBRARY } from './packages.ts';
import { pathCustody } from './path.ts';

export type AddRepository = {
  readonly name: string;
  /** The deb822 text and its sha256. */
  readonly text: string;
  readonly sources: string;
  readonly key: string;
  readonly armored: boolean;
};

/** Both files, and the lists that apt read through them. */
export const aptRepositoryCustody: Custody = {
  fact: 'apt-repository',
  library: APT_LIBRARY,
  capture: (name, save) =>
    lines(...files(name).map(([part, path]) => pathCustody.capture(path, sh`${save}/${part}`))),
  restore: (items) =>
    lines(
      ...items.flatMap(({ key, save }) => [
        ...files(key).map(([part, path]) => pathCustody.restore([{ key: path, save: sh`${save}/${part}` }])),
      ]),
      sh`restore_lists`,
    ),
};

export const addRepository: Operation<AddRepository> = {
  operation: 'apt-repository.add',
  library: APT_LIBRARY,
  items: (p) => [`apt-repository:${p.name}`],
  payloads: (p) => [p.key],
  check: (p) => {
    const { sources, keyring, other } = pathsOf(p);
    return sh`[ "$(sha256sum < ${sources} 2>/dev/null)" = ${`${p.sources}  -`} ] && [ "$(sha256sum < ${keyring} 2>/dev/null)" = ${`${p.key}  -`} ] && [ ! -e ${other} ] && [ "$(stat -c %a:%u:%g ${[sources, keyring]} | sort -u)" = 644:0:0 ] && [ -e "$STEP/updated" ]`;
  },
  apply: (p) => {
    const { sources, keyring, other } = pathsOf(p);
    return sh`[ -d /etc/apt/keyrings ] || mkdir -m 0755 /etc/apt/keyrings
write_apt_file ${keyring} < "$DOAAS_PAYLOADS"/${p.key}
rm -f ${other}
printf %s ${p.text} | write_apt_file ${sources}
update_source ${sources}`;
  },
};

function files(name: string): readonly (readonly [Sh, string])[] {
  const { sources, armored, binary } = repositoryPaths(name);
  return [
    [sh`sources`, sources],
    [sh`armored`, armored],
    [sh`binary`, binary],
  ];
}

function pathsOf(p: AddRepository) {
  const { sources, armored, binary } = repositoryPaths(p.name);
  return {
    sources,
    keyring: p.armored ? armored : binary,
    other: p.armored ? binary : armored,
  };
}
