import type { Readings } from '../../facts/fact.ts';
import { packageFact } from '../../facts/package.ts';
import { transactionOf } from '../along.ts';

/** Packages, of Debian or their makers, that need something of the host which a control would take. */
export interface Needers {
  /** Their programs are seen by the survey once they are there, so they count also where they only come along. */
  readonly seen: readonly string[];
  /** Only a document tells of them before they are set up. */
  readonly told: readonly string[];
}

/** They forward packets for containers, virtual machines or a VPN; `facts/surveyScript.ts` looks for the same ones. */
export const ROUTING: Needers = {
  seen: [
    'containerd',
    'containerd.io',
    'docker-ce',
    'docker.io',
    'incus',
    'incus-base',
    'k3s',
    'kubelet',
    'libvirt-daemon',
    'lxd',
    'moby-engine',
    'podman',
  ],
  told: ['libvirt-daemon-system', 'openvpn', 'strongswan', 'tailscale', 'wireguard', 'wireguard-tools'],
};

/** They make user namespaces without root. */
export const ROOTLESS: Needers = {
  seen: ['bubblewrap', 'chromium', 'docker-ce-rootless-extras', 'flatpak', 'podman', 'uidmap'],
  told: ['buildah', 'rootlesskit'],
};

/**
 * Of these packages, those that any document of the host wants, or that come along. The survey sees only what is there already,
 * and a Configuration may bring them in the same plan.
 */
export function wantedOf({ seen, told }: Needers, readings: Readings): readonly string[] {
  const wanted = new Set(
    [...readings.values()].flatMap(({ query }) =>
      query.fact === packageFact.fact && 'want' in query && query.want === 'present' ? [bare(query.key)] : [],
    ),
  );
  const along = new Set(transactionOf(readings).installs.map(bare));
  return [
    ...seen.filter((name) => wanted.has(name) || along.has(name)),
    ...told.filter((name) => wanted.has(name)),
  ];
}

/** Without the architecture. */
function bare(name: string): string {
  return name.replace(/:.*$/, '');
}
