import { spawnSync } from 'node:child_process';
import { FactError } from '../../../engine/facts/fact.ts';
import { facts } from '../../../engine/facts/registry.ts';
import { command, lines, type Sh, sh } from '../../../engine/shell/sh.ts';
import { HOSTILE, mutateBytes } from '../mutate.ts';
import { hold, type Target } from '../target.ts';

/** A command line holds more, but not much. Bytes. */
const WORDS_MAX = 100_000;
const TIMEOUT_MS = 10_000;

/** Words that stand for what documents, comments and hosts say, one in a line. */
export const shell: Target = {
  name: 'shell',
  about: 'words of strangers in scripts for hosts',
  seeds: () =>
    ['/etc/motd\nnginx\nweb-1', "it's\n$(canary)\n`canary`\n;canary\n-n\n*", 'net.ipv4.ip_forward'].map(
      (text) => Buffer.from(text),
    ),
  mutate: mutateBytes([...HOSTILE, 'canary', '$(canary)', '\ncanary\n', 'EOF', '\\\n', "'\\''"]),
  check: (input) => {
    const words = input.subarray(0, WORDS_MAX).toString('utf8').replaceAll('\0', '').split('\n');
    const script = lines(
      CANARY,
      command(['printf', '%s\\n', '=', ...words]),
      sh`set -- ${words}; printf '%s\n' "$#"`,
      ...words.slice(0, 5).flatMap(reading),
    );
    const { stdout, status, stderr } = run(script);
    hold(!stdout.includes('THE CANARY SINGS'), 'a word was run as code');
    hold(
      stdout.startsWith(`=\n${words.join('\n')}\n${words.length}\n`),
      `other words arrived (${status}): ${stderr.slice(0, 200)}`,
    );
    hold(stdout.endsWith('\nthe end\n'), `a word ended the script (${status}): ${stderr.slice(0, 200)}`);
  },
  secondsMax: 5,
};

const CANARY: Sh = { kind: 'sh', text: "canary() { echo 'THE CANARY SINGS'; }" };

/** The reading of each fact with this key. Nothing but builtins is found, so it reads next to nothing. */
function reading(key: string): readonly Sh[] {
  return Object.keys(facts).flatMap((fact) => {
    try {
      return facts[fact]?.read([{ fact, key }]) ?? [];
    } catch (error) {
      if (error instanceof FactError) return [];
      throw error;
    }
  });
}

/** A shell that finds no command at all, so that whatever a word says is harmless. */
function run(script: Sh) {
  const text = `${script.text}\necho; echo 'the end'\n`;
  return spawnSync('/bin/sh', [], {
    input: text,
    env: { PATH: '/nonexistent' },
    cwd: '/',
    timeout: TIMEOUT_MS,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}
