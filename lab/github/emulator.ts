import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createEmulator } from 'emulate';
import type { Store, TokenUser } from './rows.ts';

/** `emulate` announces an event: its name, action, payload, and the repository's owner and name. */
export type Dispatch = (
  event: string,
  action: string | undefined,
  payload: unknown,
  owner: string,
  repo?: string,
) => Promise<void>;

interface App {
  readonly fetch: (request: Request) => Promise<Response>;
}

interface Webhooks {
  dispatch: Dispatch;
}

type Register = (
  app: App,
  store: unknown,
  webhooks: Webhooks,
  baseUrl: string,
  tokens: Map<string, TokenUser>,
) => void;

interface Internals {
  readonly githubPlugin: { register: Register };
  readonly getGitHubStore: (store: unknown) => Store;
}

export interface Emulator {
  readonly fetch: (request: Request) => Promise<Response>;
  readonly store: Store;
  readonly tokens: Map<string, TokenUser>;
  readonly close: () => Promise<void>;
}

export interface EmulatorOptions {
  /** Address in the answers' links; must be one of its own per emulator of a process. */
  readonly baseUrl: string;
  readonly seed: Record<string, unknown>;
  readonly onEvent: Dispatch;
}

type Captured = Pick<Emulator, 'fetch' | 'store' | 'tokens'>;
type Capture = (app: App, store: Store, webhooks: Webhooks, tokens: Map<string, TokenUser>) => void;

/** By base URL: the plugin is one object for the whole process, so several labs may start at once. */
const captures = new Map<string, Capture>();

/**
 * Starts `emulate` and takes hold of its store, so that what its HTTP API cannot express (a head moved by a git push,
 * a merge made by git) can be written. See docs/decisions/0003-lab-github.md.
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  let captured: Captured | undefined;
  captures.set(options.baseUrl, (app, store, webhooks, tokens) => {
    webhooks.dispatch = options.onEvent;
    captured = { fetch: app.fetch, store, tokens };
  });
  try {
    const emulator = await createEmulator({
      service: 'github',
      port: 0,
      baseUrl: options.baseUrl,
      seed: options.seed,
    });
    if (captured === undefined) throw new Error('emulate did not register its GitHub: check its version');
    return { ...captured, close: async () => void (await emulator.close()) };
  } finally {
    captures.delete(options.baseUrl);
  }
}

async function captureStores(): Promise<void> {
  const folder = dirname(fileURLToPath(import.meta.resolve('emulate')));
  const file = readdirSync(folder).find(
    (name) => name.endsWith('.js') && readFileSync(join(folder, name), 'utf8').includes('  githubPlugin,\n'),
  );
  if (file === undefined) throw new Error('emulate holds no githubPlugin: the lab needs emulate 0.12.2');
  const loaded: Internals = await import(pathToFileURL(join(folder, file)).href);
  const register = loaded.githubPlugin.register;
  loaded.githubPlugin.register = (app, store, webhooks, baseUrl, tokens) => {
    register(app, store, webhooks, baseUrl, tokens);
    captures.get(baseUrl)?.(app, loaded.getGitHubStore(store), webhooks, tokens);
  };
}

// With this module, not when a lab starts: an import under way never ends once Ctrl-C has reached tsx's compiler, a child.
await captureStores();
