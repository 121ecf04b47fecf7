import type { LabPackage } from '../lab/apt-archive.ts';
import type { LabHost } from '../lab/hosts.ts';

const DAEMON = '/usr/lib/doaas-daemon/daemon';

/** A package whose only file says its version. */
export function library(version: string, more: Partial<LabPackage> = {}): LabPackage {
  return {
    name: 'doaas-lib',
    version,
    files: { 'usr/share/doaas-lib/version': `${version}\n` },
    ...more,
  };
}

/** One whose program is replaced with each version: the old one runs on until its service is restarted. */
export function daemon(version: string, more: Partial<LabPackage> = {}): LabPackage {
  return {
    name: 'doaas-daemon',
    version,
    files: {
      'lib/systemd/system/doaas-daemon.service': `[Unit]\nDescription=test\n[Service]\nExecStart=${DAEMON} infinity\n[Install]\nWantedBy=multi-user.target\n`,
    },
    scripts: {
      postinst: `mkdir -p ${DAEMON.replace('/daemon', '')}; cp --remove-destination /bin/sleep ${DAEMON}
systemctl daemon-reload; systemctl enable -q doaas-daemon; [ -n "$2" ] || systemctl start doaas-daemon`,
      prerm: `if [ "$1" = remove ]; then systemctl disable -q --now doaas-daemon; rm -r ${DAEMON.replace('/daemon', '')}; fi`,
    },
    ...more,
  };
}

/** The fix is not one: it cannot be configured. */
export function broken(version: string): LabPackage {
  return library(version, { scripts: { postinst: 'echo no luck; exit 1' } });
}

/** On all hosts at once; throws with what the first that fails has said. */
export async function onAll(hosts: readonly LabHost[], script: string): Promise<readonly string[]> {
  const results = await Promise.all(hosts.map((host) => host.exec(script)));
  for (const [i, { code, stdout, stderr }] of results.entries())
    if (code !== 0) throw new Error(`${hosts[i]?.name}: ${stdout}\n${stderr}`);
  return results.map(({ stdout }) => stdout.trim());
}

export function versionsOf(hosts: readonly LabHost[], name: string): Promise<readonly string[]> {
  return onAll(hosts, `dpkg-query -W -f '\${Version}' ${name}`);
}

/** When the service of `daemon` was started last, by the boot's clock. */
export function startsOf(hosts: readonly LabHost[]): Promise<readonly string[]> {
  return onAll(hosts, 'systemctl show -p ActiveEnterTimestampMonotonic --value doaas-daemon');
}
