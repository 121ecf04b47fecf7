import {
  boolCoreTag,
  floatCoreTag,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  SCALAR_STYLE,
  type ScalarEvent,
} from 'js-yaml';

/** The value of a scalar under YAML 1.2's core schema (chapter 10.3): quoted and block scalars are text. */
export function resolvePlainScalar(event: ScalarEvent, text: string): unknown {
  if (event.style !== SCALAR_STYLE.PLAIN) return text;
  for (const tag of [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag]) {
    const value: unknown = tag.resolve(text, false, tag.tagName);
    if (value !== NOT_RESOLVED) return value;
  }
  return text;
}

/** Offsets of a scalar with its quotes; an empty one stands where the last token ended. */
export function scalarRange(text: string, event: ScalarEvent, last: number): { start: number; end: number } {
  if (event.valueStart === -1) return { start: last, end: last };
  const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
  if (quoted) return { start: event.valueStart - 1, end: event.valueEnd + 1 };
  const value = text.slice(event.valueStart, event.valueEnd);
  const start = event.valueStart + (value.length - value.trimStart().length);
  return {
    start: Math.min(start, event.valueEnd),
    end: Math.max(start, event.valueStart + value.trimEnd().length),
  };
}
