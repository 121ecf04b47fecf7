/** sha256 of nothing, which stands where no key is known. */
const NO_KEY = 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU';

/**
 * All that one machine is recognised by: the identity as it is (`ADDRESS:PORT SHA256:... SHA256:...`), and each of its keys,
 * whatever name it is reached by. An address alone says little: private ones repeat from site to site.
 */
export function namesOf(identity: string): readonly string[] {
  const [, ...keys] = identity.split(' ');
  return [identity, ...keys.filter((key) => key !== NO_KEY)];
}

/** Pure. Whether two identities are of one machine: they have a host key in common. */
export function isSameMachine(one: string, other: string): boolean {
  const names = namesOf(one);
  return namesOf(other).some((name) => names.includes(name));
}

/** What is kept of a machine, be it under another of its identities. */
export function keptOf<T>(kept: ReadonlyMap<string, T>, identity: string): T | undefined {
  return kept.get(identity) ?? [...kept].find(([other]) => isSameMachine(other, identity))?.[1];
}
