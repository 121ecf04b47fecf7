import { lines, type Sh, sh } from '../shell/sh.ts';
import { accountQueries, informational, LIST } from './accounts.ts';
import { type Fact, FactError } from './fact.ts';

export interface GroupQuery {
  readonly fact: 'group';
  /** Name of the group. */
  readonly key: string;
  /** When another group has this gid, its name is read too. */
  readonly gid?: number;
}

export type GroupState =
  | { readonly present: false; readonly gidTakenBy?: string }
  | {
      readonly present: true;
      readonly gid: number;
      /** Supplementary members; informational, since they belong to the users. */
      readonly members: readonly string[];
      readonly gidTakenBy?: string;
    };

/** Two processes for all groups. */
const FUNCTION: Sh = {
  kind: 'sh',
  text: `doaas_groups() { # NAME:KEY:GID ...
  doaas_list group "$@"
  printf '%s\\n' "$doaas_entries" | awk -F: -v want="$*" '
  BEGIN { n = split(want, w, " ") }
  !($1 in gid) { gid[$1] = $3; members[$1] = $4; if (!($3 in name)) name[$3] = $1 }
  END {
    for (i = 1; i <= n; i++) {
      split(w[i], q, ":"); print "= " q[2]
      if (q[1] in gid) { print "group " gid[q[1]]; print "~ members " members[q[1]] } else print "absent"
      if (q[3] != "" && (q[3] in name) && name[q[3]] != q[1]) print "~ taken " name[q[3]]
    }
  }'
}`,
};

export const groupFact: Fact<GroupQuery, GroupState> = {
  fact: 'group',
  read: (queries) =>
    lines(
      LIST,
      FUNCTION,
      accountQueries(sh`doaas_groups`, queries, (query) => query.gid),
    ),
  parse: (output, query) => parseGroup(output, query),
};

function parseGroup(output: readonly string[], query: GroupQuery): GroupState {
  const taken = informational(output, 'taken');
  const other = taken === undefined ? {} : { gidTakenBy: taken };
  const [type, gid = ''] = (output[0] ?? '').split(' ');
  if (type === 'absent') return { present: false, ...other };
  if (type !== 'group' || !/^\d+$/.test(gid))
    throw new FactError(`the host answered a state of the group ${query.key} that is not understood`);
  const members = (informational(output, 'members') ?? '').split(',').filter((name) => name !== '');
  return { present: true, gid: Number(gid), members, ...other };
}
