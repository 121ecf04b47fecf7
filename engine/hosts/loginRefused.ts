import type { Certificate } from './certificate.ts';
import type { Issuer, Login } from './credentials.ts';
import { HostError } from './host-error.ts';
import { fingerprint } from './host-key.ts';
import { describeTarget, type HostTarget } from './target.ts';

/** What a host was offered. */
export interface Offer {
  readonly login: Login;
  readonly certificate: Certificate | undefined;
}

/** Says what was offered and what to look at there; sshd tells its reason only to its own log. */
export function loginRefused(target: HostTarget, { login, certificate }: Offer, cause: Error): HostError {
  const { keys, agentSocket, issuer } = login;
  const certified = issuer === undefined || certificate === undefined ? [] : [said(issuer, certificate)];
  const plain = [
    ...keys.map((key) => `${key.type} ${fingerprint(key.getPublicSSH())}`),
    ...(agentSocket === undefined ? [] : ['the agent']),
  ];
  const advice = [
    ...(certified.length === 0 ? [] : [certificateAdvice(target)]),
    ...(plain.length === 0 ? [] : [keyAdvice(target)]),
  ];
  const text = `${describeTarget(target)} refused the login (offered: ${[...certified, ...plain].join(', ')}). ${advice.join(' ')}`;
  return new HostError('auth-failed', target.name, text, { cause });
}

function keyAdvice({ user }: HostTarget): string {
  return `Add the public key to ~${user}/.ssh/authorized_keys there, and check that user and key are right.`;
}

function certificateAdvice({ user }: HostTarget): string {
  return `For the certificate, check there: TrustedUserCAKeys in sshd_config names a file with this CA's public key; the clock is within that time (date -u); AuthorizedPrincipalsFile, if set, lists ${user}; DOAAS_SSH_CERTIFICATE_SOURCES, if set here, has the address that it is reached from. Its own reason is in its log (journalctl -u ssh).`;
}

function said({ authority }: Issuer, { principal, validAfter, validBefore }: Certificate): string {
  const [from, to] = [validAfter, validBefore].map((at) =>
    new Date(at * 1000).toISOString().replace('.000Z', 'Z'),
  );
  return `a certificate for ${principal}, valid ${from} to ${to}, signed by the CA ${authority.type} ${fingerprint(authority.publicKey)}`;
}
