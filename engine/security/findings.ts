import { createHash } from 'node:crypto';
import { controlNamed } from '../kinds/hardening/catalogue.ts';
import type { Severity } from '../kinds/hardening/control.ts';
import { listsTold, securityTold } from './listsTold.ts';
import {
  distinctWaivers,
  type ReportedHardening,
  type ReportedHost,
  type SecurityReport,
  securityUpdates,
  undeclaredPorts,
  unjudgedPorts,
} from './report.ts';

/** What somebody should mend, for GitHub's list of alerts. */
export interface SecurityFinding {
  readonly rule: Rule;
  /** The server that it was seen on; of several, the first. */
  readonly host: string;
  /** A sentence, for people. Hosts have a say in its words. */
  readonly message: string;
  /** Seen by an earlier reading, where this one could not look; as the sentence says. */
  readonly isEarlier?: true;
  /** `Hardening/base`; the place of it within the repository is that of this value, or of what is around it. */
  readonly document: string;
  /** JSON pointer from the document's root. */
  readonly pointer: string;
  /** The same as long as it is the same thing to mend, whatever the sentence says. Hex. */
  readonly fingerprint: string;
}

export interface Rule {
  /** Stable: GitHub knows alerts by it. */
  readonly id: string;
  readonly title: string;
  /** Why it matters. */
  readonly why: string;
  /** What to do, or where it comes from. */
  readonly help: string;
  readonly severity: Severity;
}

/** The worst first, then in the order of the report. What was seen and could not be looked at again stands as it was. */
export function findingsOf(report: SecurityReport): readonly SecurityFinding[] {
  const hosts = [...report.hosts, ...report.unread.flatMap(({ known }) => known ?? [])];
  const all = [
    ...hosts.flatMap((host) => host.hardening.flatMap((state) => controlFindings(host, state))),
    ...waiverFindings(hosts),
    ...hosts.flatMap(exposureFindings),
    ...hosts.flatMap(patchFindings),
  ];
  return all
    .map((finding, at) => ({ finding, at }))
    .sort((a, b) => rank(a.finding) - rank(b.finding) || a.at - b.at)
    .map(({ finding }) => finding);
}

const WORST_FIRST: readonly Severity[] = ['critical', 'high', 'medium', 'low'];

function rank({ rule }: SecurityFinding): number {
  return WORST_FIRST.indexOf(rule.severity);
}

/** The sentence, with when it was so. */
function seen(
  sentence: string,
  asOf: string | undefined,
): Pick<SecurityFinding, 'message'> & Partial<Pick<SecurityFinding, 'isEarlier'>> {
  if (asOf === undefined) return { message: sentence };
  return { message: `As of ${asOf.slice(0, 16).replace('T', ' ')} UTC: ${sentence}`, isEarlier: true };
}

function controlFindings(
  { host, asOf }: ReportedHost,
  { document, failing }: ReportedHardening,
): readonly SecurityFinding[] {
  return failing.map(({ id, title, severity, attention }) => ({
    rule: { id: `hardening/${id}`, title, severity, ...reasonsOf(id) },
    host,
    ...seen(
      `${host} does not keep the control ${id}: ${title}.${attention === undefined ? '' : ` ${attention}.`}`,
      asOf,
    ),
    document,
    pointer: `/spec/overrides/${id}`,
    fingerprint: fingerprint('control', host, id),
  }));
}

function reasonsOf(id: string): Pick<Rule, 'why' | 'help'> {
  const control = controlNamed(id);
  const how =
    'Apply the Hardening document, override its value there, or waive it there with a reason and a day.';
  return { why: control?.why ?? '', help: `${how} Source: ${control?.source ?? 'unknown'}.` };
}

export const EXPIRED_WAIVER: Rule = {
  id: 'hardening/expired-waiver',
  title: 'A waiver of a control is over',
  why: 'What was to be an exception for a while has become the rule, and nobody has looked at it again.',
  help: 'Set "expires" of the waiver to a later day, or remove it so that the control is applied.',
  severity: 'medium',
};

/** Once for a document, however many servers it has. */
function waiverFindings(hosts: readonly ReportedHost[]): readonly SecurityFinding[] {
  const expired = [...distinctWaivers(hosts).values()].filter((waiver) => waiver.expired);
  return expired.map(({ host, document, id, owner, expires, reason }) => ({
    rule: EXPIRED_WAIVER,
    host,
    message: `The waiver of ${id} ended on ${expires}. ${owner} renews it, or it is removed so that the control is applied. Its reason was: ${reason}`,
    document,
    pointer: `/spec/waivers/${id}`,
    fingerprint: fingerprint('waiver', document, id),
  }));
}

export const UNDECLARED_PORT: Rule = {
  id: 'exposure/undeclared-port',
  title: 'A port is open that no rule of the firewall opens',
  why: 'Others reach a service that nobody meant them to reach.',
  help: 'Apply the Firewall document again; if it is in force, something else on the server lets packets through, such as published ports of containers. Or declare the port.',
  severity: 'high',
};
export const NO_FIREWALL: Rule = {
  id: 'exposure/no-firewall',
  title: 'No Firewall document says what a server lets in',
  why: 'Whatever listens on the server is open to all who reach it.',
  help: 'Add the server to the targets of a Firewall document.',
  severity: 'medium',
};
export const NOT_JUDGED: Rule = {
  id: 'exposure/not-judged',
  title: 'It was not judged whether a firewall opens a port',
  why: 'A port that others reach although nobody meant them to would not be told.',
  help: 'Let the rules that are about the port name fewer addresses and zones: blocks such as 10.0.0.0/8 instead of many servers.',
  severity: 'low',
};

function exposureFindings(host: ReportedHost): readonly SecurityFinding[] {
  const { firewall, from, asOf, ports } = host.exposure;
  if (firewall === undefined) {
    const open = ports.filter((port) => port.open);
    const reached = [...new Set(open.map((port) => port.asOf))]
      .map((at) => open.filter((port) => port.asOf === at))
      .map((some) => {
        const names = [...new Set(some.map(({ port }) => `tcp/${port}`))].join(', ');
        const [first] = some;
        return ` ${seen(`${first?.from ?? from} reaches ${names} of it.`, first?.asOf ?? asOf).message}`;
      })
      .join('');
    return [
      {
        rule: NO_FIREWALL,
        host: host.host,
        message: `No Firewall document has ${host.host} among its targets, so nothing says what it lets in.${reached}`,
        document: `Server/${host.host}`,
        pointer: '/metadata/name',
        fingerprint: fingerprint('no-firewall', host.host),
      },
    ];
  }
  const undeclared = undeclaredPorts(host.exposure).map(({ address, port, program, ...earlier }) => ({
    rule: UNDECLARED_PORT,
    host: host.host,
    ...seen(
      `${earlier.from ?? from} reaches tcp/${port} of ${host.host} at ${address}${program === '' ? '' : ` (${program})`}, which no rule of ${firewall} opens to it.`,
      earlier.asOf ?? asOf,
    ),
    document: firewall,
    pointer: '/spec/inbound',
    fingerprint: fingerprint('port', host.host, address, String(port)),
  }));
  return [...undeclared, ...unjudgedFinding(host, firewall)];
}

/** One for all ports. What only another sender could tell is nothing to mend in a document. */
function unjudgedFinding({ host, exposure }: ReportedHost, firewall: string): readonly SecurityFinding[] {
  const open = unjudgedPorts(exposure).filter(({ notJudged }) => notJudged === 'too-many-rules');
  if (open.length === 0) return [];
  const ports = [...new Set(open.map(({ port }) => `tcp/${port}`))].join(', ');
  const message = `${exposure.from} reaches ${ports} of ${host}, and ${firewall} has too many rules about that to say whether it should.`;
  return [
    {
      rule: NOT_JUDGED,
      host,
      ...seen(message, exposure.asOf),
      document: firewall,
      pointer: '/spec/inbound',
      fingerprint: fingerprint('not-judged', host),
    },
  ];
}

export const SECURITY_UPDATE: Rule = {
  id: 'patches/security-update',
  title: 'A security update is outstanding',
  why: 'What it mends is public, and so is often how to make use of it.',
  help: 'Apply the PatchPolicy of the server, or add the server to the targets of one.',
  severity: 'high',
};
export const WAITS_FOR_REBOOT: Rule = {
  id: 'patches/reboot-required',
  title: 'An installed update waits for a reboot',
  why: 'Until then the server runs what the update has replaced.',
  help: 'Reboot the server in a window, by its PatchPolicy or by hand.',
  severity: 'medium',
};

export const LISTS_OLD: Rule = {
  id: 'patches/lists-old',
  title: 'What updates are out is not known',
  why: 'Package lists that are not read any more look like a server that needs no update.',
  help: 'Run apt-get update on the server and see what it says of the archive that is named, or why apt-daily.timer does not read the lists (journalctl -u apt-daily).',
  severity: 'medium',
};

export const NO_SECURITY_ARCHIVE: Rule = {
  id: 'patches/no-security-archive',
  title: 'A server has no archive of security updates',
  why: 'Its apt never hears of a security update, so it looks like a server that needs none.',
  help: 'Add the archive to the apt sources of the server (of Debian 12: suite bookworm-security), or name your own in "securityOrigins" of its PatchPolicy, by the release lines of apt-cache policy.',
  severity: 'medium',
};

/** Updates of one server that are told one by one: GitHub keeps 5,000 results, and closes the alerts of all others. */
const UPDATES_TOLD = 100;

/** Vulnerabilities that one sentence names. */
const CVES_TOLD = 10;

function patchFindings(reported: ReportedHost): readonly SecurityFinding[] {
  const { host, patches, asOf } = reported;
  const document = patches.policy ?? `Server/${host}`;
  const pointer = patches.policy === undefined ? '/metadata/name' : '/spec';
  const at = { document, pointer };
  const told = [
    ...updateFindings(reported, at),
    ...notKnown(LISTS_OLD, 'lists', listsTold(host, patches), reported, at),
    ...notKnown(NO_SECURITY_ARCHIVE, 'no-security-archive', securityTold(host, patches), reported, at),
  ];
  if (!patches.reboot.required) return told;
  const why = patches.reboot.why.length === 0 ? '' : ` for ${patches.reboot.why.join(', ')}`;
  const message = seen(`${host} waits for a reboot${why}.`, asOf);
  const print = fingerprint('reboot', host);
  return [...told, { rule: WAITS_FOR_REBOOT, host, ...message, document, pointer, fingerprint: print }];
}

function updateFindings(
  { host, patches }: ReportedHost,
  at: Pick<SecurityFinding, 'document' | 'pointer'>,
): readonly SecurityFinding[] {
  const told = patches.security.slice(0, UPDATES_TOLD).map(({ name, from, to, cves, held }) => ({
    rule: SECURITY_UPDATE,
    host,
    ...seen(
      `${name} on ${host} is ${from}, and ${to} is out${closes(cves)}.${held === undefined ? '' : ` It is ${held}.`}`,
      patches.asOf,
    ),
    ...at,
    // a still newer version is the same thing to mend
    fingerprint: fingerprint('update', host, name),
  }));
  const more = securityUpdates(patches) - told.length;
  if (more === 0) return told;
  const are = more === 1 ? 'update is' : 'updates are';
  const message = seen(`On ${host}, ${more} more security ${are} outstanding.`, patches.asOf);
  const print = fingerprint('more-updates', host);
  return [...told, { rule: SECURITY_UPDATE, host, ...message, ...at, fingerprint: print }];
}

/** What is not known of a server's updates: one for each server, whatever the reasons. */
function notKnown(
  rule: Rule,
  print: string,
  why: readonly string[],
  { host, asOf }: ReportedHost,
  at: Pick<SecurityFinding, 'document' | 'pointer'>,
): readonly SecurityFinding[] {
  if (why.length === 0) return [];
  return [{ rule, host, ...seen(why.join(' '), asOf), ...at, fingerprint: fingerprint(print, host) }];
}

function closes(cves: readonly string[]): string {
  if (cves.length === 0) return '';
  const more = cves.length > CVES_TOLD ? ` and ${cves.length - CVES_TOLD} more` : '';
  return `; it closes ${cves.slice(0, CVES_TOLD).join(', ')}${more}`;
}

function fingerprint(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
