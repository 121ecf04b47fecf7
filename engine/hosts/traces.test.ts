import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTraces, tracesScript } from './traces.ts';

test('sudo and apt are told as sentences, by the item they are about', () => {
  const output = [
    '= path%3A%2Fetc%2Fmotd',
    '1795413564.509123 web-1 sudo[123]:   ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/tee /etc/motd',
    'noise',
    '= path%3A%2Fetc%2Fissue',
    '= package%3Atree',
    'Start-Date: 2026-11-23  07:59:10',
    'Commandline: apt-get install tree',
    'Requested-By: ann (1000)',
  ].join('\n');
  expect(parseTraces(['path:/etc/motd', 'path:/etc/issue', 'package:tree'], output)).toEqual([
    {
      item: 'path:/etc/motd',
      said: ['ann ran with sudo as root at 2026-11-23 05:59 UTC: tee /etc/motd'],
    },
    {
      item: 'package:tree',
      said: ["ann (1000) ran at 2026-11-23  07:59:10 (the server's time): apt-get … tree"],
    },
  ]);
});

const sudo = (command: string): string =>
  `1795413564.509123 web-1 sudo[123]:   ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=${command}`;
const apt = (command: string): string => `Start-Date: 2026-11-23  07:59:10\nCommandline: ${command}`;

test.each([
  ['path:/etc/motd', sudo('/usr/bin/mysql -pHunter2 -h db'), 'mysql …'],
  ['path:/etc/motd', sudo('/usr/bin/sed -i s/Hunter2/x/ /etc/motd'), 'sed … /etc/motd'],
  ['path:/etc/motd', sudo('/usr/bin/tee /etc/motd Hunter2 /etc/motd'), 'tee /etc/motd … /etc/motd'],
  ['path:/etc/motd', sudo('/usr/bin/cp /etc/motd.Hunter2 /etc/motd=Hunter2'), 'cp …'],
  ['path:/etc/motd', sudo('/root/bin/a|Hunter2'), 'a program'],
  ['path:/etc/motd', sudo('/usr/sbin/reboot'), 'reboot'],
  ['unit:nginx.service', sudo('/usr/bin/systemctl stop nginx'), 'systemctl … nginx'],
  ['unit:nginx.service', sudo('/usr/bin/systemctl stop nginx.service'), 'systemctl … nginx.service'],
  ['user:bob', sudo('/usr/sbin/usermod -p Hunter2 bob'), 'usermod … bob'],
  ['package:tree', apt('apt-get -o Acquire::http::Proxy=http://a:Hunter2@b install tree'), 'apt-get … tree'],
  ['package:tree', 'Start-Date: Hunter2\nCommandline: apt', undefined],
  ['package:tree', `${apt('apt')}\nRequested-By: Hunter2 is my password`, 'apt'],
])('of a command line about %s no argument is told but the item itself', (item, log, told) => {
  const traces = parseTraces([item], `= ${encodeURIComponent(item)}\n${log}\n`);
  expect(JSON.stringify(traces)).not.toContain('Hunter2');
  expect(traces[0]?.said[0]?.split(': ').at(-1)).toBe(told);
});

/** As sudo 1.9.13 writes them (traces.e2e.test.ts). */
const line = (fields: string): string => `1795786272.443955 host-1 sudo[180]:   deploy : ${fields}`;
const TEE = 'COMMAND=/usr/bin/tee /etc/motd';

test.each([
  `PWD=/tmp ; USER=root ; ${TEE}`,
  `USER=root ; ${TEE}`,
  `PWD=/tmp ; USER=root ; GROUP=adm ; ${TEE}`,
  `PWD=/tmp ; USER=root ; ENV=WORD=Hunter2 ; USER=mallory ; ${TEE}`,
  `PWD=/tmp ; USER=root ; TSID=01 ; ${TEE}`,
  `HOST=host-1 ; TTY=pts/0 ; CHROOT=/ ; PWD=/srv ; USER=root ; GROUP=adm ; TSID=02 ; ENV=WORD=Hunter2 A=b ; ${TEE}`,
  `PWD=/tmp/a ; b ; USER=root ; ${TEE} ; COMMAND=/bin/Hunter2`,
])('whoever ran a command with sudo is told, whatever stands beside it: %s', (fields) => {
  const [trace] = parseTraces(['path:/etc/motd'], `= path%3A%2Fetc%2Fmotd\n${line(fields)}`);
  expect(trace?.said).toHaveLength(1);
  expect(trace?.said[0]).toMatch(
    /^deploy ran with sudo as root at 2026-11-27 \d\d:\d\d UTC: tee \/etc\/motd( …)?$/,
  );
});

test.each([
  `a password is required ; PWD=/tmp ; USER=root ; ${TEE}`,
  `command not allowed ; TTY=pts/0 ; PWD=/tmp ; USER=root ; ${TEE}`,
  `3 incorrect password attempts ; TTY=pts/0 ; PWD=/tmp ; USER=root ; ${TEE}`,
  `(command continued) /etc/motd ; USER=root ; ${TEE}`,
  `PWD=/tmp ; ${TEE}`,
  `PWD=/tmp ; ${TEE} ; USER=root`,
])('what is no command that ran is not told as one: %s', (fields) => {
  expect(parseTraces(['path:/etc/motd'], `= path%3A%2Fetc%2Fmotd\n${line(fields)}`)).toEqual([]);
});

test('whatever a host answers, the answer is bounded and nothing is thrown', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 5000 }), (output) => {
      for (const { said } of parseTraces(['path:/etc/motd'], `= path%3A%2Fetc%2Fmotd\n${output}`)) {
        expect(said.length).toBeLessThanOrEqual(3);
        for (const sentence of said) expect(sentence.length).toBeLessThan(600);
      }
    }),
  );
});

test('a hostile name stays one word', () => {
  expect(tracesScript(["path:/tmp/'; reboot #"]).text).toContain(`paths '/tmp/'\\''; reboot #'`);
});
