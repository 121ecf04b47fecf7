import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sh } from '../shell/sh.ts';
import { LINE_MAX_CHARS, OUTPUT_MAX_BYTES } from './output.ts';
import type { Transport } from './session.ts';
import { sshdMissing, startSshd, type TestSshd } from './testing/sshd.ts';

const limit = { timeoutSeconds: 20 };
/** Resident memory that an answer of 100 MiB may cost: what is kept of it, and the garbage of a moment. */
const GROWTH_MAX_MIB = 64;
const MIB = 1024 * 1024;

/** The most that this process grew while it was watched. */
function watchMemory() {
  const before = process.memoryUsage.rss();
  let peak = before;
  const look = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const timer = setInterval(look, 5);
  return {
    end: (): void => {
      look();
      clearInterval(timer);
    },
    grownMiB: (): number => (peak - before) / MIB,
  };
}

describe.skipIf(sshdMissing() !== undefined)(
  'a server that does not stop talking',
  { timeout: 60_000 },
  () => {
    let sshd: TestSshd;
    let transport: Transport;
    beforeAll(async () => {
      sshd = await startSshd();
      transport = sshd.transport();
    });
    afterAll(() => sshd?.stop());

    const FLOODS = {
      'in one line without an end': sh`tr '\0' A < /dev/zero`,
      'of short lines': sh`yes`,
      'of colours and broken UTF-8': sh`yes "$(printf '\033[31m\377\376\200 \342\202')"`,
      'of errors': sh`yes | head -c 104857600 >&2; yes`,
    };

    test.each(Object.entries(FLOODS))(
      'an answer of 100 MB %s is cut, and does not fill the memory of the engine',
      async (_, flood) => {
        const count = String(100 * MIB);
        const { result, grownMiB, longest } = await transport.withSession(sshd.target(), async (session) => {
          await session.run(sh`true`, limit);
          const watched = watchMemory();
          let line = 0;
          const said = await session
            .run(sh`${flood} | head -c ${count}; exit 7`, {
              timeoutSeconds: 50,
              onLine: (text) => {
                line = Math.max(line, text.length);
              },
            })
            .finally(watched.end);
          return { result: said, grownMiB: watched.grownMiB(), longest: line };
        });
        expect(result).toMatchObject({ exitCode: 7, truncated: true });
        expect(Buffer.byteLength(result.stdout)).toBeLessThanOrEqual(3 * OUTPUT_MAX_BYTES);
        expect(longest).toBeLessThanOrEqual(LINE_MAX_CHARS);
        expect(grownMiB).toBeLessThan(GROWTH_MAX_MIB);
      },
    );
  },
);
