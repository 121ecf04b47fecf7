import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { type ItemKey, type Reading, type Readings, splitItemKey } from '../../facts/fact.ts';
import type { Finding, StepDraft } from '../../plan/step.ts';
import type { Payload } from '../../spec/configuration.ts';
import type { ResolvedServer } from '../../spec/resolution.ts';
import { sealKey } from '../../spec/secrets.ts';
import { SERVER } from '../../spec/testing.ts';
import type { Payloads, PlanContext, Seal, Seals } from '../kind.ts';

/**
 * One JSON case of a kind, below `engine/kinds/KIND/cases/`; a file holds one case or an array of them.
 *
 * In `spec`, `readings`, `seals` and `steps` these stand for a text of `payloads`: `{"payload": "NAME"}` for its Payload
 * (with the properties beside it),
 * the string `$sha256(NAME)` for its sha256 and `$base64(NAME)` for its base64.
 */
export interface Case {
  readonly name: string;
  /** `sections` of it that are set are what the case is about; defaults are filled in by the kind's entry. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Every item that the kind needs, by `fact:key`. `raw` defaults to the state as JSON. */
  readonly readings: Readonly<Record<ItemKey, { readonly state: unknown; readonly raw?: string }>>;
  readonly payloads?: Readonly<Record<string, string>>;
  /** `seal` is what the content of `payload` with its secrets is like; `sealed` as in the spec. */
  readonly seals?: readonly { readonly payload: Pick<Payload, 'sha256' | 'sealed'>; readonly seal: Seal }[];
  /** What differs from `SERVER`. */
  readonly server?: Partial<ResolvedServer>;
  readonly jumpFor?: readonly string[];
  /** In order; each has at least id, operation, params and summary. Fields that are left out are not compared. */
  readonly steps: readonly (Pick<StepDraft, 'id' | 'operation' | 'params' | 'summary'> &
    Partial<StepDraft>)[];
  readonly findings?: readonly Pick<Finding, 'severity' | 'message'>[];
}

/** The cases in a folder, with the file's name before the case's. */
export function readCases(folder: URL): readonly Case[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .flatMap((file) => {
      const parsed: Case | readonly Case[] = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
      const cases = Array.isArray(parsed) ? (parsed as readonly Case[]) : [parsed as Case];
      return cases.map((c) => expand({ ...c, name: `${file}: ${c.name}` }));
    });
}

export function contextOf(c: Case): PlanContext {
  return {
    payloads: payloadsOf(c),
    seals: sealsOf(c),
    server: { ...SERVER, ...c.server },
    jumpFor: c.jumpFor ?? [],
  };
}

export function payloadsOf(c: Case): Payloads {
  return new Map(Object.values(c.payloads ?? {}).map((text) => [sha256(text), Buffer.from(text, 'utf8')]));
}

function sealsOf(c: Case): Seals {
  return new Map((c.seals ?? []).map(({ payload, seal }) => [sealKey(payload), seal]));
}

export function readingsOf(c: Case): Readings {
  return new Map(
    Object.entries(c.readings).map(([item, { state, raw }]): [ItemKey, Reading] => [
      item as ItemKey,
      { query: splitItemKey(item), state, raw: raw ?? JSON.stringify(state) },
    ]),
  );
}

function expand(c: Case): Case {
  const payload = (name: string): string => {
    const text = c.payloads?.[name];
    if (text === undefined)
      throw new Error(`case "${c.name}" names the payload ${name}, which it does not have`);
    return text;
  };
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return substitute(value, payload);
    if (Array.isArray(value)) return value.map(walk);
    if (value === null || typeof value !== 'object') return value;
    if ('payload' in value && typeof value.payload === 'string') {
      const { payload: name, ...more } = value;
      return { ...asPayload(payload(name as string)), ...more };
    }
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, walk(v)]));
  };
  return { ...(walk({ ...c, payloads: {} }) as Case), ...(c.payloads ? { payloads: c.payloads } : {}) };
}

function substitute(value: string, payload: (name: string) => string): string {
  return value
    .replaceAll(/\$sha256\(([^)]+)\)/g, (_, name: string) => sha256(payload(name)))
    .replaceAll(/\$base64\(([^)]+)\)/g, (_, name: string) => Buffer.from(payload(name)).toString('base64'));
}

function asPayload(text: string) {
  return { sha256: sha256(text), size: Buffer.byteLength(text), text: true };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
