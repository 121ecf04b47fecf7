import { createHash } from 'node:crypto';
import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact, FactError } from './fact.ts';
import {
  AROUND_FUNCTIONS,
  all,
  aroundOf,
  CLOSING_FUNCTIONS,
  type FirewallAround,
  told,
} from './firewallAround.ts';

/** The engine's own nftables table, with what loads it at boot. */
export interface FirewallQuery {
  readonly fact: 'firewall';
  /** Family and so name of the table: `inet`. */
  readonly key: string;
  /** sha256 of the ruleset file that is wanted: where the host has another, its text is read too. */
  readonly sha256?: string;
}

export interface FirewallState extends FirewallAround {
  /** The kernel has our table, or the host has its file. */
  readonly present: boolean;
  /** sha256 of the ruleset file; left out where there is none. */
  readonly file?: string;
  /** The table in the kernel is what the file made of it when it was loaded. */
  readonly asLoaded: boolean;
  /** The unit has its text and is loaded at boot, and has been. */
  readonly persists: boolean;
  /** The ruleset file; only where it is not the wanted one. */
  readonly text?: string;
  /** The table as nft(8) lists it, now and when the file was loaded; only where they differ. */
  readonly listing?: { readonly now: string; readonly loaded: string };
  /** What each rule of the table has met with, in the order of the table; only of one that is there. */
  readonly counters?: Counters;
}

export interface Counters {
  /** Since they began: when the table was loaded. */
  readonly seconds: number;
  /** At most `COUNTERS_MAX`. */
  readonly rules: readonly RuleCounter[];
}

export interface RuleCounter {
  /** `input`, `output`, `forward`, `prerouting` or `postrouting`. */
  readonly chain: string;
  /** The rule's comment: its name in the document, or what is done with the rest. */
  readonly name: string;
  readonly packets: number;
}

export const COUNTERS_MAX = 1_000;

export const FIREWALL_FILE = '/etc/doaas/firewall.nft';
export const FIREWALL_UNIT = 'doaas-firewall.service';
export const FIREWALL_UNIT_FILE = `/etc/systemd/system/${FIREWALL_UNIT}`;
/** `sha256 of the file`, then the table as nft listed it once that was loaded. */
export const FIREWALL_LOADED = '/var/lib/doaas/firewall/loaded';

/**
 * Before the network is up, and after nftables.service, whose file begins with "flush ruleset" on Debian: whenever that is
 * loaded, our table is put back (systemd.unit(5), systemd.special(7)).
 */
export const FIREWALL_UNIT_TEXT = `# Written by DOaaS.
[Unit]
Description=Firewall of DOaaS
DefaultDependencies=no
After=local-fs.target nftables.service
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f ${FIREWALL_FILE}
ExecReload=/usr/sbin/nft -f ${FIREWALL_FILE}

[Install]
WantedBy=sysinit.target
`;

export const FIREWALL_UNIT_SHA256 = createHash('sha256').update(FIREWALL_UNIT_TEXT).digest('hex');

/**
 * `doaas_table` prints our table without counters and without the senders that limits remember: the same text as long as
 * nobody changes a rule.
 */
export const FIREWALL_FUNCTIONS: Sh = {
  kind: 'sh',
  text: `doaas_table() {
  nft -s list table inet doaas 2>/dev/null | awk '
    /^\\tset / { dynamic = 0 }
    /^\\t\\tflags .*dynamic/ { dynamic = 1 }
    dynamic && /^\\t\\telements = / { skip = 1 }
    !skip { print }
    skip && /}$/ { skip = 0 }'
}
doaas_counters() { # since the table was loaded: by an apply, at boot, or with nftables.service
  [ -f ${FIREWALL_LOADED} ] || return 0
  awk -v now="$(date +%s)" -v then="$(stat -c %Y ${FIREWALL_LOADED})" \\
    -v unit="$(systemctl show -p StateChangeTimestampMonotonic --value ${FIREWALL_UNIT} 2>/dev/null)" '{
    written = now - then; loaded = int($1 - unit / 1000000); print "~ counted " (written < loaded ? written : loaded) }' /proc/uptime
  nft list table inet doaas 2>/dev/null | awk -v max=${COUNTERS_MAX} '
    $1 == "chain" { chain = $2 }
    match($0, /counter packets [0-9]+ /) && n++ < max {
      packets = substr($0, RSTART + 16, RLENGTH - 17); name = $0; sub(/.* comment "/, "", name); sub(/".*/, "", name)
      print "~ counter " chain " " packets " " name }'
}
doaas_sum() { [ ! -f "$1" ] || sha256sum < "$1" | cut -d ' ' -f 1; }`,
};

const PRINT: Sh = {
  kind: 'sh',
  text: `doaas_firewall() ( # WANTED
  table=$(doaas_table; echo .); table=\${table%.}
  file=$(doaas_sum "$FILE")
  [ -n "$table$file" ] || [ -e "$UNIT_FILE" ] || { echo absent; exit 0; }
  echo "file \${file:--}"
  echo "table $(printf %s "$table" | sha256sum | cut -d ' ' -f 1)"
  echo "loaded $(doaas_sum "$LOADED" | grep . || echo -)"
  echo "unit $(doaas_sum "$UNIT_FILE" | grep . || echo -) $(systemctl is-enabled "$UNIT" 2>/dev/null | head -n 1 | grep . || echo -) $(systemctl is-active "$UNIT" 2>/dev/null | head -n 1 | grep . || echo -)"
  if [ -n "$file" ] && [ "$file" != "$1" ]; then echo "~ text $(base64 -w 0 < "$FILE")"; fi
  if [ "$(printf '%s\\n' "$file"; printf %s "$table")" != "$(cat "$LOADED" 2>/dev/null)" ]; then
    echo "~ now $(printf %s "$table" | base64 -w 0)"
    if [ -f "$LOADED" ]; then echo "~ then $(base64 -w 0 < "$LOADED")"; fi
  else echo '~ as-loaded'; fi
) 2>/dev/null`,
};

const NAMES = sh`PATH="$PATH:/usr/sbin:/sbin"; FILE=${FIREWALL_FILE}; UNIT=${FIREWALL_UNIT}; UNIT_FILE=${FIREWALL_UNIT_FILE}; LOADED=${FIREWALL_LOADED}`;

export const firewallFact: Fact<FirewallQuery, FirewallState> = {
  fact: 'firewall',
  read: (queries) =>
    lines(
      FIREWALL_FUNCTIONS,
      CLOSING_FUNCTIONS,
      AROUND_FUNCTIONS,
      PRINT,
      ...queries.map(
        (q) => sh`echo ${`= ${encodeKey(q.key)}`}
(${NAMES}; doaas_firewall ${q.sha256 ?? ''}; doaas_around; doaas_counters)`,
      ),
    ),
  parse: (output, query) => parseFirewall(output, query),
};

function parseFirewall(output: readonly string[], query: FirewallQuery): FirewallState {
  const around = aroundOf(output);
  const counters = countersOf(output);
  if (output[0] === 'absent') return { present: false, asLoaded: false, persists: false, ...around };
  const file = told(output, 'file');
  const unit = told(output, 'unit');
  if (file === undefined || unit === undefined)
    throw new FactError(`the host answered a state of the firewall ${query.key} that is not understood`);
  const text = decoded(told(output, '~ text'));
  const [now, then] = [decoded(told(output, '~ now')), decoded(told(output, '~ then'))];
  return {
    present: true,
    ...(file === '-' ? {} : { file }),
    asLoaded: output.includes('~ as-loaded'),
    persists: unit === `${FIREWALL_UNIT_SHA256} enabled active`,
    ...(text === undefined ? {} : { text }),
    ...(now === undefined ? {} : { listing: { now, loaded: (then ?? '').replace(/^.*\n?/, '') } }),
    ...(counters && { counters }),
    ...around,
  };
}

/** Rules that stand in several lines of the table, such as one a family, are counted together. */
function countersOf(output: readonly string[]): Counters | undefined {
  const seconds = Number(told(output, '~ counted'));
  if (!Number.isInteger(seconds) || seconds < 0) return undefined;
  const rules = new Map<string, RuleCounter>();
  for (const line of all(output, '~ counter').slice(0, COUNTERS_MAX)) {
    const [, chain = '', packets = '', name = ''] =
      /^([a-z]{1,16}) (\d{1,15}) ([\w .-]{1,100})$/.exec(line) ?? [];
    const key = `${chain} ${name}`;
    if (chain !== '')
      rules.set(key, { chain, name, packets: (rules.get(key)?.packets ?? 0) + Number(packets) });
  }
  return { seconds, rules: [...rules.values()] };
}

function decoded(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('utf8');
}
