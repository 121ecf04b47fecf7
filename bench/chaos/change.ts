import type { LabHost } from '../../lab/hosts.ts';
import { configuration } from '../../test/yaml.ts';
import type { Mode, PackageChange } from './trial.ts';

/** Written on the hosts by the effects themselves, so that each is counted where it happened. */
export const EFFECTS_LOG = '/var/log/chaos-effects.log';
export const STARTS_LOG = '/var/log/chaos-starts.log';
export const PACKAGE = 'tree';
const CONTENT = '/etc/chaos.conf';
const SERVICE = `[Service]
ExecStart=/bin/sh -c 'echo start >> ${STARTS_LOG}; exec sleep infinity'
[Install]
WantedBy=multi-user.target
`;
/** So long that a fault can fall into it. */
const EFFECT_SECONDS = 1;

/** What the repository says after a run. */
export interface Wanted {
  /** Of the run, as `nameOf` makes it. */
  readonly name: string;
  readonly change: PackageChange;
}

/** Names of runs stand in contents, titles and comments; `nameless` takes them out. */
export function nameOf(n: number, kind: 'calm' | 'run', attempt = 1): string {
  return `${kind}-${n}-${attempt}`;
}

export const NAME = /\b(?:calm|run)-\d+-\d+\b/g;

/** The file's content for a run of that name. */
export function contentOf(name: string): string {
  return `${name}\n`;
}

/** A file, a service that it restarts, an effect that is no file, and a package; with a probe that cannot pass for a rollback. */
export function changeOf({ name, change }: Wanted, mode: Mode): string {
  return configuration('chaos', {
    packages: { [PACKAGE]: change === 'install' ? {} : { state: 'absent' } },
    files: { [CONTENT]: { content: contentOf(name), notify: { restart: ['counted.service'] } } },
    units: { 'counted.service': { content: SERVICE, enabled: true, running: true } },
    scripts: {
      effect: {
        check: `[ "$(grep -cx 'apply ${name}' ${EFFECTS_LOG})" -gt "$(grep -cx 'undo ${name}' ${EFFECTS_LOG})" ]`,
        apply: `sleep ${EFFECT_SECONDS}; echo 'apply ${name}' >> ${EFFECTS_LOG}`,
        undo: `sleep ${EFFECT_SECONDS}; echo 'undo ${name}' >> ${EFFECTS_LOG}`,
      },
    },
    probes: mode === 'rollback' ? [{ tcp: 'localhost:81', within: '1s' }] : [{ command: ['true'] }],
  });
}

/** How often each effect has happened on a host, and what is there now. */
export interface Counted {
  readonly applied: number;
  readonly undone: number;
  readonly starts: number;
  /** apt's own record of changes of the package that came about: one that dpkg could not do, as on a full disk, has an `Error:`. */
  readonly transactions: number;
  readonly packaged: boolean;
  readonly active: boolean;
  /** Of the engine, that systemd still knows. */
  readonly units: readonly string[];
}

export async function count(host: LabHost, name: string): Promise<Counted> {
  const { stdout } = await host.exec(`touch ${EFFECTS_LOG} ${STARTS_LOG}
grep -cx 'apply ${name}' ${EFFECTS_LOG}; grep -cx 'undo ${name}' ${EFFECTS_LOG}
wc -l < ${STARTS_LOG}
cat /var/log/apt/history.log 2>/dev/null | awk 'BEGIN { RS = "" } /(^|\\n)(Install|Remove|Purge): ${PACKAGE}:/ && !/\\nError: / { n++ } END { print n + 0 }'
dpkg-query -W -f '\${db:Status-Status}\\n' ${PACKAGE} 2>/dev/null | grep -cx installed
systemctl is-active counted.service
systemctl list-units --all --plain --no-legend 'doaas-*'`);
  const [applied, undone, starts, transactions, installed, active, ...units] = stdout.split('\n');
  return {
    applied: Number(applied),
    undone: Number(undone),
    starts: Number(starts),
    transactions: Number(transactions),
    packaged: installed === '1',
    active: active === 'active',
    units: units.filter((line) => line.trim() !== '').map((line) => line.trim()),
  };
}
