import type { FactQuery, ItemKey, Readings } from '../facts/fact.ts';
import type { Finding, StepDraft } from '../plan/step.ts';
import type { Payload } from '../spec/configuration.ts';
import type { PlannedDocument, SourceSpecs } from '../spec/documents.ts';
import type { SpecError } from '../spec/manifest.ts';
import type { Maintenance, PlannedKind, ResolvedServer, ResolvedSpecs } from '../spec/resolution.ts';
import type { Checking, Resolving, ResolvingHost } from '../spec/resolving.ts';
import type { Adoption } from './adoption.ts';

/**
 * A kind is a folder of pure functions; nothing here does I/O. Its `SourceSpecs` is the spec as it is written and has
 * passed its schema, its `ResolvedSpecs` the same for ONE host: variables and templates are resolved, selectors and
 * repository files are replaced by what they stand for (see spec/resolve.ts).
 */
export interface Kind<K extends PlannedKind = PlannedKind> {
  readonly kind: K;
  /**
   * True where differences come up by themselves, such as new updates. They are planned where the document is what a
   * change touches, and when servers are read for drift; no other pull request takes them along, nor fails for them.
   */
  readonly ongoing?: true;
  /** What the schema cannot say about a document, before it is resolved. */
  readonly check: (document: PlannedDocument<K>, checking: Checking) => readonly SpecError[];
  /**
   * Reads what a document names, once, and gives what resolves it for one host after the other. All servers of the
   * repository can be seen. Mistakes go to `resolving.errors`; what is then given is never planned.
   */
  readonly prepare: (
    document: PlannedDocument<K>,
    resolving: Resolving,
  ) => (host: ResolvingHost) => ResolvedSpecs[K];
  /** Places (JSON pointers below /spec) that findings of its plan may name. */
  readonly places?: (source: SourceSpecs[K]) => readonly string[];
  /** For comparing documents with each other, before any host is read. */
  readonly writes: Writes<ResolvedSpecs[K]>;
  /** Identities that the spec writes, each with the JSON pointer (below /spec) of the place that says so. */
  readonly claims: (spec: ResolvedSpecs[K]) => readonly Claim[];
  /** Of what it claims, what something else on the host needs otherwise: where it was set before, it is put back. Left out: nothing. */
  readonly yields?: (spec: ResolvedSpecs[K], readings: Readings) => readonly ItemKey[];
  /** What must be read before planning. */
  readonly needs: (spec: ResolvedSpecs[K]) => readonly FactQuery[];
  /** What the first reading shows to matter as well: items of steps that are not known before. Left out: none. */
  readonly furtherNeeds?: (spec: ResolvedSpecs[K], readings: Readings) => readonly FactQuery[];
  /** Steps that lead from the readings to the spec, in a valid order. No difference: no steps. */
  readonly plan: (spec: ResolvedSpecs[K], readings: Readings, context: PlanContext) => KindPlan;
  /** All contents of the spec. */
  readonly contents: (spec: ResolvedSpecs[K]) => readonly Payload[];
  /** What the document must say so that one of its items is as the host has it. */
  readonly adopt: (
    source: SourceSpecs[K],
    spec: ResolvedSpecs[K],
    item: ItemKey,
    readings: Readings,
  ) => Adoption;
  /** What must hold after the steps, beside "planning again gives no steps". */
  readonly probes: (spec: ResolvedSpecs[K]) => readonly Probe[];
  /**
   * Where the servers of a document stand in for each other, as the members of a database cluster or of a load
   * balancer's pool do: names, within the document, of the units that the host is a member of. No two members of a unit
   * are changed together by one run, whatever document asks for the change. Left out: none.
   */
  readonly units?: (spec: ResolvedSpecs[K]) => readonly string[];
  /**
   * Work of the document that comes up by itself after its merge, such as new updates: when it is done without a
   * person. Left out, or undefined: never.
   */
  readonly maintenance?: (document: PlannedDocument<K>) => Maintenance | undefined;
}

export interface Writes<Spec> {
  /** What the document writes under a name of its own, each with the place that says so. */
  readonly claims: (spec: Spec) => readonly Claim[];
  /** Numbers that no two documents of a host may give, such as a uid. */
  readonly ids: (spec: Spec) => readonly Claim[];
  /** Files that an item which is no path writes too. */
  readonly paths: (item: ItemKey, spec: Spec) => readonly string[];
  /** The path is a file by this spec, so nothing can lie below it. */
  readonly isFile: (path: string, spec: Spec) => boolean;
}

/** What there is to see beside the readings while a document is planned for a host. */
export interface PlanContext {
  readonly payloads: Payloads;
  readonly seals: Seals;
  /** How the engine reaches the host, and by what it knows it. */
  readonly server: ResolvedServer;
  /** Names of the servers that are reached through it. */
  readonly jumpFor: readonly string[];
  /** Left out where no list of vulnerabilities could be had. */
  readonly mended?: Mended;
}

/** Vulnerabilities that the outstanding updates of a host close, by a list of them. */
export interface Mended {
  /** Where the list comes from, for people. */
  readonly from: string;
  /** Of the list, ISO time. */
  readonly date: string;
  /** CVE ids, each once, by name of the package, for each that the list says anything of for the host's release. */
  readonly packages: ReadonlyMap<string, readonly string[]>;
}

/** Contents by sha256 (hex), for diffs. */
export type Payloads = ReadonlyMap<string, Uint8Array>;

/** What a content with its secrets filled in is like, by `sealKey`. The content itself is not here. */
export type Seals = ReadonlyMap<string, Seal>;

export type Seal =
  /** Hex. `sha256` of the whole content is for comparing only and goes nowhere. */
  | { readonly kind: 'seal'; readonly sha256: string; readonly fingerprint: string }
  /** `passing`: it may be there in a moment. */
  | { readonly kind: 'unreadable'; readonly message: string; readonly passing?: boolean };

export interface Claim {
  readonly item: ItemKey;
  readonly pointer: string;
}

export interface KindPlan {
  readonly steps: readonly StepDraft[];
  readonly findings: readonly KindFinding[];
}

export type KindFinding = Pick<Finding, 'severity' | 'message'> & {
  /** One of the `places` of the document, which is to blame. */
  readonly pointer?: string;
  /** A reading of how things are, told again once the change is verified. */
  readonly readBack?: true;
  /** Outstanding until a person sees to it: no run does it by itself. Of documents whose work comes up by itself, the issue says it. */
  readonly waits?: true;
  /** Dropped when any document of the host claims this item, as one that makes the missing user does. */
  readonly unlessClaimed?: ItemKey;
};

export type Probe = HttpProbe | TcpProbe | CommandProbe | ReachProbe;

interface ProbeTiming {
  /** Total time that the probe may take to pass, seconds. */
  readonly withinSeconds: number;
  /** Pause between two tries, seconds. */
  readonly everySeconds: number;
}

export interface HttpProbe extends ProbeTiming {
  readonly kind: 'http';
  readonly url: string;
  readonly status: number;
  readonly contains?: string;
}

export interface TcpProbe extends ProbeTiming {
  readonly kind: 'tcp';
  /** As seen from the host. */
  readonly address: string;
  readonly port: number;
}

/** What the host lets in shows from outside only: another server of the repository tries. */
export interface ReachProbe extends ProbeTiming {
  readonly kind: 'reach';
  /** Name of the server that tries. */
  readonly from: string;
  readonly address: string;
  readonly port: number;
  /** A TCP connection must come about, or must not. */
  readonly open: boolean;
  /** Of one that must not: ports of the same address that may answer who tries, so that its silence means something. */
  readonly others?: readonly number[];
}

export interface CommandProbe extends ProbeTiming {
  readonly kind: 'command';
  readonly argv: readonly string[];
  /** Runs as `nobody` unless declared. */
  readonly user: string;
  readonly exit: number;
  readonly contains?: string;
}
