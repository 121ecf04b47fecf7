import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Accounts, APP_EVENTS, botLogin, createAccounts, createAppKey, seedOf } from './accounts.ts';
import { type Acting, createActing } from './acting.ts';
import { senderOf } from './changes.ts';
import { appJson } from './check-routes.ts';
import type { LabContext, LabState } from './context.ts';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { startEmulator } from './emulator.ts';
import { createFaults, type Faults } from './faults.ts';
import { completePayload } from './payloads.ts';
import { createRecorder, type RecordedRequest, type Violation } from './recorder.ts';
import { listen, serve } from './server.ts';

const APP_ID = 424_242;
const INSTALLATION_ID = 31_415_926;
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
  readonly webhooks: Deliveries;
  readonly setWebhookUrl: (url: string) => void;
  readonly setWebhookSecret: (secret: string) => void;
  /** Announces the App's installation, as GitHub does when it is installed. */
  readonly announceInstallation: () => Promise<void>;
  /** Ends every installation token handed out so far. */
  readonly expireTokens: () => void;
  readonly requests: () => readonly RecordedRequest[];
  readonly violations: () => readonly Violation[];
  readonly close: () => Promise<void>;
}

/** Starts a GitHub of one's own: REST API, git over HTTP, webhooks. Close it to leave nothing behind. */
export async function startLabGitHub(options: LabGitHubOptions): Promise<LabGitHub> {
  const owner = options.owner ?? DEFAULT_OWNER;
  const host = options.host ?? '127.0.0.1';
  const accounts = createAccounts();
  const privateKey = await createAppKey();
  const app = { id: APP_ID, slug: options.appSlug ?? DEFAULT_SLUG, privateKey };
  const [recorder, root] = await Promise.all([
    createRecorder(),
    mkdtemp(join(tmpdir(), 'doaas-lab-github-')),
  ]);
  const { server, port } = await listen(options.port ?? 0, host);
  const url = `http://${host}:${port}`;
  const webhooks = createDeliveries({
    url: options.webhookUrl,
    secret: options.webhookSecret,
    appId: APP_ID,
    events: APP_EVENTS,
  });
  const seedInput = {
    owner,
    accounts,
    appId: APP_ID,
    appSlug: app.slug,
    privateKey,
    installationId: INSTALLATION_ID,
  };
  const emulator = await startEmulator({
    baseUrl: url,
    seed: seedOf(seedInput),
    onEvent: async (event, action, payload) => {
      if (FROM_GIT.has(event)) return;
      webhooks.emit(event, action, complete(event, payload));
    },
  });
  const bot = emulator.store.users.findOneBy('login', botLogin(app.slug));
  if (bot) emulator.store.users.update(bot.id, { type: 'Bot' });
  const context: LabContext = {
    baseUrl: url,
    root,
    emulator,
    store: emulator.store,
    deliveries: webhooks,
    app: { id: APP_ID, slug: app.slug, name: app.slug },
    installationId: INSTALLATION_ID,
    admin: accounts.admin,
    state: createState(),
    complete,
  };
  function complete(event: string, payload: unknown) {
    const { store, installationId } = context;
    return completePayload({ store, installationId, app: appJson(context) }, event, payload);
  }
  const faults = createFaults();
  const stopped = new AbortController();
  serve(server, { context, faults, recorder, stopped: stopped.signal });
  return {
    ...createActing(context, owner, accounts),
    url,
    owner,
    accounts,
    app,
    installationId: INSTALLATION_ID,
    faults,
    webhooks,
    setWebhookUrl: webhooks.setTarget,
    setWebhookSecret: webhooks.setSecret,
    announceInstallation: () => announceInstallation(context),
    expireTokens: () => expireTokens(context),
    requests: recorder.requests,
    violations: recorder.violations,
    close: async () => {
      stopped.abort();
      await webhooks.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Promise.allSettled(context.state.queues.values());
      await emulator.close();
      await rm(root, { recursive: true, force: true });
    },
  };
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
    tokenUses: new Map(),
    nextReactionId: 1,
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

function expireTokens(context: LabContext): void {
  for (const [token, user] of context.emulator.tokens) {
    if (user.installation) context.emulator.tokens.delete(token);
  }
}
