import { beforeAll, describe, expect, it } from 'vitest';
import { resolvedHost, testDocument } from '../../test/hostHarness.ts';
import { DEVICE, useLooking } from '../hosts/testing/looking.ts';
import { firewallSpec } from '../kinds/firewall/testing/spec.ts';
import type { Exposure } from '../security/host.ts';
import type { ResolvedHost } from '../spec/resolution.ts';
import { readSecurity } from './readSecurity.ts';

const V6 = 'fd77:6::1';

/** One server looks at another one, in real networks. */
describe('ports as another server sees them', { timeout: 120_000 }, () => {
  const { looker, server, transport, on } = useLooking();
  beforeAll(() => on(server(), `ip addr add ${V6}/64 dev ${DEVICE} nodad`));

  /** Rules of the looker's own for what it sends to the server; its answers to the engine go on. */
  const egress = (...rules: readonly string[]) =>
    on(
      looker(),
      `nft -f - <<END\ntable inet own\ndelete table inet own\ntable inet own { chain out { type filter hook output priority 0; ct state established accept; ${rules.join('; ')}; }; }\nEND`,
    );
  const freely = () => on(looker(), 'nft delete table inet own 2>/dev/null || :');
  const firewall = (given: Readonly<Record<string, unknown>>) =>
    testDocument('Firewall', firewallSpec(given));
  /** What the looker sees of the server, whose document has 3306 open for some. */
  const look = async ({ own = {}, from = [looker().address], addresses = [server().address] }) => {
    const inbound = { db: { action: 'accept', ports: ['3306/tcp'], from } };
    const hosts: readonly ResolvedHost[] = [
      { ...resolvedHost(server(), [firewall({ inbound })]), addresses },
      resolvedHost(looker(), [firewall(own)]),
    ];
    const [read] = await readSecurity(transport(), hosts);
    if (read?.kind !== 'read') throw new Error(`not read: ${read?.problem}`);
    return read.exposure;
  };
  const seen = ({ ports }: Exposure, port: number, address = server().address) =>
    ports.find((one) => one.port === port && one.address === address);

  it('are closed where the address itself says so', async () => {
    const exposure = await look({});
    expect(exposure).toMatchObject({ from: 'looker' });
    expect(seen(exposure, 22)).toMatchObject({ open: true });
    expect(seen(exposure, 3306)).toEqual({
      address: server().address,
      port: 3306,
      program: '',
      open: false,
      declared: true,
    });
  });

  it('are not known on an address that the looker has no way to', async () => {
    const both = await look({ addresses: [server().address, V6] });
    expect(seen(both, 22)).toMatchObject({ open: true });
    expect(seen(both, 22, V6)).toEqual({
      address: V6,
      port: 22,
      program: 'sshd',
      open: false,
      unknown: true,
    });
    await on(looker(), `ip addr add fd77:6::2/64 dev ${DEVICE} nodad`);
    const now = await look({ addresses: [server().address, V6] });
    expect(seen(now, 22, V6)).toMatchObject({ open: true });
    expect(now.ports.filter(({ unknown }) => unknown)).toEqual([]);
  });

  it('are seen by nobody where the looker may send nothing', async () => {
    await egress(`ip daddr ${server().address} drop`);
    const exposure = await look({});
    await freely();
    expect(exposure).toMatchObject({
      ports: [],
      why: expect.stringMatching(/^nothing of it answers looker/),
    });
    expect(exposure).not.toHaveProperty('from');
  });

  it('are not known where its own firewall lets out nothing but pings and one port', async () => {
    await egress('meta l4proto icmp accept', 'tcp dport 22 accept', `ip daddr ${server().address} drop`);
    const rules = { ssh: { action: 'accept', ports: ['22/tcp'] } };
    const exposure = await look({ own: { outbound: { default: 'drop', rules } } });
    await freely();
    expect(seen(exposure, 22)).toMatchObject({ open: true });
    expect(seen(exposure, 3306)).toMatchObject({ open: false, unknown: true });
  });

  it('are judged by the address that the looker comes from, not by others that it has', async () => {
    await on(looker(), `ip addr add 172.30.0.1/24 dev ${DEVICE}`);
    await on(server(), 'systemd-run -q --unit=own-3306 systemd-socket-activate -a -l 3306 cat');
    await on(server(), "timeout 30 sh -c 'until ss -Hltn sport = :3306 | grep -q .; do sleep 0.1; done'");
    const other = await look({ from: ['172.30.0.0/24'] });
    expect(seen(other, 3306)).toMatchObject({ open: true, declared: false });
    expect(seen(await look({}), 3306)).toMatchObject({ open: true, declared: true });
  });
});
