import { isIP } from 'node:net';
import type { Sh } from '../shell/sh.ts';
import { informational } from './accounts.ts';
import type { Fact } from './fact.ts';
import { quietly } from './quietly.ts';

export interface InventoryQuery {
  readonly fact: 'inventory';
  readonly key: 'all';
}

/** What advisories are matched with, and where the host can be reached. Informational: nothing here is changed as such. */
export interface InventoryState {
  readonly present: true;
  /** VERSION_CODENAME of os-release(5), such as `bookworm`; empty where the host has none. */
  readonly release: string;
  /** Addresses of its interfaces with global scope, both families, as ip(8) lists them; at most `ADDRESSES_MAX`. */
  readonly addresses: readonly string[];
  /** Source packages of all installed packages with their versions, each pair once, at most `SOURCES_MAX`. */
  readonly sources: readonly SourcePackage[];
  /** Of the kernel that runs; left out where no package has it, as in a container. */
  readonly kernel?: SourcePackage;
}

export interface SourcePackage {
  readonly source: string;
  /** Of the source package, which may be another one than the installed package's. */
  readonly version: string;
}

export const ADDRESSES_MAX = 8;
export const SOURCES_MAX = 10_000;

/** VERSION_CODENAME of os-release(5). */
export const RELEASE = `sed -n 's/^VERSION_CODENAME="\\{0,1\\}\\([a-z]*\\)"\\{0,1\\}$/~ release \\1/p' /etc/os-release`;

/** dpkg-query(1): `ii ` are installed ones; fields beginning with `source:` are those of the source package. */
const READ: Sh = {
  kind: 'sh',
  text: `${RELEASE}
ip -o addr show scope global | awk -v max=${ADDRESSES_MAX} '{ sub(/[/].*/, "", $4); if (n++ < max) print "~ address " $4 }'
dpkg-query -W -f '\${db:Status-Abbrev} \${source:Package} \${source:Version}\\n' | awk -v max=${SOURCES_MAX} '
  $1 == "ii" && !seen[$2 " " $3]++ && n++ < max { print "~ source " $2 " " $3 }'
echo "~ kernel $(dpkg-query -W -f '\${source:Package} \${source:Version}' "linux-image-$(uname -r)")"`,
};

export const inventoryFact: Fact<InventoryQuery, InventoryState> = {
  fact: 'inventory',
  read: (queries) => quietly(queries, READ),
  parse: (output) => {
    const told = (name: string) =>
      output.filter((line) => line.startsWith(`~ ${name} `)).map((line) => line.slice(name.length + 3));
    const [kernel] = told('kernel').flatMap(sourceOf);
    return {
      present: true,
      release: /^[a-z]{1,32}$/.exec(informational(output, 'release') ?? '')?.[0] ?? '',
      addresses: told('address')
        .filter((address) => isIP(address) !== 0)
        .slice(0, ADDRESSES_MAX),
      sources: told('source').flatMap(sourceOf).slice(0, SOURCES_MAX),
      ...(kernel === undefined ? {} : { kernel }),
    };
  },
};

/** Names and versions as the Debian policy manual allows them (5.6.1, 5.6.12). */
function sourceOf(text: string): readonly SourcePackage[] {
  const [, source, version] = /^([a-z0-9][a-z0-9+.-]{0,127}) ([0-9A-Za-z.+:~-]{1,127})$/.exec(text) ?? [];
  return source === undefined || version === undefined ? [] : [{ source, version }];
}
