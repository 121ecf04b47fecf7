import { lines, type Sh, sh } from '../shell/sh.ts';
import { accountQueries, informational, LIST } from './accounts.ts';
import { type Fact, FactError } from './fact.ts';

export interface UserQuery {
  readonly fact: 'user';
  /** Name of the user. */
  readonly key: string;
  /** When another user has this uid, its name is read too. */
  readonly uid?: number;
}

export type UserState =
  | { readonly present: false; readonly uidTakenBy?: string }
  | {
      readonly present: true;
      readonly uid: number;
      readonly gid: number;
      /** Name of the primary group; its number where it has none. */
      readonly primaryGroup: string;
      /** Supplementary groups, sorted, without the primary one. */
      readonly groups: readonly string[];
      readonly comment: string;
      readonly home: string;
      readonly shell: string;
      /** Running processes of the user when it was read. */
      readonly processes: number;
      /** The engine is logged in as this user. */
      readonly self: boolean;
      readonly uidTakenBy?: string;
    };

/**
 * Four processes for all users. Nothing of shadow(5) is read and the password field is left out. The owner of each
 * /proc entry tells who has processes.
 */
const FUNCTION: Sh = {
  kind: 'sh',
  text: `doaas_users() { # NAME:KEY:UID ...
  doaas_list passwd "$@"
  { printf '%s\\n:\\n' "$doaas_entries"; getent group; echo :; stat -c %u /proc/[0-9]*; } 2>/dev/null |
  awk -F: -v want="$*" -v self="\${SUDO_UID:-$(id -u)}" '
  BEGIN { n = split(want, w, " "); part = 1 }
  $0 == ":" { part++; next }
  part == 1 && !($1 in uid) {
    uid[$1] = $3; gid[$1] = $4; rest[$1] = $3 ":" $4 ":" $5 ":" $6 ":" $7; if (!($3 in name)) name[$3] = $1
  }
  part == 2 && !($1 in ggid) {
    ggid[$1] = $3; if (!($3 in gname)) gname[$3] = $1
    m = split($4, u, ","); for (j = 1; j <= m; j++) in_groups[u[j]] = in_groups[u[j]] " " $1
  }
  part == 3 { running[$1]++ }
  function groups_of(user,   m, g, i, j, t, out) {
    m = split(in_groups[user], g, " ")
    for (i = 2; i <= m; i++) for (j = i; j > 1 && g[j] < g[j - 1]; j--) { t = g[j]; g[j] = g[j - 1]; g[j - 1] = t }
    for (i = 1; i <= m; i++) if (ggid[g[i]] != gid[user]) out = out (out == "" ? "" : ",") g[i]
    return out
  }
  END {
    for (i = 1; i <= n; i++) {
      split(w[i], q, ":"); print "= " q[2]; k = q[1]
      if (k in uid) {
        print "user " rest[k]; print "groups " groups_of(k)
        print "~ primary " ((gid[k] in gname) ? gname[gid[k]] : gid[k]); print "~ processes " (running[uid[k]] + 0)
        if (uid[k] == self) print "~ self yes"
      } else print "absent"
      if (q[3] != "" && (q[3] in name) && name[q[3]] != k) print "~ taken " name[q[3]]
    }
  }'
}`,
};

export const userFact: Fact<UserQuery, UserState> = {
  fact: 'user',
  read: (queries) =>
    lines(
      LIST,
      FUNCTION,
      accountQueries(sh`doaas_users`, queries, (query) => query.uid),
    ),
  parse: (output, query) => parseUser(output, query),
};

function parseUser(output: readonly string[], query: UserQuery): UserState {
  const taken = informational(output, 'taken');
  const other = taken === undefined ? {} : { uidTakenBy: taken };
  const first = output[0] ?? '';
  if (first === 'absent') return { present: false, ...other };
  const [uid = '', gid = '', comment = '', home = '', shell = ''] = first.replace(/^user /, '').split(':');
  if (!first.startsWith('user ') || !/^\d+$/.test(uid) || !/^\d+$/.test(gid))
    throw new FactError(`the host answered a state of the user ${query.key} that is not understood`);
  return {
    present: true,
    uid: Number(uid),
    gid: Number(gid),
    primaryGroup: informational(output, 'primary') ?? gid,
    groups: groupsOf(output),
    comment,
    home,
    shell,
    processes: Number(informational(output, 'processes') ?? '0'),
    self: informational(output, 'self') === 'yes',
    ...other,
  };
}

function groupsOf(output: readonly string[]): readonly string[] {
  const line = output.find((l) => l.startsWith('groups ')) ?? '';
  return line
    .slice('groups '.length)
    .split(',')
    .filter((name) => name !== '');
}
