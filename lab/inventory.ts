/** What a host is beside its files, read from outside with Debian's own tools: the other half of "as it was before". */
import type { RunResult } from './run.ts';

/** Sorted lines by section. */
export type Inventory = Readonly<Record<string, readonly string[]>>;

/** Units that come and go by themselves: logins, transient jobs, the engine's own, and what the first service pulls in. */
const PASSING_UNITS =
  /^(session-|user@|user-|run-|doaas-|network-online\.target$)|\.(scope|slice|device|mount)$/;
const RUNTIME_SECTIONS = ['active units', 'failed units'];

const SECTIONS: Readonly<Record<string, string>> = {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format
  packages: "dpkg-query -W -f '${binary:Package} ${Version} ${db:Status-Abbrev}\\n'",
  'manually installed': 'apt-mark showmanual',
  held: 'apt-mark showhold',
  users: 'getent passwd',
  groups: 'getent group',
  passwords: 'getent shadow | cut -d: -f1,2,8',
  'unit files': 'systemctl list-unit-files --no-legend --plain --no-pager',
  'active units': 'systemctl list-units --state=active,failed --no-legend --plain --no-pager | cut -d" " -f1',
  'failed units': 'systemctl list-units --state=failed --no-legend --plain --no-pager | cut -d" " -f1',
  listening: "ss -Hltun | awk '{print $1, $5}'",
  firewall: 'command -v nft >/dev/null && nft --stateless list ruleset',
  'network settings':
    'sysctl -a --pattern "^net\\.(ipv4|core)\\." 2>/dev/null | grep -vE "nr_|_count|tcp_fastopen_key|rand"',
};

const MARK = '=== ';

/** One visit to the host. `exec` is a `LabHost`'s. */
export async function inventoryOf(host: {
  exec: (script: string) => Promise<RunResult>;
}): Promise<Inventory> {
  const script = Object.entries(SECTIONS).map(([name, command]) => `echo '${MARK}${name}'; ${command}`);
  const result = await host.exec(`${script.join('\n')}\ntrue`);
  if (result.code !== 0) throw new Error(`the inventory could not be read: ${result.stderr}`);
  return parseInventory(result.stdout);
}

export function parseInventory(text: string): Inventory {
  const sections: Record<string, string[]> = {};
  let current: string[] = [];
  let passing = false;
  for (const line of text.split('\n')) {
    if (line.startsWith(MARK)) {
      current = [];
      passing = RUNTIME_SECTIONS.includes(line.slice(MARK.length));
      sections[line.slice(MARK.length)] = current;
    } else if (line.trim() && !(passing && PASSING_UNITS.test(line))) {
      current.push(line.trim());
    }
  }
  for (const lines of Object.values(sections)) lines.sort();
  return sections;
}

/** Lines such as `packages: - nginx 1.22` (gone) and `packages: + nginx 1.24` (new). */
export function compareInventories(before: Inventory, after: Inventory): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    const [old, now] = [before[name] ?? [], after[name] ?? []];
    const gone = old.filter((line) => !now.includes(line)).map((line) => `${name}: - ${line}`);
    return [...gone, ...now.filter((line) => !old.includes(line)).map((line) => `${name}: + ${line}`)];
  });
}
