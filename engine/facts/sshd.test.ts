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
