import { limiter } from '../limit.ts';
import { toRepositoryError } from './error.ts';
import { LOCAL_TIMEOUT_MS } from './limits.ts';
import { gitObjects, type Objects } from './objects.ts';
import { type RunGit, runGit } from './runGit.ts';

/** Upper bound of a git process that talks to the remote. */
export const REMOTE_TIMEOUT_MS = 300_000;
/** Git processes of one mirror at one time, beside the one that reads objects. */
export const PROCESSES_MAX = 4;

export interface GitOptions {
  readonly dir: string;
  readonly url: string;
  /** Tests only: lets git read a remote on this machine. */
  readonly allowFileProtocol?: boolean;
  /** Who starts git; default: this process. */
  readonly run?: RunGit;
}

export interface GitCall {
  readonly timeoutMs?: number;
  readonly input?: string;
  /** Sent to the remote in a header; never in arguments, URLs or files. */
  readonly token?: string | undefined;
  /** Author and committer with a fixed time, so that the same commit gets the same id again. */
  readonly identity?: { readonly name: string; readonly email: string; readonly epochSeconds: number };
}

export interface Git {
  readonly text: (args: readonly string[], call?: GitCall) => Promise<string>;
  readonly objects: Objects;
}

/** Git on one bare repository, without anyone's configuration, hooks, prompts or unexpected transports. */
export function gitIn(options: GitOptions): Git {
  const places = limiter(PROCESSES_MAX);
  return {
    text: (args, call = {}) => places(() => guarded(options, args, call)),
    objects: gitObjects(options.dir, environment(options, {}, undefined)),
  };
}

async function guarded(options: GitOptions, args: readonly string[], call: GitCall): Promise<string> {
  const header = call.token === undefined ? undefined : basicAuth(call.token);
  try {
    return await (options.run ?? runGit)({
      dir: options.dir,
      args,
      env: environment(options, call, header),
      timeoutMs: call.timeoutMs ?? LOCAL_TIMEOUT_MS,
      ...(call.input === undefined ? {} : { input: call.input }),
    });
  } catch (error) {
    const secrets = [call.token, header].filter((s) => s !== undefined && s !== '') as string[];
    throw toRepositoryError(error, args[0] ?? '', secrets);
  }
}

function environment(options: GitOptions, call: GitCall, header: string | undefined): Record<string, string> {
  const config: readonly (readonly [string, string])[] = [
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    ...(header === undefined ? [] : [[`http.${new URL(options.url).origin}/.extraHeader`, header] as const]),
  ];
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    HOME: '/nonexistent',
    GIT_DIR: options.dir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: options.allowFileProtocol ? 'https:http:file' : 'https:http',
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([key, value], i) => [
        [`GIT_CONFIG_KEY_${i}`, key],
        [`GIT_CONFIG_VALUE_${i}`, value],
      ]),
    ),
    ...identityVariables(call.identity),
  };
}

function identityVariables(identity: GitCall['identity']): Record<string, string> {
  if (identity === undefined) return {};
  const { name, email } = identity;
  const date = `@${identity.epochSeconds} +0000`;
  const author = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_AUTHOR_DATE: date };
  return { ...author, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email, GIT_COMMITTER_DATE: date };
}

/** How GitHub takes an installation token over git's HTTP. */
function basicAuth(token: string): string {
  return `Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
}
