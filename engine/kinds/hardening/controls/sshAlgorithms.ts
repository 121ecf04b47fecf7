import type { Control } from '../control.ts';
import { ssh } from './sshControl.ts';

export const sshAlgorithmControls: readonly Control[] = [
  ssh(
    'ssh-ciphers',
    'baseline',
    'high',
    {
      kind: 'ssh-algorithms',
      keyword: 'Ciphers',
      weak: '-cbc|3des|arcfour|blowfish|cast128',
    },
    [
      'No weak ciphers',
      'CBC as SSH uses it tells parts of the text; the others are broken.',
      'CIS 5.1.6, dev-sec ssh-baseline',
    ],
  ),
  ssh(
    'ssh-macs',
    'baseline',
    'medium',
    {
      kind: 'ssh-algorithms',
      keyword: 'MACs',
      weak: 'md5|sha1|ripemd|umac-64|-96',
    },
    [
      'No weak checksums of packets',
      'SHA-1 and MD5, and tags of 64 bits, are too weak.',
      'CIS 5.1.15, dev-sec ssh-baseline',
    ],
    { breaks: ['clients older than OpenSSH 6.2'] },
  ),
  ssh(
    'ssh-key-exchange',
    'baseline',
    'high',
    {
      kind: 'ssh-algorithms',
      keyword: 'KexAlgorithms',
      weak: 'sha1|group1-|gss-',
    },
    [
      'No weak key exchange',
      'SHA-1 and groups of 1024 bits can be computed by those who can pay for it.',
      'CIS 5.1.12, dev-sec ssh-baseline',
    ],
    { breaks: ['clients older than OpenSSH 6.6'] },
  ),
  ssh(
    'ssh-host-key-algorithms',
    'baseline',
    'medium',
    {
      kind: 'ssh-algorithms',
      keyword: 'HostKeyAlgorithms',
      weak: '^ssh-rsa|^ssh-dss|dsa-cert-v00',
    },
    [
      'The server proves itself without SHA-1',
      'Signatures with SHA-1 can be forged.',
      'dev-sec ssh-baseline',
    ],
  ),
];
