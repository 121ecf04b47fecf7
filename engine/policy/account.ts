/** An account of GitHub. The id stays when it is renamed; it is missing where GitHub did not say it. */
export interface Account {
  readonly login: string;
  readonly id?: number | undefined;
}

/** By id where both are known, so that whoever takes a given-up name is not taken for its former owner. */
export function sameAccount(a: Account, b: Account): boolean {
  if (a.id !== undefined && b.id !== undefined) return a.id === b.id;
  return a.login.toLowerCase() === b.login.toLowerCase();
}

/** `login` or `login#id`, as a policy names people. */
export function namedAccount(text: string): Account {
  const [login = '', id] = text.split('#');
  return id === undefined ? { login } : { login, id: Number(id) };
}

/** Whether a policy's name means this account. A name with an id means that id alone, never the name. */
export function means(name: string, account: Account): boolean {
  const named = namedAccount(name);
  if (named.id !== undefined) return named.id === account.id;
  return named.login.toLowerCase() === account.login.toLowerCase();
}
