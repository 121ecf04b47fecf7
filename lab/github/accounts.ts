import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const RSA_BITS = 2048;

/** A person in the lab. `token` is a personal access token for the API and for git. */
export interface Account {
  readonly login: string;
  readonly token: string;
  readonly role: 'admin' | 'push' | 'pull' | 'none';
}

export interface Accounts {
  /** Owns the organisation. */
  readonly admin: Account;
  /** Writes; opens the pull requests. */
  readonly author: Account;
  /** Writes; reviews. */
  readonly reviewer: Account;
  /** Writes; reviews as well. */
  readonly second: Account;
  /** Reads only. */
  readonly reader: Account;
  /** No collaborator; may still see, comment on and review what is public. */
  readonly stranger: Account;
}

export function createAccounts(): Accounts {
  const account = (login: string, role: Account['role']): Account => ({
    login,
    role,
    token: `ghp_${randomBytes(18).toString('hex')}`,
  });
  return {
    admin: account('olivia-owner', 'admin'),
    author: account('anna-author', 'push'),
    reviewer: account('rob-reviewer', 'push'),
    second: account('dora-dba', 'push'),
    reader: account('rita-reader', 'pull'),
    stranger: account('sam-stranger', 'none'),
  };
}

/** By which GitHub knows whose account a commit's author is. */
export function emailOf({ login }: Pick<Account, 'login'>): string {
  return `${login}@example.com`;
}

/** The App's private key in the form GitHub gives it (PKCS#1 PEM). */
export async function createAppKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS });
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

/** Permissions and events of the App, as docs/github-app.md tells users to grant. */
export const APP_PERMISSIONS = {
  security_events: 'write',
  checks: 'write',
  contents: 'write',
  issues: 'write',
  members: 'read',
  metadata: 'read',
  pull_requests: 'write',
  statuses: 'read',
} as const;

export const APP_EVENTS = [
  'check_run',
  'check_suite',
  'installation',
  'installation_repositories',
  'issue_comment',
  'merge_group',
  'pull_request',
  'pull_request_review',
  'push',
  'repository',
  'status',
] as const;

export interface SeedInput {
  readonly owner: string;
  readonly accounts: Accounts;
  readonly appId: number;
  readonly appSlug: string;
  readonly privateKey: string;
  readonly installationId: number;
  /** On `secondOrganisation`. */
  readonly second: number;
}

/** Who has merged what GitHub's own merge queue merges. */
export const QUEUE_LOGIN = 'github-merge-queue[bot]';

/** It has the App, too. */
export function secondOrganisation(owner: string): string {
  return `${owner}-holding`;
}

export function botLogin(slug: string): string {
  return `${slug}[bot]`;
}

export function seedOf(input: SeedInput): Record<string, unknown> {
  const people = Object.values(input.accounts);
  return {
    tokens: Object.fromEntries(people.map(({ token, login }) => [token, { login }])),
    github: {
      users: [
        ...people.map(({ login }) => ({ login, name: login, email: emailOf({ login }) })),
        { login: QUEUE_LOGIN, name: 'github-merge-queue', email: 'queue@users.noreply.github.com' },
        {
          login: botLogin(input.appSlug),
          name: input.appSlug,
          email: `${input.appSlug}@users.noreply.github.com`,
        },
      ],
      orgs: [
        {
          login: input.owner,
          name: input.owner,
          members: [{ login: input.accounts.admin.login, role: 'admin' }],
        },
        {
          login: secondOrganisation(input.owner),
          name: secondOrganisation(input.owner),
          members: [{ login: input.accounts.admin.login, role: 'admin' }],
        },
      ],
      apps: [
        {
          app_id: input.appId,
          slug: input.appSlug,
          name: input.appSlug,
          private_key: input.privateKey,
          permissions: APP_PERMISSIONS,
          events: APP_EVENTS,
          installations: [
            { installation_id: input.installationId, account: input.owner, repository_selection: 'all' },
            {
              installation_id: input.second,
              account: secondOrganisation(input.owner),
              repository_selection: 'all',
            },
          ],
        },
      ],
    },
  };
}
