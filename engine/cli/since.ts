const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Epoch ms of `24h` (before `now`) or of an ISO 8601 date or time; without a zone it is UTC. Throws a sentence. */
export function sinceTime(text: string, now: number): number {
  const ago = /^(\d{1,6})([smhdw])$/.exec(text);
  if (ago !== null) return now - Number(ago[1]) * (UNIT_MS[ago[2] ?? ''] ?? 0);
  const iso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  const zoned = iso !== null && iso[1] !== undefined && iso[4] === undefined ? `${text}Z` : text;
  const at = iso === null ? Number.NaN : Date.parse(zoned);
  if (Number.isNaN(at))
    throw new Error(
      `"${text}" is no time: write 30m, 24h or 7d for so long ago, or a time such as 2026-11-26T08:00Z.`,
    );
  return at;
}
