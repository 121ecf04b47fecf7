import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rebootHost, restartPatched } from './patches.ts';

const PATCHES = readFileSync(new URL('./patches.sh', import.meta.url), 'utf8');
const UNITS = readFileSync(new URL('./units.sh', import.meta.url), 'utf8');
const RUNNER = readFileSync(new URL('./runner.sh', import.meta.url), 'utf8').replace(
  /^case "\$\{1:-\}" in[\s\S]*/m,
  '',
);

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'doaas-notes-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** systemd of which a restart gives a unit a new invocation, but for those that fail or do not run. */
const SYSTEMD = `
systemctl() {
  case $1 in
    show) shift; case $* in
      *InvocationID*--value*) cat "$STEP_OF_TEST/id-$5" 2>/dev/null || echo 0 ;;
      *ActiveState*--value*) case $5 in idle*) echo inactive ;; *) echo active ;; esac ;;
      *Job*) echo 0 ;;
      *) printf 'ActiveState=active\\nType=notify\\n' ;;
    esac ;;
    restart) case $3 in bad*) return 1 ;; *) echo 1 > "$STEP_OF_TEST/id-$3" ;; esac ;;
    *) : ;;
  esac
}
journalctl() { :; }
sync() { :; }`;

/** What is told, with the exit code of the script. */
function told(script: string): readonly string[] {
  const text = `set -eu; export LC_ALL=C STEP=${dir} DIR=${dir} STEP_OF_TEST=${dir}
${UNITS}
${PATCHES}
${SYSTEMD}
${script}`;
  try {
    execFileSync('sh', ['-c', text], { stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return [...notes(), 'FAILED'];
  }
  return notes();
}

function notes(): readonly string[] {
  return execFileSync('sh', ['-c', `cat ${dir}/notes 2>/dev/null || :`], { encoding: 'utf8' })
    .split('\n')
    .filter((line, i, all) => line !== '' && all.indexOf(line) === i);
}

describe('what updates tell of their restarts', () => {
  const restart = (named: readonly string[], planned: readonly string[], never: readonly string[] = []) =>
    told(`needrestart_says() { cat <<'EOF'
${named.join('\n')}
EOF
}
${restartPatched.apply({ units: planned, never }).text}
${restartPatched.check({ units: planned, never }).text}`);
  const RAN = '~ needrestart ran 3.6-4+deb12u4';

  it('names the restarted ones, those of odd names too, and why each other one is left', () => {
    const odd = 'doaas-\\x2d\\t@a:b.service';
    expect(
      restart(
        [
          RAN,
          '~ restart web.service',
          `~ restart ${odd}`,
          '~ restart dbus.service',
          '~ restart db@15-main.service',
          '~ restart doaas-pr1-w0-apply.service',
          '~ oneshot backup.service',
        ],
        ['web.service', 'idle.service'],
        ['db.service'],
      ),
    ).toEqual([
      `restarted ${odd}, web.service`,
      'not restarted, as it did not run: idle.service',
      'left for a reboot, as a restart may cut off people or containers: dbus.service',
      'left as they are by restartNever: db@15-main.service',
    ]);
  });

  it('says which restart failed, and which were made before it', () => {
    expect(restart([RAN], ['a.service', 'bad.service', 'c.service'])).toEqual([
      'restarted a.service',
      'restart of bad.service failed',
      'FAILED',
    ]);
  });

  it.each([
    ['failed 3.6-4+deb12u4', 'needrestart failed'],
    ['vulnerable 3.6-4', 'needrestart has known holes and was not run'],
    ['absent', 'needrestart is not there'],
  ])('says that no more is known where needrestart is %s', (is, what) => {
    expect(restart([`~ needrestart ${is}`], ['a.service'])).toEqual([
      'restarted a.service',
      `${what}, so what else still uses what was replaced is not known, and was not restarted`,
    ]);
  });

  it('tells nothing where nothing was to be done', () => {
    expect(restart([RAN], [])).toEqual([]);
  });

  it('counts what would make it longer than is read', () => {
    const names = Array.from({ length: 200 }, (_, i) => `service-with-a-rather-long-name-${i}.service`);
    const [only = '', ...others] = told(`printf '%s\\n' ${names.join(' ')} | tell_names restarted`);
    expect(others).toEqual([]);
    expect(only).toMatch(/^restarted service-with-a-rather-long-name-0\.service, .* and 1\d\d more$/);
    expect(only.length).toBeLessThan(1_500);
    expect(told(`tell "$(head -c 5000 /dev/zero | tr '\\0' x)"`).at(-1)).toHaveLength(1_500);
  });
});

it('tells which services were restarted while packages were updated, not who came, went or logged in', () => {
  const units = (of: Readonly<Record<string, string>>) =>
    Object.entries(of)
      .map(
        ([name, id]) =>
          `InvocationID=${id}\nId=${name}\nActiveState=${id === 'gone' ? 'inactive' : 'active'}\n`,
      )
      .join('\n');
  const before = { 'same.service': 'a', 'ssh.service': 'b', 'went.service': 'c', 'user@0.service': 'd' };
  const after = {
    ...before,
    'ssh.service': 'e',
    'went.service': 'gone',
    'user@0.service': 'f',
    'new.service': 'g',
  };
  const now = (of: Readonly<Record<string, string>>) => `systemctl() { cat <<'UNITS'\n${units(of)}UNITS\n}`;
  const update = `${now(before)}\nnote_running\n${now(after)}\nnote_running`;
  const expected = ['restarted while their packages were updated: ssh.service'];
  expect(told(`${update}\ntell_meanwhile; tell_meanwhile`)).toEqual(expected);
  expect(told(`rm "$STEP/notes"; ${now(after)}\ntell_meanwhile`)).toEqual(expected);
});

describe('what updates tell of a reboot', () => {
  const boot = (script: string) =>
    told(`boot_id() { echo now; }\nkernel_is_new() { :; }\nno_new_failed() { :; }\n${script}`);

  it('is why it was made, also when the server is back and asks for none', () => {
    const check = rebootHost.check({ why: [] }).text;
    expect(
      boot(
        `echo before > "$STEP/boot"; printf 'dbus\\nlinux-image-6.1\\n' > "$STEP/why"\n${check}\n${check}`,
      ),
    ).toEqual(['rebooted, for dbus, linux-image-6.1']);
  });

  it('is that nothing asks for one', () => {
    expect(boot(`reboot_is_required() { return 1; }\n${rebootHost.check({ why: [] }).text}`)).toEqual([
      'not rebooted, as nothing asks for it',
    ]);
  });
});

describe('the journal of an effect', () => {
  /** Runs the effect of step 1, whose check and apply are these, as often as given. */
  const journal = (check: string, apply: string, times = 1) => {
    const run = `${RUNNER}
meta_1() { ID=patch:restart; COUNT=0; LIMIT=60; IMPLICIT=no; }
bounded() { ( export STEP="$S"; set -e; "$2" ); }
check_1() { ${check}; }
apply_1() { ${apply}; }
effect_of_test() { n=1; step 1; mkdir -p "$S"; effect || :; }
JOURNAL=${dir}/journal; : > "$JOURNAL"
${'effect_of_test\n'.repeat(times)}`;
    execFileSync('sh', ['-c', `DIR=${dir}; RUN=t; ${run}`]);
    return readFileSync(join(dir, 'journal'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t').slice(2).join(' ').trim());
  };
  const tell = (text: string) => `echo '${text}' >> "$STEP/notes"`;

  it('tells what the check notes, before the step is done, once however often it is taken up again', () => {
    const check = `[ -e "$STEP/made" ] && ${tell('restarted a, b')}`;
    expect(journal(check, ': > "$STEP/made"', 2)).toEqual([
      'started',
      'note restarted a, b',
      'done',
      'already',
    ]);
  });

  it('tells what begins as something else that was told', () => {
    expect(journal(`${tell('restarted a, b')}; ${tell('restarted a')}`, ':')).toEqual([
      'note restarted a, b',
      'note restarted a',
      'already',
    ]);
  });

  it('tells what an effect noted that has failed', () => {
    expect(journal('false', `${tell('restart of a failed')}; false`)).toEqual([
      'started',
      'note restart of a failed',
      'failed exit 1',
    ]);
  });

  it('reads nothing that a package prints, and no more than is read', () => {
    const many = `i=0; while [ $i -lt 99 ]; do i=$((i + 1)); echo "n$i" >> "$STEP/notes"; done`;
    const lines = journal(`echo 'note: from a package'; ${many}`, ':');
    expect(lines).toHaveLength(21);
    expect(lines.slice(-2)).toEqual(['note n20', 'already']);
  });
});
