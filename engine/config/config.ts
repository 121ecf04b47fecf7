import { readFileSync } from 'node:fs';
import type { Setting } from './setting.ts';
import { type SettingKey, settings } from './settings.ts';

type Settings = typeof settings;
type Value<K extends SettingKey> = ReturnType<Settings[K]['parse']>;
type IsSet<K extends SettingKey> = Settings[K]['required'] extends true
  ? true
  : Settings[K]['fallback'] extends string
    ? true
    : false;

/** All settings of a running engine, by the keys of `settings`. Frozen; secrets are of type `Secret`. */
export type Config = { readonly [K in SettingKey]: IsSet<K> extends true ? Value<K> : Value<K> | undefined };

/** For the command line, which needs no GitHub App: what `npm start` requires may be missing here. */
export type LocalConfig = {
  readonly [K in SettingKey]: Settings[K]['fallback'] extends string ? Value<K> : Value<K> | undefined;
};

export type Environment = Readonly<Record<string, string | undefined>>;
export type ReadFile = (path: string) => string;

/** Every problem of the environment at once; each line names the setting and what to do. */
export class ConfigError extends Error {
  readonly type = 'config-invalid';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    const lines = problems.map((problem) => `  - ${problem}`).join('\n');
    super(
      `The engine cannot start; ${problems.length} of its settings must be corrected:\n${lines}\nAll settings: docs/configuration.md`,
    );
    this.problems = problems;
  }
}

/** Reads the environment for `npm start`. Throws `ConfigError`. */
export function loadConfig(env: Environment, readFile: ReadFile = readText): Config {
  return freezeOrThrow<Config>(read(env, readFile, true));
}

/** Reads the environment for the command line. Throws `ConfigError` for wrong settings, not for missing ones. */
export function loadLocalConfig(env: Environment, readFile: ReadFile = readText): LocalConfig {
  return freezeOrThrow<LocalConfig>(read(env, readFile, false));
}

interface Outcome {
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly string[];
}

function freezeOrThrow<T>(outcome: Outcome): T {
  if (outcome.problems.length > 0) throw new ConfigError(outcome.problems);
  return Object.freeze(outcome.values) as T;
}

function read(env: Environment, readFile: ReadFile, requireAll: boolean): Outcome {
  const results = Object.entries(settings).map(
    ([key, setting]) => [key, readSetting(setting, env, readFile, requireAll)] as const,
  );
  const problems = results.flatMap(([, result]) => ('problem' in result ? [result.problem] : []));
  return {
    values: Object.fromEntries(
      results.map(([key, result]) => [key, 'value' in result ? result.value : undefined]),
    ),
    problems: [...problems, ...crossChecks(env)],
  };
}

type Result = { readonly value: unknown } | { readonly problem: string };

function readSetting(
  setting: Setting<unknown>,
  env: Environment,
  readFile: ReadFile,
  requireAll: boolean,
): Result {
  try {
    const given = setting.secret ? secretText(setting, env, readFile) : textOf(env[setting.name]);
    const text = given ?? setting.fallback;
    if (text !== undefined) return { value: setting.parse(text) };
    return setting.required && requireAll ? { problem: missing(setting, env) } : { value: undefined };
  } catch (error) {
    return { problem: wrong(setting, env, error instanceof Error ? error.message : String(error)) };
  }
}

/** Empty means not set, as an env file with `NAME=` says. */
function textOf(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === '' ? undefined : trimmed;
}

function secretText(setting: Setting<unknown>, env: Environment, readFile: ReadFile): string | undefined {
  const direct = textOf(env[setting.name]);
  const file = textOf(env[`${setting.name}_FILE`]);
  if (direct !== undefined && file !== undefined)
    throw new Error(`is set twice; keep it or ${setting.name}_FILE`);
  return (
    direct ??
    (file === undefined ? undefined : textOf(readSecretFile(`${setting.name}_FILE`, file, readFile)))
  );
}

function readSecretFile(name: string, file: string, readFile: ReadFile): string {
  try {
    return readFile(file);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new Error(`the file that ${name} names cannot be read: ${file} (${reason})`);
  }
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}

function missing(setting: Setting<unknown>, env: Environment): string {
  const how = setting.secret ? `Set ${setting.name} or ${setting.name}_FILE.` : `Set ${setting.name}.`;
  const state = env[setting.name] === undefined ? 'is missing' : 'is empty';
  return `${setting.name} ${state}. ${how} ${setting.description}`;
}

/** The value itself is shown only when it is no secret. */
function wrong(setting: Setting<unknown>, env: Environment, reason: string): string {
  const given = setting.secret ? undefined : env[setting.name];
  return `${setting.name}${given === undefined ? '' : ` is ${JSON.stringify(given)}`}: ${reason}. ${setting.description}`;
}

/** Roles of processes that are one of several. */
const APART = ['receiver', 'worker', 'site'];

function crossChecks(env: Environment): readonly string[] {
  const has = (name: string) => textOf(env[name]) !== undefined;
  const hasSecret = (name: string) => has(name) || has(`${name}_FILE`);
  const problems: string[] = [];
  if (has('TEMPORAL_TLS_CERT') !== has('TEMPORAL_TLS_KEY')) {
    problems.push('TEMPORAL_TLS_CERT and TEMPORAL_TLS_KEY belong together. Set both or neither.');
  }
  if (hasSecret('DOAAS_ENCRYPTION_KEY_PREVIOUS') && !hasSecret('DOAAS_ENCRYPTION_KEY')) {
    problems.push(
      'DOAAS_ENCRYPTION_KEY_PREVIOUS is set without DOAAS_ENCRYPTION_KEY. Set the current key too.',
    );
  }
  if (textOf(env.DOAAS_ENCRYPTION_ACCEPT_PLAIN) === 'yes' && !hasSecret('DOAAS_ENCRYPTION_KEY'))
    problems.push(
      'DOAAS_ENCRYPTION_ACCEPT_PLAIN is "yes" without DOAAS_ENCRYPTION_KEY, so nothing is encrypted. Set the key, or unset this.',
    );
  const role = textOf(env.DOAAS_ROLE) ?? '';
  if (APART.includes(role) && !hasSecret('DATABASE_URL')) {
    problems.push(
      `DOAAS_ROLE is "${role}" without DATABASE_URL. Receivers and workers meet in PostgreSQL; set DATABASE_URL for each, or let one process do all.`,
    );
  }
  if (role === 'site' && !has('DOAAS_SITES'))
    problems.push(
      'DOAAS_ROLE is "site" without DOAAS_SITES. Name the sites whose hosts this process reaches.',
    );
  if (role === 'site' && !has('TEMPORAL_ADDRESS'))
    problems.push(
      'DOAAS_ROLE is "site" without TEMPORAL_ADDRESS. It takes its work from the Temporal cluster of the other processes; name that.',
    );
  return problems;
}
