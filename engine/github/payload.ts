/** Reads of a JSON payload that somebody else made. Each throws an Error that says what was expected. */

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path; `undefined` where the path ends early. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (part, key) => (isObject(part) && Object.hasOwn(part, key) ? part[key] : undefined),
    value,
  );
}

/** Names, SHAs and times; GitHub's longest, of branches, have 255 bytes. Characters. */
const TEXT_MAX = 1_024;

export function text(value: unknown): string {
  const found = anyText(value);
  if (found.length > TEXT_MAX)
    throw new Error(`expected at most ${TEXT_MAX} characters, got ${found.length}`);
  return found;
}

/** What people write, which has no bound here. */
export function anyText(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`expected text, got ${typeof value}`);
  return value;
}

export function number(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw new Error(`expected a whole number, got ${typeof value}`);
  return value;
}

export function flag(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Error(`expected true or false, got ${typeof value}`);
  return value;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** GitHub writes null for what is not there. */
export function optional<T>(read: (value: unknown) => T, value: unknown): T | undefined {
  return value === undefined || value === null ? undefined : read(value);
}
