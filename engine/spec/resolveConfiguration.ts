import type {
  Notify,
  Payload,
  ResolvedAptRepository,
  ResolvedConfiguration,
  ResolvedDirectory,
  ResolvedFile,
  ResolvedGroup,
  ResolvedPackage,
  ResolvedScript,
  ResolvedUnit,
  ResolvedUser,
} from './configuration.ts';
import { DEFAULT_SCRIPT_SECONDS, durationSeconds } from './duration.ts';
import { optional } from './optional.ts';
import { childPointer } from './pointer.ts';
import { resolveProbes } from './probes.ts';
import type {
  AptRepositorySource,
  ConfigurationSpec,
  DirectorySource,
  FileSource,
  GroupSource,
  NotifySource,
  PackageSource,
  ScriptSource,
  UnitSource,
  UserSource,
} from './types.generated.ts';

/** Where contents come from while one document is resolved for one host. `pointer` says who asks, for errors. */
export interface Contents {
  readonly inline: (text: string, pointer: string) => Payload;
  readonly source: (path: string, pointer: string) => Payload;
  readonly template: (path: string, pointer: string) => Payload;
  /** Whether the template prints secrets, on this host or another. */
  readonly isSecretive: (template: string) => boolean;
  readonly isArmored: (path: string) => boolean;
}

/** Fills in defaults and replaces contents by payloads. */
export function resolveConfiguration(spec: ConfigurationSpec, contents: Contents): ResolvedConfiguration {
  return {
    aptRepositories: mapValues(spec.aptRepositories, (source, name) => aptRepository(source, name, contents)),
    packages: mapValues(spec.packages, packageOf),
    directories: mapValues(spec.directories, directory),
    files: mapValues(spec.files, (source, path) => file(source, path, contents)),
    groups: mapValues(spec.groups, group),
    users: mapValues(spec.users, user),
    units: mapValues(spec.units, (source, name) => unit(source, name, contents)),
    sysctl: mapValues(spec.sysctl, String),
    hostsEntries: spec.hostsEntries ?? {},
    ...(spec.timezone === undefined ? {} : { timezone: spec.timezone }),
    ...(spec.locale === undefined ? {} : { locale: spec.locale }),
    scripts: mapValues(spec.scripts, script),
    probes: resolveProbes(spec.probes),
  };
}

function mapValues<Source, Value>(
  source: Readonly<Record<string, Source>> | undefined,
  map: (value: Source, key: string) => Value,
): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(source ?? {}).map(([key, value]) => [key, map(value, key)]));
}

function aptRepository(source: AptRepositorySource, name: string, contents: Contents): ResolvedAptRepository {
  return {
    uris: source.uris,
    suites: source.suites,
    components: source.components ?? [],
    architectures: source.architectures ?? [],
    key: contents.source(source.key, `${childPointer('/spec/aptRepositories', name)}/key`),
    armored: contents.isArmored(source.key),
  };
}

function packageOf(source: PackageSource): ResolvedPackage {
  if (source.state === 'absent') return { state: 'absent' };
  return { state: 'present', ...optional('version', source.version), hold: source.hold ?? false };
}

function directory(source: DirectorySource): ResolvedDirectory {
  const notify = notifyOf(source.notify);
  return source.state === 'absent'
    ? { state: 'absent', notify }
    : { state: 'directory', ...ownership(source, '0755'), notify };
}

function file(source: FileSource, path: string, contents: Contents): ResolvedFile {
  const notify = notifyOf(source.notify);
  if (source.linkTo !== undefined) return { state: 'link', linkTo: source.linkTo, notify };
  const content = contentOf(source, childPointer('/spec/files', path), contents);
  return content === undefined
    ? { state: 'absent', notify }
    : { state: 'file', ...ownership(source, defaultMode(source, contents)), content, notify };
}

/** What holds a secret is for its owner only. */
function defaultMode({ template }: FileSource, contents: Contents): string {
  return template !== undefined && contents.isSecretive(template) ? '0600' : '0644';
}

function contentOf(
  source: Pick<FileSource, 'content' | 'source' | 'template'>,
  pointer: string,
  contents: Contents,
): Payload | undefined {
  if (source.content !== undefined) return contents.inline(source.content, `${pointer}/content`);
  if (source.source !== undefined) return contents.source(source.source, `${pointer}/source`);
  if (source.template !== undefined) return contents.template(source.template, `${pointer}/template`);
  return undefined;
}

function ownership(source: DirectorySource, mode: string): { mode: string; owner: string; group: string } {
  return {
    mode: (source.mode ?? mode).padStart(4, '0'),
    owner: source.owner ?? 'root',
    group: source.group ?? 'root',
  };
}

/** A restart reads the new configuration as well, so the same unit is not reloaded too. */
function notifyOf(source: NotifySource = {}): Notify {
  const restart = [...new Set(source.restart)].sort();
  const reload = [...new Set(source.reload)].filter((name) => !restart.includes(name)).sort();
  return { reload, restart };
}

function group(source: GroupSource): ResolvedGroup {
  if (source.state === 'absent') return { state: 'absent' };
  return { state: 'present', ...optional('gid', source.gid), system: source.system ?? false };
}

function user(source: UserSource): ResolvedUser {
  if (source.state === 'absent') return { state: 'absent' };
  return {
    state: 'present',
    ...optional('uid', source.uid),
    ...optional('group', source.group),
    ...optional('groups', source.groups && [...source.groups].sort()),
    ...optional('shell', source.shell),
    ...optional('home', source.home),
    ...optional('comment', source.comment),
    system: source.system ?? false,
    ...optional('authorizedKeys', source.authorizedKeys),
  };
}

function unit(source: UnitSource, name: string, contents: Contents): ResolvedUnit {
  if (source.state === 'absent') return { state: 'absent' };
  return {
    state: 'present',
    ...optional('content', contentOf(source, childPointer('/spec/units', name), contents)),
    ...optional('enabled', source.enabled),
    ...optional('running', source.running),
  };
}

function script(source: ScriptSource): ResolvedScript {
  return {
    check: source.check,
    apply: source.apply,
    ...optional('undo', source.undo),
    timeoutSeconds: source.timeout === undefined ? DEFAULT_SCRIPT_SECONDS : durationSeconds(source.timeout),
  };
}
