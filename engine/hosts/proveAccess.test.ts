import { describe, expect, it } from 'vitest';
import { pauseOf, REFUSED_MAX } from './proveAccess.ts';

const WINDOW_MS = 60_000;
/** Until it is given up to hear of the host. ms. */
const HEARD_MS = 90_000;

/** When a host is tried that answers each try so, in a window of a minute: ms since its beginning. */
function tries(refuses: boolean): readonly number[] {
  const at: number[] = [];
  let [now, refused, looks] = [0, 0, 0];
  while (now < WINDOW_MS + HEARD_MS) {
    at.push(now);
    if (now >= WINDOW_MS) looks += 1;
    if (refuses) refused += 1;
    now += pauseOf({ left: WINDOW_MS - now, tries: at.length - 1, refused, looks });
  }
  return at;
}

describe('how often a login is tried', () => {
  it('stays below what fail2ban counts to, where each is refused: two tries and one look', () => {
    const at = tries(true);
    expect(at).toHaveLength(REFUSED_MAX);
    expect(at[1]).toBeGreaterThan(10_000);
    expect(at[2]).toBe(WINDOW_MS + 5_000);
  });

  it('grows apart where nothing answers, and goes on to the end', () => {
    const at = tries(false);
    expect(at.slice(0, 6)).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500]);
    const looks = at.filter((ms) => ms >= WINDOW_MS).map((ms) => ms - WINDOW_MS);
    expect(looks).toEqual([3_500, 13_500, 29_500, 45_500, 61_500, 77_500]);
  });
});
