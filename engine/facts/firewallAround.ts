import { isIP } from 'node:net';
import type { Sh } from '../shell/sh.ts';

/** What else decides about packets on the host, and who waits for them. */
export interface FirewallAround {
  /** Other firewalls of the host that are active: `ufw.service`, `firewalld.service`, `netfilter-persistent.service`. */
  readonly others: readonly string[];
  /** Chains of others that drop what comes in unless they accept it themselves: `ip filter INPUT`; at most `CLOSING_MAX`. */
  readonly closing: readonly string[];
  /** The kernel passes packets on between interfaces. */
  readonly forwards: { readonly ipv4: boolean; readonly ipv6: boolean };
  /** TCP ports that something listens on for others than the host itself; at most `LISTENERS_MAX`. */
  readonly listeners: readonly Listener[];
  /** How many TCP ports more there are; left out where there are none. */
  readonly unlisted?: number;
  /** Unconnected UDP sockets that others than the host itself reach, those of clients too; at most `LISTENERS_MAX`, the lowest ports. */
  readonly udp: readonly Listener[];
  /** What the kernel chooses from where a program asks for no port of its own; both ends count. */
  readonly ephemeral: { readonly first: number; readonly last: number };
  readonly wireGuards: readonly WireGuard[];
  /** Where this login comes from, and the port of the host that it came to, as the host sees them. */
  readonly login?: { readonly address: string; readonly port: number };
  /** The interface that has the address that this login came to, if it is that of a VPN: `wg0`, `tun0`, `tap0`. */
  readonly vpn?: string;
}

export interface Listener {
  readonly port: number;
  /** Name of the program; empty where the host does not say, as of sockets of the kernel. */
  readonly program: string;
}

export interface WireGuard {
  readonly name: string;
  /** Left out where the host has no wg(8) to say it. */
  readonly port?: number;
  /** The host itself keeps the way to every peer open (PersistentKeepalive). */
  readonly kept: boolean;
}

export const LISTENERS_MAX = 64;
/** Chains of others, and interfaces of WireGuard, that are looked at. */
const CLOSING_MAX = 16;
const WIREGUARDS_MAX = 16;

/** Of the kernel's Documentation/networking/ip-sysctl.rst. */
const EPHEMERAL = { first: 32_768, last: 60_999 } as const;

/** Seconds for the rules of others, of which there may be any number. */
const RULES_SECONDS = 5;

/**
 * Names that nft(8) would not read as one word are left out: it reads its arguments as text of its language. Only the first rule of a
 * chain that is about everything decides; "xt target" is how nft shows a target of iptables that it does not know.
 */
export const CLOSING_FUNCTIONS: Sh = {
  kind: 'sh',
  text: `doaas_bases() { # FAMILY TABLE CHAIN POLICY of every chain of others that packets to the host meet
  timeout ${RULES_SECONDS} nft list chains 2>/dev/null | awk -v max=${CLOSING_MAX} '
    function word(name) { return name ~ /^[A-Za-z_][A-Za-z0-9_.\\/-]*$/ && length(name) <= 64 }
    $1 == "table" { family = $2; table = $3 }
    $1 == "chain" { chain = $2 }
    / hook input / && $1 == "type" && $2 == "filter" && family ~ /^(ip|ip6|inet)$/ && family " " table != "inet doaas" {
      if (word(table) && word(chain) && n++ < max) print family, table, chain, ($0 ~ /policy drop;/ ? "drop" : "accept") }'
}
doaas_shuts() { # POLICY; rules of one chain, as nft lists them
  awk -v policy="$1" '
    { rule = $0; sub(/ comment ".*/, "", rule); gsub(/counter( packets [0-9]+ bytes [0-9]+)?|log( prefix "[^"]*")?( level [a-z]+)?/, "", rule)
      gsub(/^[ \\t]+|[ \\t]+$/, "", rule) }
    verdict == "" && rule ~ /^(accept|xt target "ACCEPT")$/ { verdict = "accept" }
    verdict == "" && rule ~ /^(drop|reject( with .*)?|xt target "(DROP|REJECT)")$/ { verdict = "drop" }
    END { exit (verdict == "" ? policy : verdict) != "drop" }'
}
doaas_saved_shuts() { # FAMILY; what iptables-save prints
  awk -v family="$1" '
    /^[*]/ { filter = ($0 == "*filter") }
    !filter { next }
    $1 == ":INPUT" { policy = $2 }
    verdict == "" && /^-A INPUT / {
      rule = $0; sub(/ -m comment --comment ("[^"]*"|[^ ]+)/, "", rule); sub(/ --reject-with [a-z0-9-]+/, "", rule)
      if (rule ~ /^-A INPUT -j (ACCEPT|DROP|REJECT)$/) { verdict = rule; sub(/.* /, "", verdict) } }
    END { if (verdict == "") verdict = policy; if (verdict == "DROP" || verdict == "REJECT") print "~ closing " family " filter INPUT" }'
}
doaas_closing() { # legacy tables only where there are some: to ask for one makes it
  if command -v nft > /dev/null; then
    doaas_bases | while read -r f t c p; do
      ! timeout ${RULES_SECONDS} nft -s list chain "$f" "$t" "$c" 2>/dev/null | doaas_shuts "$p" || echo "~ closing $f $t $c"
    done
  else
    for s in ip ip6; do
      ! command -v $s"tables-save" > /dev/null || timeout ${RULES_SECONDS} $s"tables-save" 2>/dev/null | doaas_saved_shuts $s
    done
  fi
  for s in ip ip6; do
    { read -r t < /proc/net/$s"_tables_names"; } 2>/dev/null && command -v $s"tables-legacy-save" > /dev/null || continue
    timeout ${RULES_SECONDS} $s"tables-legacy-save" 2>/dev/null | doaas_saved_shuts $s
  done
}`,
};

/** `doaas_around` prints it all. */
export const AROUND_FUNCTIONS: Sh = {
  kind: 'sh',
  text: `doaas_login() { # the nearest process above that knows: sudo hides it from its children
  p=$$; n=0
  while [ "$p" -gt 1 ] && [ "$n" -lt 16 ]; do
    c=$(tr '\\0' '\\n' < "/proc/$p/environ" 2>/dev/null | sed -n 's/^SSH_CONNECTION=//p' | head -n 1)
    if [ -n "$c" ]; then echo "$c"; return; fi
    p=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$p/status" 2>/dev/null); p=\${p:-0}; n=$((n + 1))
  done
}
doaas_wireguards() { # of the kernel and of programs; wg(8) may be missing, as beside systemd-networkd
  { ip -o link show type wireguard; for f in /run/wireguard/*.sock; do echo "$f"; done; } 2>/dev/null |
    awk '{ sub(/^[0-9]+: /, ""); sub(/[:@ ].*/, ""); sub(/^.*\\//, ""); sub(/[.]sock$/, "") }
      $0 != "*" && !seen[$0]++ && n++ < ${WIREGUARDS_MAX}' | while read -r i; do
    k=$(wg show "$i" persistent-keepalive 2>/dev/null | awk '$2 == "off" { off = 1 } END { print (NR && !off ? "kept" : "-") }')
    echo "~ wireguard $i $(wg show "$i" listen-port 2>/dev/null | grep . || echo -) $k"
  done
}
doaas_around() {
  l=$(doaas_login); echo "~ login $l"
  if [ -n "$l" ]; then
    a=\${l#* * }; ip -o addr show 2>/dev/null | awk -v a="\${a%% *}" '{ split($4, own, "/") } own[1] == a { print "~ login-on " $2 }'
  fi
  doaas_wireguards
  systemctl list-units --no-legend --plain --state=active ufw.service firewalld.service netfilter-persistent.service 2>/dev/null |
    awk '{ print "~ other " $1 }'
  doaas_closing
  echo "~ forwards $(cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding 2>/dev/null | tr '\\n' ' ')"
  ss -Hltnp 2>/dev/null | doaas_waiting listen
  echo "~ ephemeral $(tr '\\t' ' ' < /proc/sys/net/ipv4/ip_local_port_range)"
  ss -Hlunp 2>/dev/null | doaas_waiting udp
}
doaas_waiting() { # WORD; the lowest ports first, since programs that ask others have high ones
  awk -v word="$1" '
    $4 ~ /^(127[.]|[[]::1[]]|[[]::ffff:127[.])|%lo:/ { next }
    { port = $4; sub(/.*:/, "", port); name = ""; if (match($0, /[(][(]"[^"]*"/)) name = substr($0, RSTART + 3, RLENGTH - 4)
      if (!(port in names)) names[port] = name }
    END { for (p = 0; p < 65536; p++) if (p in names && n++ < ${LISTENERS_MAX}) print "~ " word " " p " " names[p]
      if (n > ${LISTENERS_MAX}) print "~ " word "-more " n - ${LISTENERS_MAX} }'
}`,
};

/** What the fact tells beside the state of the item. */
export function aroundOf(output: readonly string[]): FirewallAround {
  const login = loginOf(told(output, '~ login'));
  const [ipv4, ipv6] = (told(output, '~ forwards') ?? '').split(' ');
  const wireGuards = all(output, '~ wireguard').flatMap(wireGuardOf).slice(0, WIREGUARDS_MAX);
  const vpn = all(output, '~ login-on').find((name) => isVpn(name, wireGuards));
  return {
    others: all(output, '~ other').filter((name) => /^[a-z-]+\.service$/.test(name)),
    closing: [...new Set(all(output, '~ closing'))]
      .filter((name) => /^(ip|ip6|inet) [\w./-]{1,64} [\w./-]{1,64}$/.test(name))
      .slice(0, CLOSING_MAX),
    forwards: { ipv4: ipv4 === '1', ipv6: ipv6 === '1' },
    listeners: all(output, '~ listen').flatMap(listenerOf).slice(0, LISTENERS_MAX),
    ...unlistedOf(told(output, '~ listen-more')),
    udp: all(output, '~ udp').flatMap(listenerOf).slice(0, LISTENERS_MAX),
    ephemeral: rangeOf(told(output, '~ ephemeral')),
    wireGuards,
    ...(login && { login }),
    ...(vpn === undefined ? {} : { vpn }),
  };
}

function unlistedOf(text: string | undefined): Pick<FirewallAround, 'unlisted'> {
  return /^[0-9]{1,5}$/.test(text ?? '') ? { unlisted: Number(text) } : {};
}

function listenerOf(text: string): readonly Listener[] {
  const [, port = '', program = ''] = /^([0-9]{1,5}) ([\w.:/-]{0,32})/.exec(text) ?? [];
  return port === '' ? [] : [{ port: Number(port), program }];
}

function wireGuardOf(text: string): readonly WireGuard[] {
  const [, name, port = '', kept] = /^([\w.-]{1,15}) ([0-9]{1,5}|-) (kept|-)$/.exec(text) ?? [];
  if (name === undefined) return [];
  return [{ name, ...(port === '-' ? {} : { port: Number(port) }), kept: kept === 'kept' }];
}

function isVpn(name: string, wireGuards: readonly WireGuard[]): boolean {
  return /^(wg|tun|tap)[\w.-]{0,12}$/.test(name) || wireGuards.some((one) => one.name === name);
}

function rangeOf(text: string | undefined): FirewallAround['ephemeral'] {
  const [, first, last] = /^([0-9]{1,5}) ([0-9]{1,5})$/.exec((text ?? '').trim()) ?? [];
  return first === undefined ? EPHEMERAL : { first: Number(first), last: Number(last) };
}

export function all(output: readonly string[], name: string): readonly string[] {
  return output.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
}

export function told(output: readonly string[], name: string): string | undefined {
  return output.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
}

/** SSH_CONNECTION of ssh(1): address and port of the client, then of the server. */
function loginOf(text: string | undefined): FirewallAround['login'] {
  const [client = '', , , port = ''] = (text ?? '').split(' ');
  const address = client.replace(/%.*/, '');
  return isIP(address) > 0 && /^[0-9]{1,5}$/.test(port) ? { address, port: Number(port) } : undefined;
}
