import { describe, expect, it } from 'vitest';
import { sh } from '../shell/sh.ts';
import { HostError } from './host-error.ts';
import { sshdMissing, startSshd, type TestSshd } from './testing/sshd.ts';
import { MAX_RUNS_PER_CONNECTION } from './transport.ts';

const limit = { timeoutSeconds: 20 };
const some = <T>(count: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, make));

async function withSshd<T>(config: readonly string[], use: (sshd: TestSshd) => Promise<T>): Promise<T> {
  const sshd = await startSshd(config);
  try {
    return await use(sshd);
  } finally {
    await sshd.stop();
  }
}

/** A connection has fewer sessions than there is to do at once. */
describe.skipIf(sshdMissing() !== undefined)('sshd with few sessions', { timeout: 60_000 }, () => {
  it('runs everything all the same, each when there is a place', () =>
    withSshd(['MaxSessions 2'], async (sshd) => {
      const ran = await sshd
        .transport()
        .withSession(sshd.target(), (session) =>
          some(MAX_RUNS_PER_CONNECTION, () => session.run(sh`sleep 0.2; echo done`, limit)),
        );
      expect(ran.map(({ stdout }) => stdout)).toEqual(Array(MAX_RUNS_PER_CONNECTION).fill('done\n'));
    }));

  it('lets many end and begin at the same moment', () =>
    withSshd([], async (sshd) => {
      const many = 5 * MAX_RUNS_PER_CONNECTION;
      const ran = await sshd
        .transport()
        .withSession(sshd.target(), (session) => some(many, () => session.run(sh`true`, limit)));
      expect(ran.filter(({ exitCode }) => exitCode === 0)).toHaveLength(many);
    }));

  it('looks at ports through bash, each when there is a place', () =>
    withSshd(['MaxSessions 2', 'AllowTcpForwarding no'], async (sshd) => {
      const looked = await sshd.transport().withSession(sshd.target(), (session) =>
        some(MAX_RUNS_PER_CONNECTION, async () => {
          const stream = await session.connect('127.0.0.1', sshd.port, limit.timeoutSeconds * 1_000);
          const [banner] = await stream.take(1).toArray();
          stream.destroy();
          return String(banner);
        }),
      );
      expect(looked.filter((banner) => banner.startsWith('SSH-2.0'))).toHaveLength(MAX_RUNS_PER_CONNECTION);
    }));

  it('that allows none says so, and that nothing ran', () =>
    withSshd(['MaxSessions 0'], async (sshd) => {
      const error: unknown = await sshd
        .transport()
        .withSession(sshd.target(), (session) => session.run(sh`true`, limit))
        .catch((problem: unknown) => problem);
      expect(error).toBeInstanceOf(HostError);
      expect(error).toMatchObject({
        message: expect.stringMatching(
          /opened no more sessions for 15 s \(see MaxSessions in its sshd_config: .*\) before the script was sent; nothing ran\.$/,
        ),
        ambiguous: false,
        retryable: true,
      });
    }));
});
