import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact, FactError } from './fact.ts';

/** An apt source that the engine manages, with its key. */
export interface AptRepositoryQuery {
  readonly fact: 'apt-repository';
  readonly key: string;
}

export interface AptRepositoryState {
  readonly present: boolean;
  /** sha256 of the sources file; empty when it is not there. */
  readonly sources: string;
  /** Suffix and sha256 of the key file, as `asc:HEX`. */
  readonly keyring: string;
}

/** Where a repository's files lie. */
export function repositoryPaths(name: string) {
  const keyring = `/etc/apt/keyrings/doaas-${name}`;
  return {
    sources: `/etc/apt/sources.list.d/doaas-${name}.sources`,
    armored: `${keyring}.asc`,
    binary: `${keyring}.gpg`,
  };
}

const FUNCTION: Sh = {
  kind: 'sh',
  text: `doaas_repository() {
  echo "sources $([ ! -f "$1" ] || sha256sum < "$1")"
  for k in "$2" "$3"; do if [ -f "$k" ]; then echo "keyring \${k##*.} $(sha256sum < "$k")"; fi; done
  for k in "$@"; do if [ -f "$k" ]; then echo "attributes $(stat -c '%a %u %g' "$k")"; fi; done
}`,
};

export const aptRepositoryFact: Fact<AptRepositoryQuery, AptRepositoryState> = {
  fact: 'apt-repository',
  read: (queries) =>
    lines(
      FUNCTION,
      ...queries.flatMap(({ key }) => {
        const { sources, armored, binary } = repositoryPaths(key);
        return [sh`echo ${`= ${encodeKey(key)}`}`, sh`doaas_repository ${[sources, armored, binary]}`];
      }),
    ),
  parse: (output, query) => {
    const words = output.map((line) => line.split(' '));
    if (words[0]?.[0] !== 'sources')
      throw new FactError(`${query.key}: the host answered an apt repository that is not understood`);
    const sources = words[0][1] ?? '';
    const keyring = words
      .filter(([type]) => type === 'keyring')
      .map(([, suffix = '', sha256 = '']) => `${suffix}:${sha256}`)
      .join(' ');
    const readable = words.filter(([type]) => type === 'attributes').every(([, mode]) => mode === '644');
    return {
      present: sources !== '' || keyring !== '',
      sources: readable ? sources : `${sources}?`,
      keyring,
    };
  },
};
