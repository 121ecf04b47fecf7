import { MECHANISMS, type Mechanism } from './mechanisms.ts';
import type { Strike } from './strikes.ts';

export interface Attempt {
  readonly n: number;
  readonly mechanism: Mechanism;
  readonly strike: Strike;
}

/** Mechanisms that meet an accident besides. */
const STRUCK: readonly (readonly [Strike, readonly Mechanism[]])[] = [
  [
    'engine killed',
    [
      'sshd on another port',
      'AllowUsers without the login',
      'shell is nologin',
      'keys emptied',
      'sudoers rule removed',
      'PAM denies sshd',
      'nft drops all',
      'openssh-client removed, and sshd with it',
    ],
  ],
  [
    'power lost',
    [
      'sshd on loopback only',
      'key replaced by another',
      'sudoers with a syntax error',
      'nft closes the port',
      '/etc/nologin',
      'a Firewall for another engine',
      'openssh-client removed, and sshd with it',
    ],
  ],
  [
    'restarted',
    ['DenyUsers with the login', 'nft drops all', 'ssh.service stopped and disabled', 'host keys removed'],
  ],
  ['power lost midway', ['AllowUsers without the login', 'nft drops all']],
  ['runner killed', ['PAM denies sudo', 'sshd on another port']],
  ['archive gone', ['openssh-client removed, and sshd with it', 'a library of sshd removed']],
];

const PAIRS: readonly (readonly [Strike, Mechanism])[] = [
  ...(Object.keys(MECHANISMS) as Mechanism[]).map((mechanism) => ['none', mechanism] as const),
  ...STRUCK.flatMap(([strike, mechanisms]) => mechanisms.map((mechanism) => [strike, mechanism] as const)),
];

export const ATTEMPTS: readonly Attempt[] = PAIRS.map(([strike, mechanism], i) => ({
  n: i + 1,
  mechanism,
  strike,
}));
