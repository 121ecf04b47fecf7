import { expect, test } from 'vitest';
import { useTestHost } from '../operations/testing/cycle.ts';
import { readTraces } from './traces.ts';

const t = useTestHost();

const SUDOERS = '/etc/sudoers.d/of-a-test';
const CANARY = 'canary-value-7c2e';

/** What is told of a file that somebody writes with these options of sudo, under these lines of sudoers. */
async function told(name: string, options: string, sudoers: string): Promise<readonly string[]> {
  const path = `/srv/${name}`;
  await t.outside(`printf '${sudoers}\\n' > ${SUDOERS} && chmod 440 ${SUDOERS} && visudo -cq
    runuser -u deploy -- sh -c 'cd /tmp && sudo -n ${options} tee ${path} < /dev/null' || touch ${path}
    rm ${SUDOERS}; journalctl --sync`);
  const traces = await t.harness().session((session) => readTraces(session, [`path:${path}`]));
  const said = traces.flatMap((trace) => trace.said);
  expect(said.join()).not.toContain(CANARY);
  return said
    .filter((sentence) => sentence.endsWith(path))
    .map((sentence) => sentence.replace(/ at .* UTC/, ''));
}

test.each([
  ['plain', '', ''],
  ['group', '-u root -g adm', ''],
  ['environment', `WORD="${CANARY} ; USER=mallory"`, ''],
  ['recorded', '', 'Defaults log_output'],
  ['elsewhere', '-R / -D /srv', 'Defaults runcwd=*, runchroot=*'],
  [
    'all',
    `-R / -D /srv -u root -g adm WORD=${CANARY}`,
    'Defaults log_output, log_host, log_year, runcwd=*, runchroot=*',
  ],
])('who changed a file is told however sudo was asked and set: %s', { timeout: 60_000 }, async (...asked) => {
  expect(await told(...asked)).toEqual([`deploy ran with sudo as root: tee /srv/${asked[0]}`]);
});

test.each([
  ['not-allowed', '', 'deploy ALL=(ALL) NOPASSWD: ALL, !/usr/bin/tee'],
  ['without-password', '', 'deploy ALL=(ALL) PASSWD: /usr/bin/tee'],
])('a command that sudo refused has changed nothing: %s', { timeout: 60_000 }, async (...asked) => {
  expect(await told(...asked)).toEqual([]);
});
