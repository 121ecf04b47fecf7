import type { CommandProbe } from '../kinds/kind.ts';
import { command, type Sh, sh } from '../shell/sh.ts';
import { excerpt, HostError } from './host-error.ts';
import type { Attempt } from './probe.ts';
import type { Session } from './session.ts';

/** More output than this is not looked at. */
const OUTPUT_MAX_BYTES = 64 * 1024;

/** Runs the argument vector as the probe's user, with a clean environment, in `/`. */
export async function tryCommand(
  session: Session,
  probe: CommandProbe,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Attempt> {
  const what = `"${excerpt(probe.argv.join(' '))}" as ${probe.user}`;
  const options = {
    timeoutSeconds: timeoutMs / 1000,
    maxOutputBytes: OUTPUT_MAX_BYTES,
    ...(signal === undefined ? {} : { signal }),
  };
  try {
    const result = await session.run(asUser(probe.user, probe.argv), options);
    const ended =
      result.exitCode === null ? `was ended by ${result.signal}` : `ended with ${result.exitCode}`;
    const said = result.stderr.trim() === '' ? '' : `: ${excerpt(result.stderr)}`;
    if (result.exitCode !== probe.exit) {
      return { passed: false, detail: `${what} ${ended}, expected ${probe.exit}${said}` };
    }
    const { contains } = probe;
    if (contains === undefined || result.stdout.includes(contains))
      return { passed: true, detail: `${what} ${ended}` };
    return { passed: false, detail: `${what} ${ended} without "${contains}" in its output` };
  } catch (error) {
    if (!(error instanceof HostError) || error.type !== 'timed-out') throw error;
    return { passed: false, detail: `${what} did not end within ${Math.round(timeoutMs / 100) / 10} s` };
  }
}

/** setpriv, unlike runuser and su, opens no PAM session: nothing is logged and nothing lingers for each try. */
function asUser(user: string, argv: readonly string[]): Sh {
  return sh`cd /
[ "$(id -un)" = ${user} ] && exec env -i PATH="$PATH" LC_ALL=C ${command(argv)}
group=$(id -gn -- ${user}) || exit 126
[ "$(id -u)" = 0 ] || { echo "only root can run it as another user; set become: sudo in the Server document" >&2; exit 126; }
exec env -i PATH="$PATH" LC_ALL=C setpriv --reuid=${user} --regid="$group" --init-groups --no-new-privs -- ${command(argv)}`;
}
