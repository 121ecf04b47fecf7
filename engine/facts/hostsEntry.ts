import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact } from './fact.ts';

/** The lines of /etc/hosts for one address. */
export interface HostsEntryQuery {
  readonly fact: 'hosts-entry';
  /** IP address. */
  readonly key: string;
}

export interface HostsEntryState {
  readonly present: boolean;
  /** Names of each line with this address, in the file's order, comments left out. */
  readonly lines: readonly (readonly string[])[];
}

/** The file is read once, with builtins only. T holds it with a blank line and `ADDRESS NAMES` per entry. */
const FUNCTION: Sh = {
  kind: 'sh',
  text: `T=; N='
'
if [ -f /etc/hosts ]; then while read -r l || [ -n "$l" ]; do
  l="\${l%%#*}"; set -f; set -- $l; set +f; [ "$#" -lt 2 ] || T="$T$N$*"
done < /etc/hosts; fi
doaas_hosts() { # ADDRESS
  case "$T$N" in *"$N$1 "*) ;; *) echo absent; return 0 ;; esac
  r="$T$N"; while :; do case "$r" in *"$N$1 "*) r="\${r#*"$N$1 "}"; echo "names \${r%%"$N"*}"; r="$N\${r#*"$N"}" ;; *) break ;; esac; done
}`,
};

export const hostsEntryFact: Fact<HostsEntryQuery, HostsEntryState> = {
  fact: 'hosts-entry',
  read: (queries) =>
    lines(FUNCTION, ...queries.map((q) => sh`echo ${`= ${encodeKey(q.key)}`}; doaas_hosts ${q.key}`)),
  parse: (output) => {
    const found = output
      .filter((line) => line.startsWith('names '))
      .map((line) => line.slice('names '.length).split(' '));
    return { present: found.length > 0, lines: found };
  },
};
