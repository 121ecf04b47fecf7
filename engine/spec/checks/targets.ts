import {
  errorAt,
  errorsOf,
  isServer,
  isTargeting,
  type ServerDocument,
  type TargetingDocument,
  targetsServer,
} from '../documents.ts';
import type { BrokenDocument } from '../load.ts';
import type { Manifest, SpecError } from '../manifest.ts';
import { didYouMean } from '../nearest.ts';
import type { Targets } from '../types.generated.ts';

/** `targets` says one thing, and some server matches. */
export function checkTargets(manifest: Manifest, broken: readonly BrokenDocument[]): readonly SpecError[] {
  const servers = manifest.documents.filter(isServer);
  const complete = !broken.some((other) => other.kind === '*' || other.kind === 'Server');
  return errorsOf(manifest.documents.filter(isTargeting), (document) =>
    checkOne(document, servers, complete),
  );
}

function checkOne(
  document: TargetingDocument,
  servers: readonly ServerDocument[],
  complete: boolean,
): readonly SpecError[] {
  const { targets } = document.spec;
  const error = (message: string) => [errorAt(document, 'wrong-targets', '/spec/targets', message)];
  if (Object.keys(targets).length !== 1) {
    return error('"targets" must have exactly one of hosts, labels and all.');
  }
  if (targets.labels && Object.keys(targets.labels).length === 0) {
    return error('"labels" of targets names no label; for every server write "all: true".');
  }
  if (!complete || targets.hosts || servers.some((server) => targetsServer(targets, server))) return [];
  if (targets.all)
    return error('"targets" means all servers, but the repository declares none; add a Server document.');
  return error(noServer(targets.labels ?? {}, servers));
}

/** What is wrong with a selector of other servers within a spec: it names one that is not there, or means none. */
export function checkSelector(
  { labels, hosts = [] }: Targets,
  servers: readonly ServerDocument[],
): string | undefined {
  const names = servers.map(({ metadata }) => metadata.name);
  const unknown = hosts.find((name) => !names.includes(name));
  if (unknown !== undefined)
    return `There is no Server with the name ${JSON.stringify(unknown)}${didYouMean(unknown, names)}`;
  if (labels === undefined) return undefined;
  if (Object.keys(labels).length === 0) return '"labels" names no label, so no server is meant.';
  const meant = servers.some((server) => targetsServer({ labels }, server));
  return meant ? undefined : noServer(labels, servers);
}

function noServer(labels: Readonly<Record<string, string>>, servers: readonly ServerDocument[]): string {
  return `No server has the labels ${labelText(labels)}${suggestion(labels, servers)}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ');
}

/** The nearest label that some server does have, for the first wanted one that none has. */
function suggestion(wanted: Readonly<Record<string, string>>, servers: readonly ServerDocument[]): string {
  const present = new Set(
    servers.flatMap((server) =>
      Object.entries(server.metadata.labels).map(([name, value]) => `${name}: ${value}`),
    ),
  );
  const missing = Object.entries(wanted)
    .map(([name, value]) => `${name}: ${value}`)
    .find((label) => !present.has(label));
  return missing === undefined ? ' all together.' : didYouMean(missing, present);
}
