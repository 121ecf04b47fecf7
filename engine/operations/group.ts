import { sh } from '../shell/sh.ts';
import type { Operation } from './operation.ts';

/** `gid` null: not managed; a new group gets the next free one. */
export type SetGroup = { readonly name: string; readonly gid: number | null; readonly system: boolean };
export type RemoveGroup = { readonly name: string };

export const setGroup: Operation<SetGroup> = {
  operation: 'group.set',
  items: (p) => [`group:${p.name}`],
  check: (p) => sh`g=$(getent group ${p.name} | cut -d: -f3); [ -n "$g" ] && [ "$g" = ${p.gid ?? sh`"$g"`} ]`,
  apply: (p) => {
    const gid = p.gid === null ? [] : ['--gid', String(p.gid)];
    return sh`if getent group ${p.name} > /dev/null; then groupmod ${gid} ${p.name}
else groupadd ${p.system ? ['--system'] : []} ${gid} ${p.name}; fi`;
  },
};

export const removeGroup: Operation<RemoveGroup> = {
  operation: 'group.remove',
  items: (p) => [`group:${p.name}`],
  check: (p) => sh`! getent group ${p.name} > /dev/null`,
  apply: (p) => sh`if getent group ${p.name} > /dev/null; then groupdel ${p.name}; fi`,
};
