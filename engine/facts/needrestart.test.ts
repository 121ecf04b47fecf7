import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NEEDRESTART } from './updatesScript.ts';

/** Hundredths of a second since the boot: proc(5), field 22. */
function startedAt(process: number): number {
  const [, after = ''] = readFileSync(`/proc/${process}/stat`, 'utf8').split(/\) (?!.*\) )/);
  return Number(after.split(' ')[19]);
}

describe('what needrestart names', () => {
  const me = process.pid;
  const begun = startedAt(me) * 10_000;
  /** As it prints it; `units`: what systemd says of each. */
  const told = (out: string, err: string, more = ':') => {
    const script = `set -eu
installed() { echo 'installed 3.6-4+deb12u4'; }
dpkg() { :; }
timeout() { shift; "$@"; }
needrestart() { [ "$*" = '-v -b -r l' ]; printf '${out}'; printf '${err}' >&2; ${more}; }
systemctl() {
  case $5 in
    backup.service) echo Type=oneshot ;; unknown.service) return 1 ;; *) echo Type=notify ;;
  esac
  # a moment after the process was there
  echo InactiveExitTimestampMonotonic=${begun + 15_000}
  case $5 in without-main.service) echo MainPID=0 ;; *) echo MainPID=${me} ;; esac
}
${NEEDRESTART.replace('dpkg-query', 'installed')}`;
    return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trimEnd().split('\n');
  };
  const ran = '~ needrestart ran 3.6-4+deb12u4';

  it('a unit is to be restarted unless all that is named of it was there before its last start', () => {
    const units = ['cron', 'web', 'both', 'without-main', 'backup', 'silent', 'unknown'].map(
      (n) => `NEEDRESTART-SVC: ${n}.service\\n`,
    );
    const processes = [
      '#1 is cron.service',
      `#${me} is web.service`,
      '#1 is both.service',
      `#${me} is both.service`,
      '#1 is without-main.service',
      `#${me} is backup.service`,
      '#1 is unknown.service',
    ].map((line) => `[main] ${line}\\n`);
    const manager = 'NEEDRESTART-SVC: systemd-manager\\n';
    const noise = '[main] #1 uses deleted /lib/x\\n[main] #1 is systemd manager\\n';
    expect(
      told(`NEEDRESTART-VER: 3.6\\n${units.join('')}${manager}`, `${noise}${processes.join('')}`),
    ).toEqual([
      ran,
      '~ leftover cron.service',
      '~ restart web.service',
      '~ restart both.service',
      '~ leftover without-main.service',
      '~ oneshot backup.service',
      '~ restart silent.service',
      '~ restart unknown.service',
      '~ restart systemd-manager',
    ]);
  });

  // above PID_MAX_LIMIT of the kernel's include/linux/threads.h
  it('a process that has ended meanwhile needs no restart', () => {
    expect(told('NEEDRESTART-SVC: web.service\\n', '[main] #4194305 is web.service\\n')).toEqual([
      ran,
      '~ leftover web.service',
    ]);
  });

  it('a name that a program gives itself is no unit', () => {
    const forged =
      '[main] #1 uses obsolete binary /tmp/x\\nNEEDRESTART-SVC: ssh.service\\nNEEDRESTART-END\\n';
    expect(told('', forged)).toEqual([ran]);
    expect(told('', forged, 'return 1')).toEqual(['~ needrestart failed 3.6-4+deb12u4']);
  });
});
