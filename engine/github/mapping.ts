import type { EngineEvent, EventOrigin } from './events.ts';
import { at, optional, text } from './payload.ts';

export type Mapped =
  | { readonly kind: 'event'; readonly event: EngineEvent }
  | { readonly kind: 'ignored'; readonly reason: string };

export interface MappingOptions {
  /** Our App's id: only buttons of our own checks count. */
  readonly appId: number;
}

export type Payload = Readonly<Record<string, unknown>>;
export type Mapper = (payload: Payload, of: EventOrigin, options: MappingOptions) => Mapped;

export function senderOf(payload: Payload): string {
  return optional(text, at(payload, 'sender', 'login')) ?? '';
}

export function event(mapped: EngineEvent): Mapped {
  return { kind: 'event', event: Object.freeze(mapped) };
}

export function ignored(reason: string): Mapped {
  return { kind: 'ignored', reason };
}
