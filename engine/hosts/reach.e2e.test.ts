import { describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { resolvedHost } from '../../test/hostHarness.ts';
import type { ReachProbe } from '../kinds/kind.ts';
import { sh } from '../shell/sh.ts';
import { runProbe } from './probe.ts';
import { targetOf } from './readHost.ts';
import { DEVICE, useLooking } from './testing/looking.ts';

const CLOSED = 3306;

/** A server looks at another one, in real networks: a closed port counts only where something of its address answers. */
describe('a port that is to be closed, as another server sees it', { timeout: 120_000 }, () => {
  const { looker, server, transport, on } = useLooking();

  const address = () => server().address;
  const look = async (more: Partial<ReachProbe>) => {
    const probe: ReachProbe = {
      kind: 'reach',
      from: 'looker',
      address: address(),
      port: CLOSED,
      open: false,
      withinSeconds: 1,
      everySeconds: 1,
      ...more,
    };
    const { server: known } = resolvedHost(looker(), {});
    const { passed, detail } = await transport().withSession(targetOf(known), (session) =>
      runProbe(session, probe),
    );
    return { passed, detail };
  };
  /** For all but the engine, which is on the bridge itself. */
  const drop = (what: string) =>
    on(
      server(),
      `nft -f - <<END\ntable inet own\ndelete table inet own\ntable inet own { chain in { type filter hook input priority 0; ip saddr ${looker().address} ${what} drop; }; }\nEND`,
    );
  const nothingDropped = () => on(server(), 'nft delete table inet own 2>/dev/null || :');

  it('counts where the address itself refuses', async () => {
    expect(await look({})).toEqual({
      passed: true,
      detail: expect.stringMatching(/:3306 from looker refused the connection, 1 try/),
    });
  });

  it('counts where it is silent and another port of that address answers', async () => {
    await drop(`tcp dport ${CLOSED}`);
    expect(await look({ others: [9, 22] })).toEqual({
      passed: true,
      detail: expect.stringMatching(
        /did not accept a connection within 1 s, while tcp\/9 of that address answers/,
      ),
    });
  });

  it('counts where that address answers a ping alone', async () => {
    await drop('meta l4proto tcp');
    expect(await look({ others: [22] })).toEqual({
      passed: true,
      detail: expect.stringContaining('while that address answers a ping'),
    });
  });

  it('cannot be judged where nothing of that address answers', async () => {
    await drop('');
    const seen = await look({ others: [22] });
    await nothingDropped();
    expect(seen).toEqual({
      passed: false,
      detail: expect.stringMatching(
        /:3306 from looker cannot be judged: it did not accept a connection within 1 s, and nothing else of that address answers there \(tcp\/22, ping\)\. Whether looker can reach/,
      ),
    });
  });

  it('cannot be judged over IPv6 from a server without a route to it', async () => {
    await on(server(), `ip addr add fd77:5::1/64 dev ${DEVICE} nodad`);
    const v6 = { address: 'fd77:5::1', others: [22] };
    const unjudged = {
      passed: false,
      detail: expect.stringMatching(/fd77:5::1:3306 from looker cannot be judged: it cannot be reached: /),
    };
    expect(await look(v6)).toEqual(unjudged);
    await on(looker(), `ip addr add fd77:5::2/64 dev ${DEVICE} nodad`);
    // the first packet asks for the neighbour
    expect(await look({ ...v6, withinSeconds: 10 })).toEqual({
      passed: true,
      detail: expect.stringContaining('refused the connection'),
    });
    // on the same network, but that address is nobody's
    expect(await look({ ...v6, address: 'fd77:5::99' })).toMatchObject({ passed: false });
  });

  it('says the same through bash, where sshd forbids forwarding', async () => {
    await on(
      looker(),
      "printf 'AllowTcpForwarding no\\n' > /etc/ssh/sshd_config.d/own.conf; systemctl restart ssh",
    );
    await transport().empty();
    expect(await look({ withinSeconds: 3 })).toEqual({
      passed: true,
      detail: expect.stringContaining('refused the connection'),
    });
    expect(await look({ address: 'fd78::1', withinSeconds: 3 })).toEqual({
      passed: false,
      detail: expect.stringMatching(
        /cannot be judged: it cannot be reached: (Network is unreachable|No route to host)/,
      ),
    });
  });

  it('looks at many silent ports at once there, and has sessions left for all else', async () => {
    await drop('tcp dport 4000-4019');
    const ports = Array.from({ length: 20 }, (_, n) => 4000 + n);
    const silent = Promise.all(ports.map((port) => look({ port, withinSeconds: 3, others: [9, 22] })));
    const open = Promise.all([1, 2, 3].map(() => look({ port: 22, open: true, withinSeconds: 3 })));
    const { server: known } = resolvedHost(looker(), {});
    const ran = transport().withSession(targetOf(known), (session) =>
      session.run(sh`echo here`, { timeoutSeconds: 10 }),
    );
    expect((await silent).filter(({ passed }) => !passed)).toEqual([]);
    expect((await open).filter(({ passed }) => !passed)).toEqual([]);
    expect((await ran).stdout).toBe('here\n');
    // while nothing answers them yet, so that none ends by itself
    await waitFor(
      'no bash to be left',
      20_000,
      async () => (await looker().exec("pgrep -fc '[/]dev/tcp' || :")).stdout === '0\n',
    );
    await nothingDropped();
  });
});
