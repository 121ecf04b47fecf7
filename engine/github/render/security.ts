import type { FleetCves } from '../../security/fleetCves.ts';
import type { NotJudged, SeenPort } from '../../security/host.ts';
import type {
  Fleet,
  ReportedHardening,
  ReportedHost,
  SecurityReport,
  UnreadHost,
} from '../../security/report.ts';
import { code, folded, prose, table } from './escape.ts';
import { patchBlock, updatesOf } from './securityPatches.ts';
import { asOf, MAX_ROWS, more, SENTENCE_MAX } from './securityRows.ts';
import { count, minute, names, short } from './words.ts';

/** The whole report as Markdown; whoever publishes it cuts it to what fits. Words of hosts are no markup in it. */
export function renderSecurity(report: SecurityReport): string {
  const { madeAt, version, commit, fleet, hosts, unread } = report;
  const of = commit === undefined ? '' : `, compared with ${code(short(commit))}`;
  return [
    `### Security of ${count(fleet.read + fleet.unread, 'server')}${of}`,
    `Made ${minute(Date.parse(madeAt))} by doaas ${code(version)}; ages below are as of then.`,
    fleetTable(fleet),
    ...fleetNotes(fleet),
    ...cveBlocks(fleet.cves),
    ...unreadBlocks(unread),
    ...hosts.map(hostBlock),
    ...unread.flatMap(({ known }) => (known === undefined ? [] : [hostBlock(known)])),
  ].join('\n\n');
}

function fleetTable(fleet: Fleet): string {
  const { controls, bySeverity, waivers, expiredWaivers, securityUpdates } = fleet;
  const { undeclaredPorts, unjudgedPorts } = fleet;
  const by = (['critical', 'high', 'medium', 'low'] as const)
    .map((severity) => `${severity} ${bySeverity[severity].passed}/${bySeverity[severity].applicable}`)
    .join(', ');
  return table(
    ['what', 'how many'],
    [
      ['controls that hold, of those that apply', `${controls.passed}/${controls.applicable} (${by})`],
      ['waivers; of them over', `${waivers}; ${expiredWaivers}`],
      ['ports open that no Firewall document opens', String(undeclaredPorts)],
      ['ports open of which that was not judged', String(unjudgedPorts)],
      ['security updates outstanding', String(securityUpdates)],
    ],
  );
}

function fleetNotes(fleet: Fleet): readonly string[] {
  const { withoutHardening, withoutFirewall, waitingForReboot, updatesUnknown } = fleet;
  const note = (hosts: readonly string[], kind: string) =>
    hosts.length === 0 ? [] : [`Without a ${kind} document: ${prose(names(hosts))}.`];
  return [
    ...note(withoutHardening, 'Hardening'),
    ...note(withoutFirewall, 'Firewall'),
    ...(waitingForReboot.length === 0 ? [] : [`Waiting for a reboot: ${prose(names(waitingForReboot))}.`]),
    ...(updatesUnknown.length === 0
      ? []
      : [`Not all outstanding updates are known of: ${prose(names(updatesUnknown))}.`]),
  ];
}

function cveBlocks({ source, open, fixable, waiting, fixed, rows }: FleetCves): readonly string[] {
  if (source.kind === 'none')
    return ['Vulnerabilities (CVE) are not known: no list of them could be had. What is outstanding is.'];
  const sums = `${fixable} fixable, ${waiting} waiting for a reboot, ${open} open without a fix, ${fixed} fixed`;
  const shown = rows
    .slice(0, MAX_ROWS)
    .map(({ cve, source, servers }) => [
      code(cve),
      prose(source),
      ...[servers.fixable, servers.waiting, servers.fixed].map(String),
    ]);
  const of =
    source.kind === 'tracker'
      ? `Vulnerabilities by ${prose(source.from)} of ${minute(Date.parse(source.date))}${source.changelogs === true ? BESIDE : ''}`
      : 'Vulnerabilities by the changelogs of outstanding updates, for no list could be had (what is open or fixed is not known)';
  const body = table(['CVE', 'source package', 'fixable on', 'waits for a reboot on', 'fixed on'], shown);
  if (rows.length === 0) return [`${of}: ${sums}.`];
  return [`${of}: ${sums}.`, folded('By vulnerability', [body, ...more(rows, 'row')].join('\n'))];
}

const BESIDE =
  ', and by the changelogs of outstanding updates that it does not know (what is open or fixed of these is not known)';

function unreadBlocks(unread: SecurityReport['unread']): readonly string[] {
  const isKnown = ({ known }: UnreadHost) => known !== undefined;
  return [
    ...unreadBlock(
      'so nothing is known of them',
      unread.filter((host) => !isKnown(host)),
    ),
    ...unreadBlock(
      'so they stand below as they were seen last, and no sum above has them',
      unread.filter(isKnown),
    ),
  ];
}

function unreadBlock(so: string, unread: readonly UnreadHost[]): readonly string[] {
  if (unread.length === 0) return [];
  const rows = unread
    .slice(0, MAX_ROWS)
    .map(({ host, problem }) => `- ${prose(host)}: ${prose(problem, SENTENCE_MAX)}`);
  return [`**Not read**, ${so}:\n\n${[...rows, ...more(unread, 'server')].join('\n')}`];
}

function hostBlock(host: ReportedHost): string {
  const parts = [...host.hardening.map(hardeningBlock), exposureBlock(host), patchBlock(host)];
  return folded(summary(host), parts.join('\n\n'));
}

function summary({ host, hardening, exposure, patches, unsure, asOf: at }: ReportedHost): string {
  const failing = hardening.reduce((sum, { failing }) => sum + failing.length, 0);
  const open = exposure.ports.filter((port) => port.open);
  const undeclared = open.filter(({ declared }) => declared === false).length;
  const unjudged = open.filter(({ notJudged }) => notJudged !== undefined).length;
  const unknown = exposure.ports.filter((port) => port.unknown).length;
  const parts = [
    hardening.length === 0 ? 'no Hardening document' : count(failing, 'failing control'),
    exposure.firewall === undefined ? 'no Firewall document' : count(undeclared, 'undeclared open port'),
    ...(unjudged === 0 ? [] : [`${count(unjudged, 'open port')} not judged`]),
    ...(unknown === 0 ? [] : [`${count(unknown, 'port')} that could not be reached not judged`]),
    patches.unknown
      ? 'security updates not known'
      : `${count(updatesOf(patches), 'security update')}${unsure.length > 0 ? ' known' : ''}`,
  ];
  const name = at === undefined ? host : `${host}, ${asOf(at)}`;
  return `${name}: ${parts.join(', ')}`;
}

function hardeningBlock({
  document,
  profile,
  score,
  failing,
  waivers,
  wrongSystem,
}: ReportedHardening): string {
  if (wrongSystem !== undefined) return `${code(document)}: ${prose(wrongSystem, SENTENCE_MAX)}`;
  return [
    `${code(document)} (${profile}): ${score.passed} of ${score.applicable} controls that apply hold.`,
    ...(failing.length === 0 ? [] : [failingTable(failing)]),
    ...(waivers.length === 0 ? [] : [waiverList(waivers)]),
  ].join('\n\n');
}

function failingTable(failing: ReportedHardening['failing']): string {
  const rows = failing
    .slice(0, MAX_ROWS)
    .map(({ id, title, severity, attention, at }) => [
      severity,
      code(id),
      attention === undefined ? prose(title) : `${prose(title)}: ${prose(attention, SENTENCE_MAX)}`,
      at === undefined ? '' : code(`${at.file}:${at.line}`),
    ]);
  return [table(['severity', 'control', 'what', 'by'], rows), ...more(failing, 'control')].join('\n');
}

function waiverList(waivers: ReportedHardening['waivers']): string {
  const lines = waivers.map(({ id, owner, expires, expired, reason }) => {
    const until = expired ? `**over since ${expires}**` : `until ${expires}`;
    return `- ${code(id)} is waived by ${prose(owner)}, ${until}: ${prose(reason, SENTENCE_MAX)}`;
  });
  return lines.join('\n');
}

function exposureBlock({ exposure }: ReportedHost): string {
  const { firewall, from, why, asOf: at, ports, more: left, unseen } = exposure;
  const declared = firewall === undefined ? 'No Firewall document has it among its targets' : code(firewall);
  const blind =
    why === undefined ? '' : ` Its ports could not be seen from outside: ${prose(why, SENTENCE_MAX)}.`;
  if (from === undefined) return `${declared}.${blind}`;
  const open = ports.filter((port) => port.open);
  const shown = firewall === undefined ? open : ports.filter((port) => port.open || port.declared === true);
  const notes = [
    ...unreachedNotes(from, ports),
    ...(left === 0 ? [] : [`${count(left, 'more port')} not tried.`]),
    ...(unseen.length === 0
      ? []
      : [
          `Not tried, since its Server document does not name them in "addresses": ${prose(unseen.join(', '))}.`,
        ]),
  ];
  return [
    `${declared}.${blind} Seen from ${prose(from)}${at === undefined ? '' : `, ${asOf(at)}`}: ${count(open.length, 'open port')} of ${ports.length} tried.`,
    ...(shown.length === 0 ? [] : [portTable(shown, firewall !== undefined)]),
    ...notes,
  ].join('\n\n');
}

/** By address: what is not known now is no closed port. */
function unreachedNotes(from: string, ports: readonly SeenPort[]): readonly string[] {
  const unknown = ports.filter((port) => port.unknown);
  if (unknown.length === 0) return [];
  const at = [...new Set(unknown.map(({ address }) => address))].map((address) => {
    const numbers = unknown.filter((port) => port.address === address).map(({ port }) => `tcp/${port}`);
    return `${address} (${names(numbers)})`;
  });
  return [
    `Not judged, since nothing of that address answers ${prose(from)} or it lets nothing out to there: ${prose(at.join(', '))}.`,
  ];
}

function portTable(ports: readonly SeenPort[], judged: boolean): string {
  const rows = ports
    .slice(0, MAX_ROWS)
    .map((port) => [
      prose(port.address),
      `tcp/${port.port}`,
      prose(port.program),
      `${judged ? verdict(port) : 'open'}${port.asOf === undefined ? '' : `, ${asOf(port.asOf)}${port.from === undefined ? '' : ` from ${prose(port.from)}`}`}`,
    ]);
  return [table(['address', 'port', 'program', 'seen'], rows), ...more(ports, 'port')].join('\n');
}

function verdict({ open, declared, notJudged }: SeenPort): string {
  if (!open) return 'declared, and nothing answers';
  if (notJudged !== undefined) return `**open, and not judged**: ${UNJUDGED[notJudged]}`;
  return declared === true ? 'open, as declared' : '**open, and not declared**';
}

const UNJUDGED: Readonly<Record<NotJudged, string>> = {
  'too-many-rules': 'too many rules are about it',
  'unknown-sender': 'some may come in, and by which address this was tried is not known',
  'unknown-way-out': 'a rule of "forward" denies it or not, by where it leaves',
};
