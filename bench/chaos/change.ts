import type { LabHost } from '../../lab/hosts.ts';
import { configuration } from '../../test/yaml.ts';
import type { Mode } from './trial.ts';

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
  /** Of the run. */
  readonly name: string;
  readonly packaged: boolean;
}

/** A file, a service that it restarts, an effect that is no file, and a package; with a probe that cannot pass for a rollback. */
export function changeOf({ name, packaged }: Wanted, mode: Mode): string {
  return configuration('chaos', {
    packages: { [PACKAGE]: packaged ? {} : { state: 'absent' } },
    files: { [CONTENT]: { content: `${name}\n`, notify: { restart: ['counted.service'] } } },
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
  /** apt's own record of changes of the package. */
  readonly transactions: number;
  readonly content: string;
  readonly packaged: boolean;
  readonly active: boolean;
}

export async function count(host: LabHost, name: string): Promise<Counted> {
  const { stdout } = await host.exec(`touch ${EFFECTS_LOG} ${STARTS_LOG}
grep -cx 'apply ${name}' ${EFFECTS_LOG}; grep -cx 'undo ${name}' ${EFFECTS_LOG}
wc -l < ${STARTS_LOG}
cat /var/log/apt/history.log 2>/dev/null | grep -cE '^(Install|Remove|Purge): ${PACKAGE}:'
dpkg-query -W -f '\${db:Status-Status}\\n' ${PACKAGE} 2>/dev/null | grep -cx installed
systemctl is-active counted.service
cat ${CONTENT} 2>/dev/null`);
  const [applied, undone, starts, transactions, installed, active, ...content] = stdout.split('\n');
  return {
    applied: Number(applied),
    undone: Number(undone),
    starts: Number(starts),
    transactions: Number(transactions),
    content: content.join('\n').trim(),
    packaged: installed === '1',
    active: active === 'active',
  };
}
