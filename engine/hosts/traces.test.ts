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
      said: ['ann ran with sudo as root at 2026-11-23 05:59 UTC: /usr/bin/tee /etc/motd'],
    },
    {
      item: 'package:tree',
      said: ["ann (1000) ran at 2026-11-23  07:59:10 (the server's time): apt-get install tree"],
    },
  ]);
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
