import type { Generated, Kysely } from 'kysely';

/** Times are epoch milliseconds UTC; JSON is text; flags are 0 or 1: the same on SQLite and PostgreSQL. */
export interface Schema {
  readonly inbox: {
    seq: Generated<number>;
    guid: string;
    lane: string;
    event: string;
    received_at: number;
    not_before: number;
    tries: number;
    handed_on_at: number | null;
  };
  readonly repositories: {
    id: string;
    owner: string;
    name: string;
    default_branch: string;
    installation_id: string | null;
    known_as: string;
  };
  readonly pulls: { repository: string; number: number; head_sha: string; open: number; seen_at: number };
  readonly pushes: {
    repository_id: number;
    branch: string;
    before_sha: string;
    after_sha: string;
    account_id: number;
    login: string;
    at: number;
  };
  readonly plans: { digest: string; body: Uint8Array; stored_at: number };
  readonly plan_uses: {
    digest: string;
    repository: string;
    number: number;
    head_sha: string;
    base_sha: string;
    created_at: number;
  };
  readonly verdicts: {
    repository: string;
    number: number;
    head_sha: string;
    digest: string;
    judged_at: number;
    verdict: string;
  };
  readonly blobs: { sha256: string; bytes: Uint8Array; stored_at: number };
  readonly plan_blobs: { digest: string; sha256: string };
  readonly runs: {
    id: string;
    repository: string;
    pull_number: number | null;
    kind: string;
    plan_digest: string | null;
    head_sha: string | null;
    base_sha: string | null;
    merge_sha: string | null;
    state: string;
    started_at: number;
    ended_at: number | null;
    actor: string;
    detail: string;
  };
  readonly run_hosts: { run_id: string; host: string; body: Uint8Array; at: number };
  readonly receipts: {
    run_id: string;
    host: string;
    host_identity: string;
    step_id: string;
    state: string;
    before_hash: string | null;
    after_hash: string | null;
    at: number;
    detail: string;
  };
  readonly locks: {
    host_identity: string;
    run_id: string;
    workflow_id: string;
    fence: number;
    taken_at: number;
    pull: string;
    units: string;
  };
  readonly lock_queue: {
    id: Generated<number>;
    run_id: string;
    workflow_id: string;
    hosts: string;
    asked_at: number;
    pull: string;
    why: string;
    urgent: number;
    units: string;
  };
  readonly left_hosts: { run_id: string; host_identity: string; who: string; at: number };
  readonly counters: { name: string; value: number };
  readonly hosts: { identity: string; needs_recovery: number; reason: string; updated_at: number };
  readonly host_facts: { identity: string; facts: string; first_seen_at: number; seen_at: number };
  readonly host_keys: {
    repository: string;
    server: string;
    address: string;
    host_key: string;
    first_seen_at: number;
  };
  readonly drift: {
    repository: string;
    document: string;
    host: string;
    step_id: string;
    summary: string;
    first_seen_at: number;
    traces: string;
  };
  readonly leases: { name: string; holder: string; beat: number };
  readonly settled: { repository: string; identity: string; items: string; returnable: string; at: number };
  readonly security_hosts: { repository: string; host: string; reading: number; body: Uint8Array };
  readonly security_known: {
    repository: string;
    host: string;
    part: string;
    reading: number;
    body: Uint8Array;
  };
  readonly security_uploads: { repository: string; reading: number };
  readonly keys: { name: string; key: Uint8Array };
  readonly audit: {
    seq: Generated<number>;
    at: number;
    who: string;
    what: string;
    repository: string | null;
    pull: number | null;
    head_sha: string | null;
    digest: string | null;
    detail: string;
    hash: string;
    key: string | null;
  };
}

export type Dialect = 'sqlite' | 'postgres';

/** One open database and what differs between the two sorts. */
export interface Connection {
  readonly db: Kysely<Schema>;
  readonly dialect: Dialect;
}
