import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact } from './fact.ts';

export interface TimezoneQuery {
  readonly fact: 'timezone';
  readonly key: 'all';
  /** Whether this zone is in the host's time zone database is read too. */
  readonly zone?: string;
}

export interface TimezoneState {
  readonly present: boolean;
  /** Target of the link /etc/localtime; undefined where it is no link. */
  readonly localtime?: string;
  /** First line of /etc/timezone. */
  readonly name?: string;
  /** The zone that was asked for is in the host's database. */
  readonly known: boolean;
}

export const ZONEINFO = '/usr/share/zoneinfo';

const READ: Sh = {
  kind: 'sh',
  text: `if [ -L /etc/localtime ]; then echo "localtime $(readlink /etc/localtime)"; elif [ -e /etc/localtime ]; then echo file; else echo absent; fi
if [ -f /etc/timezone ]; then l=; read -r l < /etc/timezone || :; echo "timezone $l"; fi`,
};

export const timezoneFact: Fact<TimezoneQuery, TimezoneState> = {
  fact: 'timezone',
  read: (queries) =>
    lines(
      ...queries.map(
        (q) => sh`echo ${`= ${encodeKey(q.key)}`}
${READ}
[ -f ${`${ZONEINFO}/${q.zone ?? ''}`} ] || echo '~ known no'`,
      ),
    ),
  parse: (output) => {
    const localtime = wordsAfter(output, 'localtime');
    const name = wordsAfter(output, 'timezone');
    return {
      present: !output.includes('absent'),
      ...(localtime === undefined ? {} : { localtime }),
      ...(name === undefined ? {} : { name }),
      known: !output.includes('~ known no'),
    };
  },
};

function wordsAfter(output: readonly string[], name: string): string | undefined {
  return output.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
}
