import { ignoresStep } from '../drift/ignored.ts';
import { undoneOf } from '../drift/undone.ts';
import { FactError, type ItemKey, type Readings } from '../facts/fact.ts';
import { type Adoption, cannot as cannotBe, type Edit } from '../kinds/adoption.ts';
import type { Seals } from '../kinds/kind.ts';
import { isPlanned, kindOf } from '../kinds/registry.ts';
import { canonicalJson } from '../plan/digest.ts';
import { type Owner, planHost } from '../plan/planHost.ts';
import type { HostPlan, Plan, Step } from '../plan/step.ts';
import { type CheckedRepository, checkRepository } from '../spec/check.ts';
import type { LoadOptions } from '../spec/load.ts';
import type { ResolvedDocument, ResolvedHost } from '../spec/resolution.ts';
import type { Mask } from '../spec/secrets.ts';
import { type Files, withEdits } from './edits.ts';

/** A host as it was read for this. */
export interface ReadHost {
  readonly host: ResolvedHost;
  readonly plan: HostPlan;
  readonly readings: Readings;
  readonly seals: Seals;
  /** Takes out every secret that the host has. */
  readonly mask: Mask;
}

export interface Adopting extends Owner {
  readonly document: string;
  readonly files: Files;
  /** As the files were read. */
  readonly options: LoadOptions;
  readonly hosts: readonly ReadHost[];
  /** Of merged changes that are still to be applied: to adopt what they change would take them back. */
  readonly pending?: readonly Plan[];
}

/** A difference that the new text takes in. */
export interface Adopted {
  readonly item: string;
  /** Hosts that have it so. */
  readonly hosts: readonly string[];
  /** Hosts of the document that have it as the document said: applying the new text changes them. */
  readonly others: readonly string[];
  /** What applying the old text would have changed. */
  readonly summary: string;
}

export interface NotAdopted {
  readonly item: string;
  readonly hosts: readonly string[];
  /** A sentence without its full stop. */
  readonly why: string;
}

export interface AdoptionDraft {
  /** Changed files with their whole new content. */
  readonly files: Files;
  readonly adopted: readonly Adopted[];
  readonly cannot: readonly NotAdopted[];
}

/** What was found on hosts that somebody else has read, for the same document of the same files. */
export interface AdoptionPart {
  /** All that were read. */
  readonly hosts: readonly string[];
  readonly differing: readonly {
    readonly item: ItemKey;
    readonly hosts: readonly string[];
    readonly summary: string;
    /** The same for all of them; with it the item needs no step on them any more. */
    readonly adoption: Adoption;
  }[];
}

/** Items of one pull request; a document that differs in more has another problem. */
const ITEMS_MAX = 50;

interface Found {
  readonly item: ItemKey;
  readonly on: readonly {
    readonly host: string;
    readonly summary: string;
    readonly adoption: Adoption;
    /** Left out where somebody else has read the host. */
    readonly read?: ReadHost;
  }[];
}

/**
 * The repository's files, changed so that the document says what is on the hosts, item by item. Each is taken in only if the
 * repository is valid with it and the item then needs no step any more. Pure.
 */
export function draftAdoption(adopting: Adopting, parts: readonly AdoptionPart[] = []): AdoptionDraft {
  const own = differing(adopting);
  const hosts = [...ownersOf(adopting), ...parts.flatMap((part) => part.hosts)];
  return drafted(adopting, withParts(own, parts), hosts);
}

/** The same of the hosts that were read here, for somebody else to put into one draft with others. */
export function partOf(adopting: Adopting): AdoptionPart {
  const found = differing(adopting);
  const hosts = ownersOf(adopting);
  const { cannot } = drafted(adopting, found, hosts);
  const whys = new Map(cannot.map(({ item, why }) => [item, why]));
  return {
    hosts,
    differing: found.flatMap(({ item, on }) => {
      const [first] = on;
      const why = whys.get(item);
      if (first === undefined) return [];
      const adoption = why === undefined ? first.adoption : cannotBe(why);
      return [{ item, hosts: on.map(({ host }) => host), summary: first.summary, adoption }];
    }),
  };
}

function withParts(own: readonly Found[], parts: readonly AdoptionPart[]): readonly Found[] {
  const found = new Map(own.map(({ item, on }) => [item, on]));
  for (const { item, hosts, summary, adoption } of parts.flatMap((part) => part.differing))
    found.set(item, [...(found.get(item) ?? []), ...hosts.map((host) => ({ host, summary, adoption }))]);
  return [...found].map(([item, on]) => ({ item, on }));
}

/** `owners`: all hosts of the document that were read. */
function drafted(adopting: Adopting, found: readonly Found[], owners: readonly string[]): AdoptionDraft {
  let files: Files = new Map();
  const adopted: Adopted[] = [];
  const cannot: NotAdopted[] = [];
  for (const [i, each] of found.entries()) {
    const hosts = each.on.map(({ host }) => host);
    const taken = i < ITEMS_MAX ? take(adopting, files, each) : TOO_MANY;
    if (taken.kind === 'cannot') cannot.push({ item: each.item, hosts, why: taken.why });
    else {
      files = taken.files;
      const others = owners.filter((name) => !hosts.includes(name));
      adopted.push({ item: each.item, hosts, others, summary: each.on[0]?.summary ?? '' });
    }
  }
  return { files, adopted, cannot };
}

const TOO_MANY = {
  kind: 'cannot' as const,
  why: `only ${ITEMS_MAX} items are taken into one pull request; ask again after it`,
};

/** All hosts of the document that were read. */
function ownersOf({ hosts, document }: Adopting): readonly string[] {
  return hosts.filter(({ host }) => documentOn(host, document) !== undefined).map(({ host }) => host.name);
}

function documentOn({ documents }: ResolvedHost, ref: string): ResolvedDocument | undefined {
  return documents.find((document) => document.ref === ref);
}

/** Items of the document that differ, with what each host makes of it. */
function differing({ document, hosts, files, options, pending = [] }: Adopting): readonly Found[] {
  const source = checkRepository(files, options)
    .manifest.documents.filter(isPlanned)
    .find(({ ref }) => ref === document);
  if (source === undefined) return [];
  const undone = undoneOf(pending);
  const found = new Map<ItemKey, Found['on'][number][]>();
  for (const read of hosts) {
    const own = documentOn(read.host, document);
    const patterns = own?.drift?.ignore ?? [];
    for (const step of read.plan.steps) {
      if (own === undefined || step.document !== document || ignoresStep(step, patterns)) continue;
      for (const item of itemsOf(step, own)) {
        const host = read.host.name;
        const adoption = undone({ host, stepId: step.id })
          ? cannotBe(PENDING)
          : withoutSecrets(kindOf(own).adopt(source.spec, own.spec, item, read.readings), item, read.mask);
        const one = { host, summary: step.summary, adoption, read };
        found.set(item, [...(found.get(item) ?? []), one]);
      }
    }
  }
  return [...found].map(([item, on]) => ({ item, on }));
}

/** A commit is for ever. */
function withoutSecrets(adoption: Adoption, item: ItemKey, mask: Mask): Adoption {
  if (adoption.kind === 'cannot' || adoption.edits.map(textOf).every((text) => mask(text) === text))
    return adoption;
  return cannotBe(`${item} holds the value of a secret, which a repository must not hold; use a secretRef`);
}

function textOf(edit: Edit): string {
  if (edit.kind === 'write') return edit.text;
  return typeof edit.value === 'string' ? edit.value : JSON.stringify(edit.value);
}

const PENDING = 'a merged pull request is still to change it, once its window opens';

/** What the document names among the items of a step. A unit's file is part of its unit. */
function itemsOf({ before }: Step, document: ResolvedDocument): readonly ItemKey[] {
  const touched = Object.keys(before) as ItemKey[];
  const claimed = new Set(
    kindOf(document)
      .claims(document.spec)
      .map(({ item }) => item),
  );
  const named = touched.filter((item) => claimed.has(item));
  const units = named.filter((item) => item.startsWith('unit:'));
  if (units.length > 0) return units;
  return named.length > 0 ? named : touched.slice(0, 1);
}

type Taken =
  | { readonly kind: 'taken'; readonly files: Files }
  | { readonly kind: 'cannot'; readonly why: string };

function take(adopting: Adopting, changed: Files, { item, on }: Found): Taken {
  const no = (why: string): Taken => ({ kind: 'cannot', why });
  for (const { adoption } of on) if (adoption.kind === 'cannot') return no(adoption.why);
  const ways = new Map(on.map(({ adoption }) => [canonicalJson(adoption), adoption]));
  const [adoption] = ways.values();
  if (ways.size > 1) return no('it is different on each of these servers; one document cannot say both');
  if (adoption?.kind !== 'adopt' || adoption.edits.length === 0)
    return no('no value of the document stands for what differs');
  const files = new Map([...adopting.files, ...changed]);
  const edited = withEdits(files, adopting.options, adopting.document, adoption.edits);
  if (edited.kind === 'cannot') return edited;
  const checked = checkRepository(new Map([...files, ...edited.files]), adopting.options);
  const [error] = checked.errors;
  if (error !== undefined) return no(`the document would not be valid: ${error.message.replace(/\.$/, '')}`);
  const left = on.find(({ read }) => read !== undefined && stillDiffers(adopting, checked, read, item));
  if (left !== undefined) return no(`${left.host} would still differ in it`);
  return { kind: 'taken', files: new Map([...changed, ...edited.files]) };
}

function stillDiffers(
  { repository, openRuns = [] }: Adopting,
  { resolution }: CheckedRepository,
  { host, readings, seals }: ReadHost,
  item: ItemKey,
): boolean {
  const now = resolution.hosts.find(({ name }) => name === host.name);
  if (now === undefined) return true;
  try {
    const { steps } = planHost({
      host: now,
      readings,
      payloads: resolution.payloads,
      seals,
      repository,
      openRuns,
      changedItems: new Set(),
    });
    return steps.some(({ before }) => Object.keys(before).includes(item));
  } catch (error) {
    // the new text asks for something that was not read, such as another owner; the plan check of the pull request reads it
    if (error instanceof FactError) return false;
    throw error;
  }
}
