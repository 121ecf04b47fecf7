import type { Analysis } from './code-scanning.ts';
import type { Deliveries } from './deliveries.ts';
import type { Emulator } from './emulator.ts';
import type { Json } from './json.ts';
import type { Mirror } from './mirror.ts';
import type { PullFacts } from './pull-facts.ts';
import type { InstallationRow, Store } from './rows.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface ApiCall {
  readonly method: string;
  /** Path with its query, without `/api/v3`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What the parts of the lab's GitHub share. */
export interface LabContext {
  readonly baseUrl: string;
  readonly root: string;
  readonly emulator: Emulator;
  readonly store: Store;
  readonly deliveries: Deliveries;
  readonly app: { readonly id: number; readonly slug: string; readonly name: string };
  readonly installationId: number;
  /** Owner of every repository of the lab; its token reads and writes all. */
  readonly admin: { readonly login: string; readonly token: string };
  readonly state: LabState;
  /** Completes an event's payload to what GitHub sends. */
  readonly complete: (event: string, payload: unknown) => Json;
}

/** What the emulator has no place for. */
export interface LabState {
  readonly mirrors: Map<number, Promise<Mirror>>;
  /** Tail of the queue of each repository's changes. */
  readonly queues: Map<number, Promise<unknown>>;
  /** `base:head` of each trial merge: the merged tree, or null for a conflict. */
  readonly trialMerges: Map<string, Promise<string | null>>;
  /** By repository, base, head and more: what git said of a pull request. */
  readonly pullFacts: Map<string, Promise<PullFacts>>;
  readonly reactions: Map<number, Reaction[]>;
  /** What comments said before they were edited last, by their ids. */
  readonly textsBefore: Map<number, string>;
  readonly tokenUses: Map<string, number>;
  /** Rows of pull requests that look as if they came from a fork; their branches stay here. */
  readonly forks: Set<number>;
  /** Check runs of other Apps. */
  readonly otherRuns: Map<number, OtherApp>;
  /** By repository and commit, the newest first. */
  readonly statuses: Map<string, readonly Json[]>;
  /** Names that repositories had before, in lower case, and the id of the one that had it last. */
  readonly formerNames: Map<string, number>;
  /** The installation that was removed last. */
  uninstalled: InstallationRow | undefined;
  /** Of the App on the lab's first owner; another one after each installation. */
  installationId: number;
  nextReactionId: number;
  /** Moves of branches by repository, oldest first. */
  readonly activities: Map<number, readonly Activity[]>;
  nextActivityId: number;
  /** Uploads for code scanning by repository, oldest first. */
  readonly analyses: Map<number, readonly Analysis[]>;
  /** Looks at what became of an upload that come before GitHub has processed it, by repository. */
  readonly pendingLooks: Map<number, number>;
  /** Repositories that have code scanning switched off. */
  readonly withoutCodeScanning: Set<number>;
  /** By repository and pull request: how it came into the merge queue, oldest first. */
  readonly queueEvents: Map<string, readonly QueueEvent[]>;
}

/** As GitHub lists it among the events of an issue, with the login for the account. */
export interface QueueEvent {
  readonly event: string;
  readonly actor: string;
  readonly created_at: string;
}

/** As GitHub lists it, with the login for the account. */
export interface Activity {
  readonly id: number;
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  readonly timestamp: string;
  readonly activity_type: 'push' | 'force_push' | 'branch_creation' | 'branch_deletion' | 'pr_merge';
  readonly actor: string;
}

/** An App that is not the engine's. */
export interface OtherApp {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
}

export interface Reaction {
  readonly id: number;
  readonly login: string;
  readonly content: string;
  readonly created_at: string;
}
