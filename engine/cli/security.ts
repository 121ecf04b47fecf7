import { parseArgs } from 'node:util';
import { advisoriesFor, readSecurity } from '../activities/readSecurity.ts';
import { maskOn } from '../activities/sealing.ts';
import { loadLocalConfig } from '../config/config.ts';
import { renderSecurity } from '../github/render/security.ts';
import type { Credentials } from '../hosts/credentials.ts';
import { messageOf } from '../hosts/host-error.ts';
import { createTransport } from '../hosts/transport.ts';
import { newKey } from '../secrets/fingerprintKey.ts';
import { secretsFrom } from '../secrets/fromConfig.ts';
import { findingsOf, type SecurityFinding } from '../security/findings.ts';
import { placesIn } from '../security/places.ts';
import { withQuotesMasked } from '../security/quoted.ts';
import { type SecurityReport, securityReport } from '../security/report.ts';
import { sarifOf } from '../security/sarif.ts';
import type { CheckedRepository } from '../spec/check.ts';
import { ownVersion } from '../version.ts';
import { checkedTree, chosenHosts } from './checkedTree.ts';
import { misuse, ONE_PATH, onlyOne } from './command.ts';
import { ownCredentials } from './ownCredentials.ts';
import { ownTracker } from './ownTracker.ts';
import { EXIT, type Io, printableLines } from './terminal.ts';

const FORMATS = ['json', 'markdown', 'sarif'] as const;
type Format = (typeof FORMATS)[number];

interface Wanted {
  readonly path: string;
  readonly servers: readonly string[];
  readonly format: Format;
}

/** `doaas security report PATH`: how the servers of a directory stand now, without GitHub. Changes nothing. */
export async function runSecurity(
  argv: readonly string[],
  io: Io,
  credentials: Credentials = ownCredentials(),
): Promise<number> {
  const [what, ...rest] = argv;
  if (what !== 'report') throw misuse('security', 'Say what to do: report.');
  const wanted = parse(rest);
  const checked = await checkedTree(wanted.path, io);
  if (checked === undefined) return EXIT.failed;
  const report = await readReport(checked, wanted.servers, credentials, io);
  const findings = findingsOf(report);
  io.stdout.write(await textOf(wanted.format, report, findings, checked));
  if (report.unread.length > 0) return EXIT.failed;
  return findings.length > 0 ? EXIT.changes : EXIT.done;
}

function parse(argv: readonly string[]): Wanted {
  const options = {
    server: { type: 'string', multiple: true },
    json: { type: 'boolean' },
    markdown: { type: 'boolean' },
    sarif: { type: 'boolean' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const path = onlyOne(positionals, ONE_PATH);
    const [format = 'markdown', second] = FORMATS.filter((name) => values[name] === true);
    if (second !== undefined) throw new Error('Give one of --json, --markdown and --sarif.');
    return { path, servers: values.server ?? [], format };
  } catch (error) {
    throw misuse('security', messageOf(error));
  }
}

async function readReport(
  { manifest, resolution }: CheckedRepository,
  servers: readonly string[],
  credentials: Credentials,
  io: Io,
): Promise<SecurityReport> {
  const transport = createTransport({ credentials });
  try {
    const hosts = chosenHosts(resolution, servers);
    const tracker = ownTracker(io);
    const changelogs = (await tracker.of(new Set())) === undefined;
    const secrets = await secretsFrom(loadLocalConfig(process.env), process.env, async () => newKey());
    // one that looks at another is quoted as well
    const mask = await maskOn(secrets, resolution, resolution.hosts);
    const said = await readSecurity(transport, hosts, { lookers: resolution.hosts, changelogs });
    const read = said.map((host) => withQuotesMasked(host, mask));
    const advisories = await advisoriesFor(tracker, read);
    const made = { now: Date.now(), version: await ownVersion() };
    return securityReport(read, { ...made, locate: placesIn(manifest), ...(advisories && { advisories }) });
  } finally {
    await transport.close();
  }
}

async function textOf(
  format: Format,
  report: SecurityReport,
  findings: readonly SecurityFinding[],
  { manifest }: CheckedRepository,
): Promise<string> {
  switch (format) {
    case 'json':
      return `${JSON.stringify(report, undefined, 2)}\n`;
    case 'markdown':
      return `${printableLines(renderSecurity(report))}\n`;
    case 'sarif': {
      const { version } = report;
      return `${JSON.stringify(sarifOf(findings, { version, locate: placesIn(manifest) }), undefined, 2)}\n`;
    }
  }
}
