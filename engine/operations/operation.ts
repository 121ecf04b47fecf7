import type { ItemKey } from '../facts/fact.ts';
import type { Sh } from '../shell/sh.ts';

/** Whether the effect can be taken back. `best-effort` is said in the plan with its reason. */
export type Reversible = 'yes' | 'best-effort' | 'no';

/** What the effect disturbs, from least to most. */
export type Disruption = 'none' | 'reload' | 'restart' | 'failover' | 'reboot';

/**
 * How the items of one fact are saved and put back, whatever operation changed them. Every snippet is idempotent.
 *
 * `capture` saves all that `restore` needs below the directory `save` (root-only, made by the caller, fsynced by
 * the caller before any effect). It changes nothing else.
 * `restore` puts the items back exactly as they were captured: type, content, mode, owner, links, state. It never
 * removes data that the engine did not create (a directory that is not empty stays, and restore fails and says so).
 */
export interface Custody {
  readonly fact: string;
  readonly capture: (key: string, save: Sh) => Sh;
  readonly restore: (items: readonly SavedItem[]) => Sh;
  /** Runs once everything of the run is restored, for what must see all of it, such as a unit's running state. */
  readonly settle?: (items: readonly SavedItem[]) => Sh;
  /**
   * Runs before items are given back long after they were captured: what others changed since is theirs, so it goes into what was
   * saved. Left out: nothing of the items is anybody else's.
   */
  readonly concede?: (items: readonly SavedItem[]) => Sh;
  /** Functions that the snippets call; part of a batch once, however many steps use them. */
  readonly library?: Sh;
}

export interface SavedItem {
  readonly key: string;
  /** Directory that `capture` wrote to, as a shell word. */
  readonly save: Sh;
}

/**
 * An operation writes. It is pure text until the host runs it.
 *
 * `check` exits 0 when the effect is already there; it is run before `apply` (then nothing is done) and after it
 * (then a failure is reported). `apply` is idempotent: it may be run again after it was cut at any point.
 * Snippets may keep notes of their own in the directory `"$STEP"` (root-only, one per step and run): an action such as
 * a restart notes there what it saw before, so that a second run of it knows that it is already done.
 * `afterRestore` runs at the end of a rollback, for what must notice restored items (a daemon-reload, a restart).
 */
export interface Operation<P extends Params = Params> {
  readonly operation: string;
  /** Items whose state it changes. Empty for a pure action such as a reload. */
  readonly items: (params: P) => readonly ItemKey[];
  readonly check: (params: P) => Sh;
  readonly apply: (params: P) => Sh;
  /** Content-addressed payloads (sha256, hex) that `apply` reads from the directory `"$DOAAS_PAYLOADS"`. */
  readonly payloads?: (params: P) => readonly string[];
  readonly afterRestore?: (params: P) => Sh;
  /** Functions that the snippets call; part of a batch once, however many steps use them. */
  readonly library?: Sh;
  /** Upper bound of one `apply`, seconds. Default 300. */
  readonly timeoutSeconds?: number;
  /** True where it can shut people out by more than the items that it names (`endangersAccess.ts`): its batch is confirmed by a fresh login or taken back by the host. */
  readonly endangersAccess?: true;
  /** True where no document claims its items, so that nobody owns them for it: it keeps no record of first contact. */
  readonly ownsNothing?: true;
  /** True where it also changes items of later steps, as a package brings its own files, users and units. */
  readonly changesOtherItems?: true;
}

/** JSON only: plans are stored, compared and digested. */
export type Params = { readonly [name: string]: Json };
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
