/** A package archive on the lab's bridge: real, signed .deb packages that are built on the spot. Needs apt-utils and gpg. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from './run.ts';
import { BRIDGE_ADDRESS } from './settings.ts';

export interface LabPackage {
  readonly name: string;
  readonly version: string;
  /** Further fields of the control file, such as `Depends: libfoo (>= 2)`. */
  readonly control?: readonly string[];
  /** Text by path, without a leading slash. */
  readonly files?: Readonly<Record<string, string>>;
  /** Those of the files that dpkg asks about, with a leading slash. */
  readonly conffiles?: readonly string[];
  /** Bodies of maintainer scripts. */
  readonly scripts?: Readonly<Partial<Record<'preinst' | 'postinst' | 'prerm' | 'postrm', string>>>;
  /** Its changelog's newest entry, such as `Fix CVE-2026-0001`. */
  readonly change?: string;
  /** The version of the changelog's entry before it. */
  readonly follows?: string;
  /** Bytes of a file that does not compress. */
  readonly ballast?: number;
}

/** What the archive's Release file says of it (apt_preferences(5)). */
export interface ArchiveRelease {
  readonly origin: string;
  readonly label: string;
  readonly suite: string;
  readonly codename: string;
}

/** To apt it looks like Debian's archive of security fixes. */
export const SECURITY_RELEASE: ArchiveRelease = {
  origin: 'Debian',
  label: 'Debian-Security',
  suite: 'stable-security',
  codename: 'bookworm-security',
};

export const STABLE_RELEASE: ArchiveRelease = {
  origin: 'Debian',
  label: 'Debian',
  suite: 'stable',
  codename: 'bookworm',
};

export interface AptArchive {
  readonly uri: string;
  /** Public key, armored. */
  readonly key: string;
  /** Builds packages and adds them; what was published before stays. */
  readonly publish: (...packages: readonly LabPackage[]) => Promise<void>;
  /** Takes all versions of these away again. */
  readonly withdraw: (...names: readonly string[]) => Promise<void>;
  /** It answers that it has nothing, of whatever it is asked. */
  readonly setGone: (isGone: boolean) => void;
  /** Script for a host: adds the archive under a name that is unique there and reads its lists. */
  readonly use: (name: string) => string;
  readonly close: () => Promise<void>;
}

export async function openAptArchive(release: ArchiveRelease = STABLE_RELEASE): Promise<AptArchive> {
  const dir = await mkdtemp(join(tmpdir(), 'doaas-archive-'));
  await mkdir(join(dir, 'www'));
  await mkdir(join(dir, 'gnupg'), { mode: 0o700 });
  await inFolder(
    dir,
    `gpg -q --batch --passphrase '' --quick-gen-key test@example.org ed25519 sign never
gpg -q --batch --armor --export test@example.org > key.asc`,
  );
  const state: Serving = {
    root: join(dir, 'www'),
    isGone: false,
    changedSeconds: Math.floor(Date.now() / 1000) - SELDOM_SECONDS,
  };
  const index = async () => {
    await inFolder(dir, indexScript(release));
    state.changedSeconds += 1;
  };
  await index();
  const key = await readFile(join(dir, 'key.asc'), 'utf8');
  const server = await serve(state);
  const uri = `http://${BRIDGE_ADDRESS}:${(server.address() as AddressInfo).port}/`;
  return {
    uri,
    key,
    publish: async (...packages) => {
      for (const one of packages) await build(dir, one);
      await index();
    },
    withdraw: async (...names) => {
      await inFolder(dir, names.map((name) => `rm -f www/${name}_*.deb`).join('\n'));
      await index();
    },
    setGone: (isGone) => {
      state.isGone = isGone;
    },
    use: (name) => useScript(name, uri, key),
    close: async () => {
      await new Promise((done) => server.close(done));
      await inFolder(dir, 'gpgconf --kill all');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The lab's proxy for apt is not asked for it. */
function useScript(name: string, uri: string, key: string): string {
  return `set -eu
mkdir -p /etc/apt/keyrings
cat > /etc/apt/keyrings/${name}.asc <<'KEY'
${key.trim()}
KEY
echo 'Acquire::http::Proxy::${BRIDGE_ADDRESS} "DIRECT";' > /etc/apt/apt.conf.d/99direct
printf 'Types: deb\\nURIs: %s\\nSuites: ./\\nSigned-By: /etc/apt/keyrings/${name}.asc\\n' '${uri}' > /etc/apt/sources.list.d/${name}.sources
apt-get -qq update`;
}

/** A new InRelease replaces the old one whole, so that a host never reads half of it. */
function indexScript({ origin, label, suite, codename }: ArchiveRelease): string {
  const fields = { Origin: origin, Label: label, Suite: suite, Codename: codename };
  const options = Object.entries(fields).map(
    ([name, value]) => `-o APT::FTPArchive::Release::${name}='${value}'`,
  );
  return `cd www
apt-ftparchive packages . > ../Packages; mv ../Packages Packages
apt-ftparchive ${options.join(' ')} release . > ../Release; mv ../Release Release
gpg -q --batch --yes --clearsign -o ../InRelease Release; mv ../InRelease InRelease`;
}

async function build(dir: string, one: LabPackage): Promise<void> {
  const root = join(dir, 'tree');
  await rm(root, { recursive: true, force: true });
  const put = async (path: string, text: string | Buffer, mode = 0o644) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text, { mode });
  };
  const { name, version } = one;
  await put('DEBIAN/control', controlOf(one));
  for (const [path, text] of Object.entries(one.files ?? {})) await put(path, text);
  for (const [script, body] of Object.entries(one.scripts ?? {}))
    await put(`DEBIAN/${script}`, `#!/bin/sh\nset -e\n${body}\n`, 0o755);
  if (one.conffiles !== undefined) await put('DEBIAN/conffiles', `${one.conffiles.join('\n')}\n`);
  if (one.ballast !== undefined) await put(`usr/share/${name}/ballast`, noise(one.ballast));
  const changelog = `usr/share/doc/${name}/changelog.Debian`;
  await put(changelog, changelogOf(one));
  await inFolder(
    dir,
    `gzip -9n tree/${changelog}
dpkg-deb --root-owner-group -b tree new.deb > /dev/null
mv new.deb 'www/${name}_${version.replaceAll(':', '%3a')}_all.deb'`,
  );
}

function controlOf({ name, version, control = [], ballast = 0 }: LabPackage): string {
  const fields = [
    `Package: ${name}`,
    `Version: ${version}`,
    'Architecture: all',
    'Maintainer: test <test@example.org>',
    'Description: test',
    `Installed-Size: ${Math.ceil(ballast / 1024) + 10}`,
    ...control,
  ];
  return `${fields.join('\n')}\n`;
}

function changelogOf({ name, version, change = 'New.', follows }: LabPackage): string {
  const entry = (of: string, text: string) => `${name} (${of}) stable; urgency=high

  * ${text}

 -- test <test@example.org>  Thu, 01 Jan 2026 00:00:00 +0000
`;
  return [entry(version, change), ...(follows === undefined ? [] : [entry(follows, 'New.')])].join('\n');
}

/** Bytes that do not compress, the same for every build. */
function noise(bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  let state = 0x9e3779b9;
  for (let i = 0; i < bytes; i++) {
    // xorshift32: Marsaglia, "Xorshift RNGs", 2003
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = state & 0xff;
  }
  return out;
}

async function inFolder(dir: string, script: string): Promise<void> {
  const env = { ...process.env, GNUPGHOME: join(dir, 'gnupg') };
  await run(['sh', '-euc', `cd '${dir}'\n${script}`], { env });
}

interface Serving {
  readonly root: string;
  isGone: boolean;
  /** When its InRelease was made, as the server tells it: another second each time, however soon one comes after the other. */
  changedSeconds: number;
}

/** How long ago a mirror has changed that seldom has anything new. Counted from now, as a cache on the way may know another archive of the same port. */
const SELDOM_SECONDS = 30 * 86_400;

function serve(state: Serving): Promise<Server> {
  const server = createServer(async (request, response) => {
    const name = decodeURIComponent((request.url ?? '').split('/').pop() ?? '');
    const modified = new Date(state.changedSeconds * 1000);
    const bytes = state.isGone
      ? undefined
      : await readFile(join(state.root, name || 'none')).catch(() => undefined);
    const known = Date.parse(request.headers['if-modified-since'] ?? '');
    if (bytes === undefined) response.writeHead(404).end();
    else if (name !== 'InRelease') response.writeHead(200).end(bytes);
    else if (known >= modified.getTime()) response.writeHead(304).end();
    else response.writeHead(200, { 'last-modified': modified.toUTCString() }).end(bytes);
  });
  return new Promise((resolve) => server.listen(0, BRIDGE_ADDRESS, () => resolve(server)));
}
