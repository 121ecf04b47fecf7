import { sh } from '../shell/sh.ts';
import type { Operation } from './operation.ts';
import { PATH_FUNCTIONS } from './path.ts';

/** What reads the file, where it can say beforehand that it will not take it. */
export type ConfigReader = 'sshd' | 'sudo' | 'none';

/** A configuration file whose text the planner made, as from what is there and the settings that are wanted. */
export type WriteConfig = {
  readonly path: string;
  readonly text: string;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  readonly reader: ConfigReader;
};

/**
 * In sshd's configuration the first value counts, so a file that is included first can be proved before it is there
 * by standing before the whole of it (sshd_config(5)).
 */
const ACCEPTED: Readonly<Record<ConfigReader, string>> = {
  sshd: `mkdir -p /run/sshd; cat item /etc/ssh/sshd_config > proof
if ! "$(command -v sshd || echo /usr/sbin/sshd)" -t -f proof > proof.out 2>&1; then cat proof.out >&2; echo "sshd does not take it, so nothing was changed" >&2; exit 1; fi
rm -f proof proof.out`,
  sudo: `if ! visudo -c -q -f item > proof.out 2>&1; then cat proof.out >&2; echo "sudo does not take it, so nothing was changed" >&2; exit 1; fi
rm -f proof.out`,
  none: ':',
};

export const writeConfig: Operation<WriteConfig> = {
  operation: 'config.write',
  library: PATH_FUNCTIONS,
  items: (p) => [`path:${p.path}`],
  check: (p) =>
    sh`[ -f ${p.path} ] && [ ! -L ${p.path} ] && [ "$(stat -c '%a %U %G' -- ${p.path})" = ${`${p.mode.replace(/^0+(?=.)/, '')} ${p.owner} ${p.group}`} ] && printf %s ${p.text} | cmp -s - ${p.path}`,
  apply: (p) => sh`doaas_not_directory ${p.path}; doaas_stage ${p.path}
printf %s ${p.text} > item; chown -- ${`${p.owner}:${p.group}`} item; chmod -- ${p.mode} item
${{ kind: 'sh', text: ACCEPTED[p.reader] }}
doaas_place ${p.path}`,
};
