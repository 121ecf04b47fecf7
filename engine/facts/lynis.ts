import { lines, sh } from '../shell/sh.ts';
import { encodeKey, type Fact, type FactQuery } from './fact.ts';
import { HOST_STATE_DIR } from './owned.ts';

/** What Lynis (lynis(8)) said when a run asked it. */
export interface LynisQuery extends FactQuery {
  readonly fact: 'lynis';
  readonly key: 'all';
}

export interface LynisState {
  /** It was asked after a run. */
  readonly present: boolean;
  readonly version?: string;
  /** Its hardening index, 0 to 100: before the last run that asked, and after it. Left out: it gave none. */
  readonly before?: number;
  readonly after?: number;
}

/** `before` and `after`, each `INDEX VERSION`, and `report.dat` of the last audit. */
export const LYNIS_DIR = `${HOST_STATE_DIR}/lynis`;

export const lynisFact: Fact<LynisQuery, LynisState> = {
  fact: 'lynis',
  read: (queries) =>
    lines(
      ...queries.map(
        (q) => sh`echo ${`= ${encodeKey(q.key)}`}
for w in before after; do [ ! -f ${LYNIS_DIR}/$w ] || echo "$w $(head -c 100 ${LYNIS_DIR}/$w)"; done 2>/dev/null`,
      ),
    ),
  parse: (output) => {
    const [before, after] = [auditOf(output, 'before'), auditOf(output, 'after')];
    const version = (after ?? before)?.version;
    return {
      present: after !== undefined,
      ...(version && { version }),
      ...(before?.index !== undefined && { before: before.index }),
      ...(after?.index !== undefined && { after: after.index }),
    };
  },
};

function auditOf(output: readonly string[], when: string) {
  for (const line of output) {
    const [, word, index = '', version = ''] = /^(\w+) (\d{1,3}|-) ([\w.-]{0,20})$/.exec(line) ?? [];
    if (word === when) return { version, index: index === '-' ? undefined : Number(index) };
  }
  return undefined;
}
