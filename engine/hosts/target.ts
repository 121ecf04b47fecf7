/** A machine and how to reach it. Everything that decides where bytes go is part of `targetKey`. */
export interface HostTarget {
  /** Name of the `Server` document, for messages. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Pinned keys as in known_hosts without the host: `ssh-ed25519 AAAA...`. Empty: every connection is refused. */
  readonly hostKeys: readonly string[];
  /** Where the key is not pinned but known since the machine first showed it: when that was, ISO. */
  readonly firstSeen?: string;
  readonly become: 'none' | 'sudo';
  readonly site: string;
  /** Reached through this machine, which is verified by its own pinned keys. */
  readonly jump?: HostTarget;
}

/** Equal for targets that may share one connection. */
export function targetKey(target: HostTarget): string {
  const { address, port, user, hostKeys, jump } = target;
  return JSON.stringify([
    address,
    port,
    user,
    [...hostKeys].sort(),
    jump === undefined ? null : targetKey(jump),
  ]);
}

/** `web-1 (deploy@10.0.0.5:22)` */
export function describeTarget(target: HostTarget): string {
  const via = target.jump === undefined ? '' : ` through ${target.jump.name}`;
  return `${target.name} (${target.user}@${target.address}:${target.port}${via})`;
}

/** Root needs no sudo, whatever the document says. */
export function needsSudo(target: HostTarget, become: boolean | undefined): boolean {
  return target.become === 'sudo' && target.user !== 'root' && become !== false;
}
