import { describe, expect, it } from 'vitest';
import { testDocument, type Wanted } from '../../test/hostHarness.ts';
import { rulesetText } from '../kinds/firewall/ruleset.ts';
import type { DesiredFirewall } from '../kinds/firewall/spec.ts';
import { CLOSED, ports, RULE } from '../kinds/firewall/testing/spec.ts';
import { useTestHost } from './testing/cycle.ts';

/** Operations: firewall.set. What goes through a router and out of it, by packets between two networks behind it. */
describe('a firewall on a router', () => {
  const t = useTestHost();
  const wanted = (desired: DesiredFirewall): Wanted => [
    testDocument('Firewall', {
      desired,
      script: t.harness().payload(rulesetText(desired)),
      probes: [],
    }),
  ];
  /** What listeners say to whoever asks from a network (`router`: the host itself): the address that they see. */
  const asked = async (expected: Answers): Promise<Answers> => {
    const answers = Object.keys(expected).map(async (question) => {
      const [net = '', address = '', port = ''] = question.split(' ');
      const inside = net === 'router' ? '' : `ip netns exec ${net} `;
      return [question, (await t.outside(`${inside}perl /run/ask ${address} ${port}`)).trim()] as const;
    });
    return Object.fromEntries(await Promise.all(answers));
  };

  it('lets through, translates and lets out what is declared, nothing else; then it is the router of before', async () => {
    await t.outside(NETWORKS);
    expect(await asked(BEFORE)).toEqual(BEFORE);
    const { steps } = await t.harness().plan(wanted(ROUTER));
    const said = steps.flatMap(({ diff = '' }) => diff.split('\n').filter((line) => line.startsWith('~ ')));
    expect(said).toEqual(SAID);
    await t.cycle(wanted(ROUTER), async () => {
      expect(await asked(DURING)).toEqual(DURING);
    });
    expect(await asked(BEFORE)).toEqual(BEFORE);
  });
});

/** `NETWORK ADDRESS PORT`, and the sender that the listener there sees. */
type Answers = Readonly<Record<string, string>>;

const BEFORE: Answers = {
  'inner 10.99.2.2 81': '10.99.1.2',
  'outer 10.99.1.2 81': '10.99.2.2',
  'outer fd99:1::2 81': 'fd99:2::2',
  'outer 10.99.2.1 8080': 'closed',
};

const DURING: Answers = {
  // a port of the router leads inside, where the service sees who asks; only from the zone that it is declared for
  'outer 10.99.2.1 8080': '10.99.2.2',
  'outer fd99:2::1 8080': 'fd99:2::2',
  'inner 10.99.1.1 8080': 'closed',
  // what "forward" denies is denied to port forwards too
  'outer 10.99.2.1 8081': 'closed',
  // the network inside goes out under the router's address
  'inner 10.99.2.2 80': '10.99.2.1',
  'inner fd99:2::2 80': 'fd99:2::1',
  // what no rule names goes neither through nor out
  'inner 10.99.2.2 81': 'closed',
  'inner fd99:2::2 81': 'closed',
  'outer 10.99.1.2 81': 'closed',
  'outer fd99:1::2 81': 'closed',
  'outer 10.99.1.2 80': 'closed',
  'router 10.99.2.2 80': '10.99.2.1',
  'router 10.99.2.2 81': 'closed',
  // a zone is where a packet comes in
  'inner 10.99.1.1 9100': '10.99.1.2',
  'inner fd99:1::1 9100': 'fd99:1::2',
  'outer 10.99.2.1 9100': 'closed',
  'outer fd99:2::1 9100': 'closed',
};

/** The plan of it, whose sentences these packets prove. */
const SAID = [
  '~ everyone loses everything but tcp/22, tcp/9100',
  '~ everyone loses tcp/9100 on ext0, other interfaces',
  '~ everyone but 10.99.2.2, ::/0 gains tcp/8081 led on to 10.99.1.2:81 in by ext0',
  '~ everyone over IPv4 gains tcp/8080 led on to 10.99.1.2:80 in by ext0',
  '~ everyone over IPv6 gains tcp/8080 led on to [fd99:1::2]:80 in by ext0',
  '~ everyone loses everything through the host but what "forward" accepts',
  '~ the host loses everything but tcp/80 of everyone',
];

const forwarded = { ports: ports('8080/tcp'), from: null, inInterfaces: ['ext0'], port: 80 } as const;

const ROUTER: DesiredFirewall = {
  ...CLOSED,
  inbound: { metrics: { ...RULE, ports: ports('9100/tcp'), inInterfaces: ['in*'] } },
  outbound: { default: 'drop', rules: { web: { ...RULE, ports: ports('80/tcp') } } },
  forward: {
    default: 'drop',
    rules: {
      out: { ...RULE, ports: ports('80/tcp'), inInterfaces: ['in0'], outInterfaces: ['ext0'] },
      no: { ...RULE, action: 'drop', ports: ports('81/tcp'), from: ['10.99.2.2'] },
    },
  },
  portForwards: {
    denied: { ...forwarded, ports: ports('8081/tcp'), address: '10.99.1.2', port: 81 },
    web: { ...forwarded, address: '10.99.1.2' },
    'web-6': { ...forwarded, address: 'fd99:1::2' },
  },
  masquerade: { lan: { from: ['10.99.1.0/24', 'fd99:1::/64'], outInterfaces: ['ext0'] } },
};

/** Two networks behind the host, each with a machine whose listeners answer with the address that they see. */
const NETWORKS = `set -eu
cat > /run/listen <<'END'
use IO::Socket::IP; use IO::Select;
my $all = IO::Select->new(map { IO::Socket::IP->new(LocalHost => '::', LocalPort => $_, Listen => 9, ReuseAddr => 1, V6Only => 0) or die "$_: $@" } @ARGV);
while (my @ready = $all->can_read) {
  for (@ready) { my $c = $_->accept or next; my $a = $c->peerhost; $a =~ s/^::ffff://; print $c "$a\\n"; close $c; }
}
END
cat > /run/ask <<'END'
use IO::Socket::IP;
my $c = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => $ARGV[1], Timeout => 3);
my $line = $c && <$c>; print $line || "closed\\n";
END
sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
# an address that is still looked for elsewhere answers nobody
no_dad='net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.dad_transmits=0'
sysctl -q -w $no_dad
network() { # NAME DEVICE NUMBER
  ip netns add "$1"
  ip netns exec "$1" sysctl -q -w $no_dad
  ip link add "$2" type veth peer name eth0 netns "$1"
  ip addr add "10.99.$3.1/24" dev "$2"; ip addr add "fd99:$3::1/64" dev "$2" nodad; ip link set "$2" up
  ip -n "$1" addr add "10.99.$3.2/24" dev eth0; ip -n "$1" addr add "fd99:$3::2/64" dev eth0 nodad
  ip -n "$1" link set eth0 up; ip -n "$1" link set lo up
  ip -n "$1" route add default via "10.99.$3.1"; ip -n "$1" route add default via "fd99:$3::1"
  systemd-run -q --unit="listen-$1" ip netns exec "$1" perl /run/listen 80 81
}
network inner in0 1; network outer ext0 2
systemd-run -q --unit=listen perl /run/listen 9100
for net in inner outer; do
  n=0; until ip netns exec $net ss -Hltn 'sport = :81' | grep -q .; do n=$((n + 1)); [ $n -lt 100 ]; sleep 0.05; done
done
n=0; until ss -Hltn 'sport = :9100' | grep -q .; do n=$((n + 1)); [ $n -lt 100 ]; sleep 0.05; done
`;
