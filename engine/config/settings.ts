import { hosts } from './hostSettings.ts';
import * as parse from './parsers.ts';
import { secrets } from './secretSettings.ts';
import { security } from './securitySettings.ts';
import { optional, required, withDefault } from './setting.ts';

/** GitHub's own upper bound for a webhook's body, MiB (docs.github.com, "Webhook events and payloads"). */
const GITHUB_BODY_MIB = 25;
/** Shorter secrets can be guessed offline from one signed delivery. Characters. */
const WEBHOOK_SECRET_MIN = 16;

const engine = {
  dataDir: withDefault(parse.path, {
    name: 'DOAAS_DATA_DIR',
    group: 'engine',
    fallback: './.doaas',
    description:
      'Directory of the engine: store, inbox of webhooks, repository mirrors, the embedded Temporal database.',
  }),
  role: withDefault(parse.oneOf('all', 'receiver', 'worker', 'site'), {
    name: 'DOAAS_ROLE',
    group: 'engine',
    fallback: 'all',
    description:
      '`receiver` answers webhooks and needs no Temporal, `worker` runs workflows and reaches hosts, `all` does both, `site` only reaches the hosts of DOAAS_SITES. All but `all` meet in the PostgreSQL of DATABASE_URL.',
  }),
  sites: optional(parse.siteNames, {
    name: 'DOAAS_SITES',
    group: 'engine',
    description:
      'Sites whose hosts this process reaches, such as `default,berlin`. Without it: all. Hosts of other sites are left to processes with DOAAS_ROLE=site (docs/many-workers.md); give all others the same list.',
  }),
  host: withDefault(parse.text, {
    name: 'DOAAS_HOST',
    group: 'engine',
    fallback: '127.0.0.1',
    description: 'Address to listen on. Put a TLS proxy in front before you open it to the outside.',
  }),
  port: withDefault(parse.integer(0, 65_535), {
    name: 'DOAAS_PORT',
    group: 'engine',
    fallback: '8080',
    description: 'Port to listen on; 0 takes a free one.',
  }),
  publicUrl: optional(parse.url, {
    name: 'DOAAS_PUBLIC_URL',
    group: 'engine',
    description:
      'URL under which people reach the engine; turns on signed links to whole plans, which work for 7 days. Their key is derived from GITHUB_WEBHOOK_SECRET, so any worker signs what any receiver checks.',
  }),
  logLevel: withDefault(parse.oneOf('debug', 'info', 'warn', 'error', 'silent'), {
    name: 'DOAAS_LOG_LEVEL',
    group: 'engine',
    fallback: 'info',
    description: 'Least severity that is logged: debug, info, warn, error or silent.',
  }),
  databaseUrl: optional(parse.databaseUrl, {
    name: 'DATABASE_URL',
    group: 'engine',
    secret: true,
    description:
      'PostgreSQL for the store and the inbox of webhooks. Without it both are SQLite files in the data directory.',
  }),
} as const;

const github = {
  githubAppId: required(parse.integer(1, 2 ** 31), {
    name: 'GITHUB_APP_ID',
    group: 'github',
    description: 'Number of the GitHub App, from its settings page (docs/github-app.md).',
  }),
  githubPrivateKey: required(parse.privateKey, {
    name: 'GITHUB_APP_PRIVATE_KEY',
    group: 'github',
    secret: true,
    description: 'Private key of the GitHub App, PEM.',
  }),
  webhookSecret: required(parse.secretOfLength(WEBHOOK_SECRET_MIN), {
    name: 'GITHUB_WEBHOOK_SECRET',
    group: 'github',
    secret: true,
    description: `Secret of the App's webhook, at least ${WEBHOOK_SECRET_MIN} characters (\`openssl rand -hex 32\`).`,
  }),
  webhookSecretPrevious: optional(parse.secretOfLength(WEBHOOK_SECRET_MIN), {
    name: 'GITHUB_WEBHOOK_SECRET_PREVIOUS',
    group: 'github',
    secret: true,
    description: 'The secret before that one, still accepted. Set it while you rotate; remove it afterwards.',
  }),
  githubApiUrl: withDefault(parse.url, {
    name: 'GITHUB_API_URL',
    group: 'github',
    fallback: 'https://api.github.com',
    description: 'REST API; `https://HOST/api/v3` for GitHub Enterprise Server.',
  }),
  githubUrl: withDefault(parse.url, {
    name: 'GITHUB_URL',
    group: 'github',
    fallback: 'https://github.com',
    description: 'Base of the URLs that repositories are fetched from.',
  }),
} as const;

const temporal = {
  temporalAddress: optional(parse.matching(/^[^\s/]+:\d+$/, 'HOST:PORT such as temporal.internal:7233'), {
    name: 'TEMPORAL_ADDRESS',
    group: 'temporal',
    description:
      'HOST:PORT of a Temporal cluster. Without it a dev server starts on a file in the data directory.',
  }),
  temporalCli: optional(parse.path, {
    name: 'DOAAS_TEMPORAL_CLI',
    group: 'temporal',
    description:
      'The `temporal` program for the embedded server. Without it: the one on PATH, the cache, a download, or a build with Go.',
  }),
  cacheDir: optional(parse.path, {
    name: 'DOAAS_CACHE_DIR',
    group: 'temporal',
    description: 'Where a Temporal program that was built is kept. Default: `~/.cache/doaas`.',
  }),
  temporalNamespace: withDefault(parse.text, {
    name: 'TEMPORAL_NAMESPACE',
    group: 'temporal',
    fallback: 'default',
    description: 'Temporal namespace. It must exist.',
  }),
  temporalApiKey: optional(parse.secretOfLength(1), {
    name: 'TEMPORAL_API_KEY',
    group: 'temporal',
    secret: true,
    description: 'API key of Temporal Cloud; turns on TLS.',
  }),
  temporalTlsCa: optional(parse.path, {
    name: 'TEMPORAL_TLS_CA',
    group: 'temporal',
    description: "Path of the CA certificate that signed the server's; turns on TLS.",
  }),
  temporalTlsCert: optional(parse.path, {
    name: 'TEMPORAL_TLS_CERT',
    group: 'temporal',
    description: 'Path of the client certificate (mTLS); needs TEMPORAL_TLS_KEY.',
  }),
  temporalTlsKey: optional(parse.path, {
    name: 'TEMPORAL_TLS_KEY',
    group: 'temporal',
    description: "Path of the client certificate's key; needs TEMPORAL_TLS_CERT.",
  }),
  temporalTlsServerName: optional(parse.text, {
    name: 'TEMPORAL_TLS_SERVER_NAME',
    group: 'temporal',
    description: "Name in the server's certificate when it is not the one in TEMPORAL_ADDRESS; turns on TLS.",
  }),
  encryptionKey: optional(parse.encryptionKey, {
    name: 'DOAAS_ENCRYPTION_KEY',
    group: 'temporal',
    secret: true,
    description:
      'Encrypts all that goes through Temporal but for names (AES-256-GCM): 32 bytes in base64 (`openssl rand -base64 32`).',
  }),
  encryptionKeyPrevious: optional(parse.encryptionKey, {
    name: 'DOAAS_ENCRYPTION_KEY_PREVIOUS',
    group: 'temporal',
    secret: true,
    description:
      'The key before that one, to read what it wrote. Keep it until all its workflows are past retention.',
  }),
  encryptionAcceptPlain: withDefault(parse.oneOf('no', 'yes'), {
    name: 'DOAAS_ENCRYPTION_ACCEPT_PLAIN',
    group: 'temporal',
    fallback: 'no',
    description:
      'With DOAAS_ENCRYPTION_KEY, what comes from Temporal unencrypted is refused. `yes` takes it all the same: for the time after the key was set, until the workflows from before it have ended (docs/upgrading.md).',
  }),
} as const;

/** Of the 80 that GitHub allows, counted by the engine's clock. `engine/github/budget.ts` derives the bounds of an hour from it. */
const GITHUB_WRITES_PER_MINUTE = 75;

/** A day; more often than this nobody would notice in time, and less often is no watch. Minutes. */
const SCHEDULE_MINUTES_MAX = 1_440;

const clock = {
  driftMinutes: withDefault(parse.integer(0, SCHEDULE_MINUTES_MAX), {
    name: 'DOAAS_DRIFT_MINUTES',
    group: 'engine',
    fallback: '60',
    description:
      'How often the servers of each default branch are read and differences reported as issues, with a tenth of it as jitter; 0 turns it off.',
  }),
  sweepMinutes: withDefault(parse.integer(0, SCHEDULE_MINUTES_MAX), {
    name: 'DOAAS_SWEEP_MINUTES',
    group: 'engine',
    fallback: '10',
    description:
      'How often GitHub is asked for webhooks that never came, and for new repositories; 0 turns it off, and drift with it.',
  }),
} as const;

const limits = {
  webhookBodyMib: withDefault(parse.integer(1, 100), {
    name: 'DOAAS_WEBHOOK_BODY_MIB',
    group: 'limits',
    fallback: String(GITHUB_BODY_MIB),
    description: "Largest body of a webhook, MiB. GitHub's own bound is 25.",
  }),
  webhookConcurrency: withDefault(parse.integer(1, 10_000), {
    name: 'DOAAS_WEBHOOK_CONCURRENCY',
    group: 'limits',
    fallback: '200',
    description: 'Requests in flight; one more is answered 503 with Retry-After.',
  }),
  githubWritesPerMinute: withDefault(parse.integer(10, 1_000_000), {
    name: 'DOAAS_GITHUB_WRITES_PER_MINUTE',
    group: 'limits',
    fallback: String(GITHUB_WRITES_PER_MINUTE),
    description:
      'Writes to GitHub of one installation, per minute; in an hour six times as many, and sixty times as many requests. github.com allows 80, 500 and 5,000. Several workers share these, so give each its part (25 for each of three); raise it for a server of your own.',
  }),
} as const;

export const settings = {
  ...engine,
  ...clock,
  ...security,
  ...github,
  ...temporal,
  ...hosts,
  ...secrets,
  ...limits,
} as const;

export type SettingKey = keyof typeof settings;
