import type { Control } from '../control.ts';
import { sysctl } from './sysctl.ts';

const FORGED = 'Whoever can send packets could lead traffic of this host elsewhere.';

/** Of these the kernel takes the interface's own value alone, which comes from `default` when the interface does; IPv4 copies it to those that exist. */
const LATER6 = {
  all: ' (all, which interfaces do not follow)',
  default: ' on interfaces that come later',
} as const;

export const networkControls: readonly Control[] = [
  sysctl(
    'network',
    ['sysctl-ip-forward', 'baseline', 'medium'],
    ['net.ipv4.ip_forward', '0'],
    [
      'Packets of others are not passed on',
      'A server that is no router would carry an intruder from one network into another.',
      'CIS 3.3.1, dev-sec linux-baseline',
    ],
    { applies: 'routes-for-nobody', breaks: ['containers', 'virtual machines', 'VPNs'] },
  ),
  sysctl(
    'network',
    ['sysctl-ip6-forward', 'baseline', 'medium'],
    ['net.ipv6.conf.all.forwarding', '0'],
    [
      'Packets of others are not passed on (IPv6)',
      'A server that is no router would carry an intruder from one network into another.',
      'CIS 3.3.1, dev-sec linux-baseline',
    ],
    { applies: 'routes-for-nobody', breaks: ['containers', 'virtual machines', 'VPNs'] },
  ),
  ...(['all', 'default'] as const).flatMap((of): readonly Control[] => [
    sysctl(
      'network',
      [`sysctl-send-redirects-${of}`, 'baseline', 'medium'],
      [`net.ipv4.conf.${of}.send_redirects`, '0'],
      [
        `No ICMP redirects are sent (${of})`,
        'Only routers have a reason to.',
        'CIS 3.3.2, dev-sec linux-baseline',
      ],
    ),
    sysctl(
      'network',
      [`sysctl-accept-redirects-${of}`, 'baseline', 'medium'],
      [`net.ipv4.conf.${of}.accept_redirects`, '0'],
      [`ICMP redirects change no route (${of})`, FORGED, 'CIS 3.3.5, dev-sec linux-baseline'],
    ),
    sysctl(
      'network',
      [`sysctl-secure-redirects-${of}`, 'baseline', 'medium'],
      [`net.ipv4.conf.${of}.secure_redirects`, '0'],
      [`Not even ICMP redirects of known gateways do (${of})`, FORGED, 'CIS 3.3.6, dev-sec linux-baseline'],
    ),
    sysctl(
      'network',
      [`sysctl-source-route-${of}`, 'baseline', 'medium'],
      [`net.ipv4.conf.${of}.accept_source_route`, '0'],
      [
        `Senders do not choose the way of packets (${of})`,
        'It gets around routes and filters.',
        'CIS 3.3.8, dev-sec linux-baseline',
      ],
    ),
    sysctl(
      'network',
      [`sysctl-rp-filter-${of}`, 'baseline', 'medium'],
      [`net.ipv4.conf.${of}.rp_filter`, '1', '2'],
      [
        `Forged senders are dropped (${of})`,
        'An answer to the sender would not leave by the interface that the packet came in through.',
        'CIS 3.3.7, dev-sec linux-baseline',
      ],
      { applies: 'single-homed', breaks: ['asymmetric routes; 2 (loose) counts as well'] },
    ),
    sysctl(
      'network',
      [`sysctl-log-martians-${of}`, 'strict', 'low'],
      [`net.ipv4.conf.${of}.log_martians`, '1'],
      [
        `Impossible senders are logged (${of})`,
        'They tell of a mistake or of somebody who tries.',
        'CIS 3.3.9, dev-sec linux-baseline',
      ],
      { breaks: ['disk space for the log on odd networks'] },
    ),
    sysctl(
      'network',
      [`sysctl-accept-redirects6-${of}`, 'baseline', 'medium'],
      [`net.ipv6.conf.${of}.accept_redirects`, '0'],
      [`ICMPv6 redirects change no route${LATER6[of]}`, FORGED, 'CIS 3.3.5, dev-sec linux-baseline'],
    ),
    sysctl(
      'network',
      [`sysctl-source-route6-${of}`, 'baseline', 'medium'],
      [`net.ipv6.conf.${of}.accept_source_route`, '0'],
      [
        `Senders do not choose the way of packets (IPv6, ${of})`,
        'It gets around routes and filters.',
        'CIS 3.3.8',
      ],
    ),
    sysctl(
      'network',
      [`sysctl-router-advertisements-${of}`, 'strict', 'medium'],
      [`net.ipv6.conf.${of}.accept_ra`, '0'],
      [`Router advertisements change nothing${LATER6[of]}`, FORGED, 'CIS 3.3.11, dev-sec linux-baseline'],
      {
        applies: 'no-router-advertisements',
        breaks: ['IPv6 addresses that come by SLAAC: give the server a fixed one first, or waive this'],
      },
    ),
  ]),
  sysctl(
    'network',
    ['sysctl-arp-ignore', 'strict', 'low'],
    ['net.ipv4.conf.all.arp_ignore', '1', '2'],
    [
      'ARP tells an address only on its own interface',
      'The host would otherwise tell one network of its addresses in another.',
      'dev-sec linux-baseline',
    ],
  ),
  sysctl(
    'network',
    ['sysctl-arp-announce', 'strict', 'low'],
    ['net.ipv4.conf.all.arp_announce', '2'],
    [
      'ARP asks with an address of the right interface',
      'The host would otherwise tell one network of its addresses in another.',
      'dev-sec linux-baseline',
    ],
  ),
  sysctl(
    'network',
    ['sysctl-icmp-broadcast', 'baseline', 'medium'],
    ['net.ipv4.icmp_echo_ignore_broadcasts', '1'],
    [
      'No answer to pings of a whole network',
      'With forged senders the answers of many hosts would flood one (smurf).',
      'CIS 3.3.4, dev-sec linux-baseline',
    ],
  ),
  sysctl(
    'network',
    ['sysctl-icmp-bogus', 'baseline', 'low'],
    ['net.ipv4.icmp_ignore_bogus_error_responses', '1'],
    ['Senseless ICMP errors are not logged', 'They would fill the log.', 'CIS 3.3.3, dev-sec linux-baseline'],
  ),
  sysctl(
    'network',
    ['sysctl-icmp-ratelimit', 'baseline', 'low'],
    ['net.ipv4.icmp_ratelimit', '100', '1000'],
    [
      'ICMP answers have a limit',
      'Otherwise the host could be used to flood others.',
      'dev-sec linux-baseline',
    ],
  ),
  sysctl(
    'network',
    ['sysctl-syncookies', 'baseline', 'high'],
    ['net.ipv4.tcp_syncookies', '1', '2'],
    [
      'A flood of connections that are never finished keeps nobody out',
      'SYN cookies need no memory for a connection before it is real.',
      'CIS 3.3.10, dev-sec linux-baseline',
    ],
  ),
  sysctl(
    'network',
    ['sysctl-rfc1337', 'baseline', 'low'],
    ['net.ipv4.tcp_rfc1337', '1'],
    [
      'A late reset does not end a connection in TIME-WAIT',
      'Old packets could otherwise disturb a new connection.',
      'RFC 1337, dev-sec linux-baseline',
    ],
  ),
];
