import * as parse from './parsers.ts';
import { optional, withDefault } from './setting.ts';

/** Servers with much memory and many disks take a quarter of an hour to boot. */
const HOST_OUTAGE_SECONDS = 1_200;

/** Long enough to look at the servers, short enough that half a change is not forgotten. */
const CANCEL_SECONDS = 3_600;

/** A login through two jump hosts to a busy server takes seconds; people who were shut out wait no longer than this. */
const CONFIRM_SECONDS = 60;

export const hosts = {
  sshKeyFile: optional(parse.path, {
    name: 'DOAAS_SSH_KEY_FILE',
    group: 'hosts',
    description: 'Private key for the hosts (OpenSSH format, without a passphrase).',
  }),
  sshCaKeyFile: optional(parse.path, {
    name: 'DOAAS_SSH_CA_KEY_FILE',
    group: 'hosts',
    description:
      'Private key of a certificate authority (OpenSSH format, without a passphrase). For each login the engine makes a new key and signs a certificate of five minutes for it; hosts need to know only the authority (docs/security.md). Tried before DOAAS_SSH_KEY_FILE.',
  }),
  sshCertificateSources: optional(parse.addresses, {
    name: 'DOAAS_SSH_CERTIFICATE_SOURCES',
    group: 'hosts',
    description:
      'Addresses and CIDR blocks, with commas, from which hosts accept these certificates: those of the engine, and of jump hosts. Without it, from anywhere.',
  }),
  sshAuthSock: optional(parse.text, {
    name: 'SSH_AUTH_SOCK',
    group: 'hosts',
    description: 'Socket of an ssh-agent; used when DOAAS_SSH_KEY_FILE is not set.',
  }),
  hostOutageSeconds: withDefault(parse.integer(5, 7_200), {
    name: 'DOAAS_HOST_OUTAGE_SECONDS',
    group: 'hosts',
    fallback: String(HOST_OUTAGE_SECONDS),
    description:
      'How long a host may be out of reach in the middle of a run, such as while it reboots, before the run gives up on it.',
  }),
  confirmSeconds: withDefault(parse.integer(5, 600), {
    name: 'DOAAS_CONFIRM_SECONDS',
    group: 'hosts',
    fallback: String(CONFIRM_SECONDS),
    description:
      'Within how long after a change of sshd, sudo, PAM, accounts, the firewall or the network a fresh login must work, or the server takes it back by itself (docs/decisions/0016-confirm-or-revert.md).',
  }),
  cancelDecisionSeconds: withDefault(parse.integer(5, 604_800), {
    name: 'DOAAS_CANCEL_SECONDS',
    group: 'hosts',
    fallback: String(CANCEL_SECONDS),
    description:
      'How long a run that was stopped by /doaas cancel waits for somebody to say what becomes of it, before it is rolled back.',
  }),
} as const;
