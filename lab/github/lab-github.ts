import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Accounts,
  APP_EVENTS,
  botLogin,
  createAccounts,
  createAppKey,
  QUEUE_LOGIN,
  seedOf,
} from './accounts.ts';
import type { Acting } from './acting.ts';
import { createActing } from './acts.ts';
import { senderOf } from './changes.ts';
import { appJson } from './check-routes.ts';
import type { LabContext, LabState } from './context.ts';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { startEmulator } from './emulator.ts';
import { createFaults, type Faults } from './faults.ts';
import { completePayload } from './payloads.ts';
import { createRateLimiter, type RateLimits } from './rate-limits.ts';
import { createRecorder, type RecordedRequest, type Violation } from './recorder.ts';
import type { Store } from './rows.ts';
import { type LabClock, listen, serve } from './server.ts';
import { installationOf } from './standing.ts';

const APP_ID = 424_242;
const INSTALLATION_ID = 31_415_926;
/** Of the App on the second organisation, to which repositories can be transferred. */
const SECOND_INSTALLATION_ID = 27_182_818;
const DEFAULT_OWNER = 'acme';
const DEFAULT_SLUG = 'doaas';

export interface LabGitHubOptions {
  /** Where the App's webhooks go; may be set later with `setWebhookUrl`. */
  readonly webhookUrl?: string;
  readonly webhookSecret: string;
  /** The organisation that owns all repositories. */
  readonly owner?: string;
  readonly appSlug?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly host?: string;
}

export interface LabGitHub extends Acting {
  /** Base URL for octokit and for git: `${url}/OWNER/REPO.git`. */
  readonly url: string;
  readonly owner: string;
  readonly accounts: Accounts;
  readonly app: { readonly id: number; readonly slug: string; readonly privateKey: string };
  readonly installationId: number;
  readonly faults: Faults;
  /** Answers as GitHub does above these limits, from now on; without any, the default, it serves everything. */
  readonly enforceLimits: (limits: RateLimits | undefined) => void;
  /** The time that the `date` of its answers tells from now on, and goes on from; left out: the machine's. */
  readonly setDate: (date?: Date) => void;
  readonly webhooks: Deliveries;
  readonly setWebhookUrl: (url: string) => void;
  readonly setWebhookSecret: (secret: string) => void;
  /** Announces the App's installation, as GitHub does when it is installed. */
  readonly announceInstallation: () => Promise<void>;
  /** The App's only private key from now on (PEM); GitHub takes no proof by the one before it. */
  readonly setAppKey: (privateKey: string) => void;
  /** Ends every installation token handed out so far. */
  readonly expireTokens: () => void;
  /** Those that are valid. */
  readonly installationTokens: () => readonly string[];
  readonly requests: () => readonly RecordedRequest[];
  readonly violations: () => readonly Violation[];
  readonly close: () => Promise<void>;
}

/** Starts a GitHub of one's own: REST API, git over HTTP, webhooks. Close it to leave nothing behind. */
export async function startLabGitHub(options: LabGitHubOptions): Promise<LabGitHub> {
  const owner = options.owner ?? DEFAULT_OWNER;
  const accounts = createAccounts();
  const privateKey = await createAppKey();
  const app = { id: APP_ID, slug: options.appSlug ?? DEFAULT_SLUG, privateKey };
  const recorder = await createRecorder();
  const host = options.host ?? '127.0.0.1';
  const { server, port } = await listen(options.port ?? 0, host);
  const url = `http://${host}:${port}`;
  const context = await createContext(options, { url, owner, accounts, app }).catch((error: unknown) => {
    server.close();
    throw error;
  });
  const faults = createFaults();
  const limiter = createRateLimiter();
  const stopped = new AbortController();
  const clock: LabClock = { aheadMs: 0 };
  serve(server, { context, faults, limiter, recorder, stopped: stopped.signal, clock });
  const webhooks = context.deliveries;
  return {
    ...createActing(context, owner, accounts),
    url,
    owner,
    accounts,
    app,
    get installationId() {
      return context.state.installationId;
    },
    faults,
    enforceLimits: limiter.enforce,
    setDate: (date) => {
      clock.aheadMs = date === undefined ? 0 : date.getTime() - Date.now();
    },
    webhooks,
    setWebhookUrl: webhooks.setTarget,
    setWebhookSecret: webhooks.setSecret,
    announceInstallation: () => announceInstallation(context),
    setAppKey: (privateKey) => setAppKey(context, privateKey),
    expireTokens: () => expireTokens(context),
    installationTokens: () =>
      [...context.emulator.tokens].flatMap(([token, user]) => (user.installation ? [token] : [])),
    requests: recorder.requests,
    violations: recorder.violations,
    close: async () => {
      stopped.abort();
      await webhooks.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Promise.allSettled(context.state.queues.values());
      await context.emulator.close();
      await rm(context.root, { recursive: true, force: true });
    },
  };
}

interface Parts {
  readonly url: string;
  readonly owner: string;
  readonly accounts: Accounts;
  readonly app: LabGitHub['app'];
}

async function createContext(options: LabGitHubOptions, parts: Parts): Promise<LabContext> {
  const { url, owner, accounts, app } = parts;
  const state = createState();
  const deliveries = createDeliveries({
    url: options.webhookUrl,
    secret: options.webhookSecret,
    appId: APP_ID,
    events: APP_EVENTS,
    reaches: (payload) => reaches(emulator.store, payload),
  });
  const { slug, privateKey } = app;
  const ids = {
    appId: APP_ID,
    appSlug: slug,
    installationId: INSTALLATION_ID,
    second: SECOND_INSTALLATION_ID,
  };
  const emulator = await startEmulator({
    baseUrl: url,
    seed: seedOf({ owner, accounts, privateKey, ...ids }),
    onEvent: async (event, action, payload) => {
      if (!FROM_GIT.has(event)) deliveries.emit(event, action, complete(event, payload));
    },
  });
  const { store } = emulator;
  for (const login of [botLogin(slug), QUEUE_LOGIN]) {
    const bot = store.users.findOneBy('login', login);
    if (bot) store.users.update(bot.id, { type: 'Bot' });
  }
  const context: LabContext = {
    baseUrl: url,
    root: await temporaryFolder(),
    emulator,
    store,
    deliveries,
    app: { id: APP_ID, slug, name: slug },
    get installationId() {
      return state.installationId;
    },
    admin: accounts.admin,
    state,
    complete,
  };
  function complete(event: string, payload: unknown) {
    const { forks, textsBefore } = context.state;
    return completePayload({ store, app: appJson(context), forks, textsBefore }, event, payload);
  }
  return context;
}

/** Goes with the process, also when nobody closed the lab. */
async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'doaas-lab-github-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Of a repository whose owner has not installed the App, or has suspended it, GitHub tells it nothing. */
function reaches(store: Store, payload: object): boolean {
  const { repository } = payload as {
    readonly repository?: { readonly id?: number; readonly owner?: { readonly login?: string } };
  };
  const login = repository?.owner?.login;
  if (login === undefined) return true;
  const org = store.orgs.findOneBy('login', login);
  const account = org ?? store.users.findOneBy('login', login);
  const owner_type = org === undefined ? 'User' : 'Organization';
  // one that was deleted is no row any more
  const without_app = store.repos.get(repository?.id ?? 0)?.without_app ?? false;
  return (
    installationOf(store, { owner_id: account?.id ?? 0, owner_type, without_app })?.suspended_at === null
  );
}

/** Events that the layer makes itself from moved references, also for pushes that the emulator never sees. */
const FROM_GIT: ReadonlySet<string> = new Set(['push', 'create', 'delete']);

function createState(): LabState {
  return {
    mirrors: new Map(),
    queues: new Map(),
    trialMerges: new Map(),
    pullFacts: new Map(),
    reactions: new Map(),
    textsBefore: new Map(),
    tokenUses: new Map(),
    forks: new Set(),
    formerNames: new Map(),
    uninstalled: undefined,
    installationId: INSTALLATION_ID,
    otherRuns: new Map(),
    statuses: new Map(),
    nextReactionId: 1,
    activities: new Map(),
    analyses: new Map(),
    pendingLooks: new Map(),
    withoutCodeScanning: new Set(),
    nextActivityId: 1,
    queueEvents: new Map(),
  };
}

async function announceInstallation(context: LabContext): Promise<void> {
  const installation = context.store.appInstallations.findOneBy('installation_id', context.installationId);
  const sender = await senderOf(context, context.admin.login);
  const repositories = context.store.repos
    .all()
    .map(({ id, name, full_name, private: isPrivate }) => ({ id, name, full_name, private: isPrivate }));
  const details = { ...installation, id: context.installationId, app_slug: context.app.slug };
  context.deliveries.emit('installation', 'created', {
    action: 'created',
    installation: details,
    repositories,
    sender,
  });
}

function setAppKey({ store }: LabContext, privateKey: string): void {
  const row = store.apps.findOneBy('app_id', APP_ID);
  if (row === undefined) throw new Error("the lab's GitHub has no App");
  store.apps.update(row.id, { private_key: privateKey });
}

function expireTokens(context: LabContext): void {
  for (const [token, user] of context.emulator.tokens) {
    if (user.installation) context.emulator.tokens.delete(token);
  }
}
