const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** At most `most` in any span of `ms`. */
interface Bound {
  readonly most: number;
  readonly ms: number;
}

export interface Limits {
  /** All that is no reading. */
  readonly writes: readonly Bound[];
  readonly requests: readonly Bound[];
}

export type Kind = 'read' | 'write';

/** What of each bound is left to what must be said, when what people can do without has had its part. */
const RESERVED = 1 / 3;

/**
 * Of one installation. GitHub allows 80 requests that create content in a minute, 500 in an hour, and 5,000 requests in an hour ("Rate
 * limits for the REST API"); with 75 writes a minute these are 75, 450 and 4,500. Every request that is no reading counts as one that creates content.
 */
export function installationLimits(writesPerMinute: number): Limits {
  return {
    writes: [
      { most: writesPerMinute, ms: MINUTE_MS },
      { most: 6 * writesPerMinute, ms: HOUR_MS },
    ],
    requests: [{ most: 60 * writesPerMinute, ms: HOUR_MS }],
  };
}

/** Of the App itself, which creates no content. GitHub's bound is 900 points a minute at 5 a write: 180 where an installation has 75. */
export function appLimits(writesPerMinute: number): Limits {
  return {
    writes: [{ most: 2 * writesPerMinute, ms: MINUTE_MS }],
    requests: [{ most: 60 * writesPerMinute, ms: HOUR_MS }],
  };
}

/** What was sent, held against the limits. All times are of one clock that nobody sets, ms. */
export interface Budget {
  /** Until one more may begin when `ahead` others of its kind come first; 0 for now. */
  readonly waitMs: (kind: Kind, now: number, ahead?: number) => number;
  readonly begin: (kind: Kind) => void;
  readonly end: (kind: Kind, now: number) => void;
  /** May what people can do without be sent now? */
  readonly spare: (now: number) => boolean;
}

export function createBudget({ writes, requests }: Limits): Budget {
  const ofWrites = writes.map(createSpan);
  const ofAll = requests.map(createSpan);
  const spans = (kind: Kind): readonly Span[] => (kind === 'write' ? [...ofWrites, ...ofAll] : ofAll);
  return {
    waitMs: (kind, now, ahead = 0) => Math.max(...spans(kind).map((span) => span.waitMs(now, ahead))),
    begin: (kind) => {
      for (const span of spans(kind)) span.begin();
    },
    end: (kind, now) => {
      for (const span of spans(kind)) span.end(now);
    },
    spare: (now) => spans('write').every((span) => span.left(now) > span.most * RESERVED),
  };
}

interface Span {
  readonly waitMs: (now: number, ahead: number) => number;
  readonly begin: () => void;
  readonly end: (now: number) => void;
  readonly left: (now: number) => number;
  readonly most: number;
}

/**
 * A request counts from its beginning until `ms` after its answer. GitHub saw it at some moment between the two, so
 * however long each is under way, GitHub never sees more than `most` in a span of `ms`.
 */
function createSpan({ most, ms }: Bound): Span {
  let underWay = 0;
  /** When they were answered, ascending. */
  let ended: number[] = [];
  const used = (now: number): number => {
    const current = ended.findIndex((at) => at > now - ms);
    if (current !== 0) ended = current < 0 ? [] : ended.slice(current);
    return underWay + ended.length;
  };
  return {
    waitMs: (now, ahead) => {
      const missing = used(now) + ahead + 1 - most;
      if (missing <= 0) return 0;
      const frees = ended[missing - 1];
      return frees === undefined ? ms : frees + ms - now;
    },
    begin: () => {
      underWay += 1;
    },
    end: (now) => {
      underWay -= 1;
      ended.push(now);
    },
    left: (now) => most - used(now),
    most,
  };
}
