/** What time it is on GitHub, whose times stand on reviews and comments. */
export interface GitHubClock {
  /** `date` of an answer that just came (RFC 9110: whole seconds, rounded down). */
  readonly hear: (date: unknown) => void;
  readonly now: () => Date;
  /** What it showed when this machine's showed that; epoch ms, both. */
  readonly timeOf: (ownMs: number) => number;
}

/** An answer's date is a second old at most when it was made, and then it travels. ms. */
const BEHIND_MAX_MS = 2_000;

interface Heard {
  readonly githubMs: number;
  /** By the clock that nobody sets. */
  readonly at: number;
}

/** This machine's clock, unless GitHub's last answer shows that it is wrong: then that answer's date and what went by since. */
export function githubClock(): GitHubClock {
  let heard: Heard | undefined;
  const timeOf = (ownMs: number): number => {
    if (heard === undefined) return ownMs;
    const own = Date.now();
    const least = heard.githubMs + performance.now() - heard.at;
    return own >= least && own <= least + BEHIND_MAX_MS ? ownMs : ownMs - own + least;
  };
  return {
    hear: (date) => {
      const githubMs = typeof date === 'string' ? Date.parse(date) : Number.NaN;
      if (Number.isFinite(githubMs)) heard = { githubMs, at: performance.now() };
    },
    now: () => new Date(timeOf(Date.now())),
    timeOf,
  };
}
