import { hostKeyOf } from '../../test/hostKey.ts';
import { checkRepository, errorsByOwnPolicy } from './check.ts';
import type { ResolvedConfiguration } from './configuration.ts';
import type { SpecError } from './manifest.ts';
import type { ResolvedHost, ResolvedServer } from './resolution.ts';

/** A public host key, for documents in tests. */
export const HOST_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH06WnZCSHKuU7UQTeChTjrQvzxul1UESBDTxhzvxJOe';

/** How a host is reached, where a test says nothing else. */
export const SERVER: ResolvedServer = {
  name: 'web-1',
  address: '10.0.0.5',
  port: 22,
  user: 'deploy',
  become: 'sudo',
  site: 'default',
  hostKeys: [],
  labels: {},
};

export function repository(
  files: Readonly<Record<string, string | Uint8Array>>,
): ReadonlyMap<string, Uint8Array> {
  const encode = (content: string | Uint8Array) =>
    typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return new Map(Object.entries(files).map(([path, content]) => [path, encode(content)]));
}

/** `file:line:column sentence`, as the command line prints it. */
export function sentences(errors: readonly SpecError[]): readonly string[] {
  return errors.map(
    ({ position, message }) => `${position.file}:${position.line}:${position.column} ${message}`,
  );
}

/** All errors of a repository as the user reads them. */
export function check(files: Readonly<Record<string, string | Uint8Array>>): readonly string[] {
  return sentences(errorsByOwnPolicy(checkRepository(repository(files))));
}

/** The host's first document, if that is a Configuration. */
export function firstConfiguration(host: ResolvedHost | undefined): ResolvedConfiguration | undefined {
  const document = host?.documents[0];
  return document?.kind === 'Configuration' ? document.spec : undefined;
}

/** A Server document in one line; `more` is put into its spec. */
export function server(name: string, labels = '{}', more = ''): string {
  return (
    `{apiVersion: doaas/v1, kind: Server, metadata: {name: ${name}, labels: ${labels}}, ` +
    `spec: {address: ${name}.test, hostKey: ${hostKeyOf(name)}${more === '' ? '' : `, ${more}`}}}\n`
  );
}

/** A Configuration whose spec begins in line 4; `spec` is indented by two spaces. */
export function configuration(name: string, spec: string, head = ''): string {
  return `apiVersion: doaas/v1\nkind: Configuration\nmetadata: {name: ${name}}\n${head}spec:\n${spec}`;
}

/** Text of a document whose targets are all servers. */
export function forAll(kind: string, name: string, spec: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    apiVersion: 'doaas/v1',
    kind,
    metadata: { name },
    spec: { targets: { all: true }, ...spec },
  });
}
