import { expect, test } from 'vitest';
import { sshdFact } from './sshd.ts';

/** Of `sshd -T`, by its settings. */
const portsOf = (...settings: readonly string[]) => {
  const state = sshdFact.parse(
    settings.map((line) => `~ set ${line}`),
    { fact: 'sshd', key: 'all' },
  );
  return state.present && 'ports' in state ? state.ports : undefined;
};

test('sshd listens where its addresses say, whatever its keyword Port does', () => {
  expect(portsOf('port 22', 'listenaddress [::]:22', 'listenaddress 0.0.0.0:22')).toEqual([22]);
  expect(
    portsOf('port 2222', 'port 22', 'listenaddress [::]:2222', 'listenaddress 0.0.0.0:22 rdomain vrf-1'),
  ).toEqual([22, 2222]);
  expect(portsOf('port 22', 'listenaddress 10.0.0.1:2200')).toEqual([2200]);
  expect(portsOf('port 22', 'permitrootlogin no:99')).toEqual([]);
});

test('of lines in files the first counts, and the folder is read before sshd_config', () => {
  const state = sshdFact.parse(
    [
      '~ line loglevel /etc/ssh/sshd_config INFO',
      '~ line maxauthtries /etc/ssh/sshd_config 2',
      '~ line maxauthtries /etc/ssh/sshd_config.d/a.conf 3',
    ],
    { fact: 'sshd', key: 'all' },
  );
  expect(state.present && 'lines' in state ? state.lines : undefined).toEqual([
    { keyword: 'maxauthtries', file: '/etc/ssh/sshd_config.d/a.conf', value: '3' },
    { keyword: 'loglevel', file: '/etc/ssh/sshd_config', value: 'INFO' },
    { keyword: 'maxauthtries', file: '/etc/ssh/sshd_config', value: '2' },
  ]);
});
