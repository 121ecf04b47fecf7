import { lines, type Sh, sh } from '../shell/sh.ts';
import { informational } from './accounts.ts';
import { base64Length } from './base64.ts';
import { encodeKey, type Fact, FactError } from './fact.ts';

export interface LocaleQuery {
  readonly fact: 'locale';
  readonly key: 'all';
}

export interface LocaleState {
  readonly present: boolean;
  /** File that the system reads its locale from; see locale.conf(5). */
  readonly path: LocalePath;
  /** Text of that file, empty where it is not there. */
  readonly text: string;
  /** Locales that are ready for use, as `locale -a` prints them. */
  readonly generated: readonly string[];
}

export const LOCALE_PATHS = ['/etc/default/locale', '/etc/locale.conf'] as const;
export type LocalePath = (typeof LOCALE_PATHS)[number];

/** A larger file is no locale.conf(5). Bytes. */
const LOCALE_BYTES_MAX = 65_536;

/** Debian up to 12 reads /etc/default/locale; later ones make it a link to /etc/locale.conf. */
const READ: Sh = {
  kind: 'sh',
  text: `f=${LOCALE_PATHS[0]}; if [ -L $f ] || { [ ! -e $f ] && [ -f ${LOCALE_PATHS[1]} ]; }; then f=${LOCALE_PATHS[1]}; fi
if [ -f $f ]; then echo "locale $f $(head -c ${LOCALE_BYTES_MAX} $f | base64 -w0)"; else echo "absent $f"; fi
echo "~ generated" $(locale -a 2>/dev/null)`,
};

export const localeFact: Fact<LocaleQuery, LocaleState> = {
  fact: 'locale',
  read: (queries) => lines(...queries.map((q) => sh`echo ${`= ${encodeKey(q.key)}`}; ${READ}`)),
  parse: (output) => {
    const [type, path, text = ''] = (output[0] ?? '').split(' ');
    const known = LOCALE_PATHS.find((p) => p === path);
    if ((type !== 'locale' && type !== 'absent') || known === undefined)
      throw new FactError('the host answered a state of its locale that is not understood');
    if (text.length > base64Length(LOCALE_BYTES_MAX))
      throw new FactError(`the host answered more than ${LOCALE_BYTES_MAX} bytes of ${known}`);
    return {
      present: type === 'locale',
      path: known,
      text: Buffer.from(text, 'base64').toString('utf8'),
      generated: (informational(output, 'generated') ?? '').split(' ').filter((name) => name !== ''),
    };
  },
};
