import type { Severity } from '../kinds/hardening/control.ts';
import type { Position } from '../spec/manifest.ts';
import type { Rule, SecurityFinding } from './findings.ts';
import { type Locate, placeOf } from './places.ts';

/**
 * GitHub's bounds of an upload (docs.github.com, "SARIF support for code scanning", "Validating your SARIF file"): results of one run;
 * of them it keeps the 5,000 worst.
 */
export const RESULTS_MAX = 25_000;

/** Characters of a message; GitHub shows 1,024 and takes more. */
const MESSAGE_MAX = 1_000;

/** The parts of SARIF 2.1.0 (OASIS) that are used. */
export interface Sarif {
  readonly $schema: string;
  readonly version: '2.1.0';
  readonly runs: readonly [SarifRun];
}

export interface SarifRun {
  readonly tool: {
    readonly driver: {
      readonly name: string;
      readonly semanticVersion: string;
      readonly rules: readonly SarifRule[];
    };
  };
  /** Uploads of one category replace each other. */
  readonly automationDetails: { readonly id: string };
  readonly columnKind: 'utf16CodeUnits';
  readonly results: readonly SarifResult[];
  /** How many findings there were, and how many stand in `results`. */
  readonly properties: { readonly findings: number; readonly reported: number };
}

interface SarifRule {
  readonly id: string;
  readonly shortDescription: { readonly text: string };
  readonly fullDescription: { readonly text: string };
  readonly help: { readonly text: string };
  readonly defaultConfiguration: { readonly level: Level };
  readonly properties: { readonly tags: readonly string[]; readonly 'security-severity': string };
}

interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: Level;
  readonly message: { readonly text: string };
  readonly locations: readonly [SarifLocation];
  readonly partialFingerprints: Readonly<Record<string, string>>;
}

interface SarifLocation {
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string; readonly uriBaseId: '%SRCROOT%' };
    readonly region: {
      readonly startLine: number;
      readonly startColumn: number;
      readonly endLine: number;
      readonly endColumn: number;
    };
  };
}

type Level = 'error' | 'warning' | 'note';

const LEVELS: Readonly<Record<Severity, Level>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
};

/** As GitHub grades its property `security-severity`: over 9.0 critical, from 7.0 high, from 4.0 medium. */
const SCORES: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.0',
  low: '2.0',
};

export interface SarifOptions {
  /** Of doaas. */
  readonly version: string;
  /** Where a value of a document stands. */
  readonly locate: Locate;
  /** Results at most; the first, which are the worst. */
  readonly max?: number;
}

/** One result for each finding that has a place, the worst first. */
export function sarifOf(
  findings: readonly SecurityFinding[],
  { version, locate, max = RESULTS_MAX }: SarifOptions,
): Sarif {
  const shown = findings
    .flatMap((finding) => {
      const at = placeOf(locate, finding);
      return at === undefined ? [] : [{ ...finding, at }];
    })
    .slice(0, max);
  const rules = [...new Map(shown.map(({ rule }) => [rule.id, rule])).values()];
  const indexes = new Map(rules.map(({ id }, index) => [id, index]));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'doaas',
            semanticVersion: version,
            rules: rules.map(sarifRule),
          },
        },
        automationDetails: { id: 'doaas/security/' },
        columnKind: 'utf16CodeUnits',
        results: shown.map((finding) => resultOf(finding, indexes.get(finding.rule.id) ?? 0)),
        properties: { findings: findings.length, reported: shown.length },
      },
    ],
  };
}

function sarifRule({ id, title, why, help, severity }: Rule): SarifRule {
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: why },
    help: { text: help },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: { tags: ['security'], 'security-severity': SCORES[severity] },
  };
}

function resultOf(
  { rule, message, at, fingerprint }: SecurityFinding & { readonly at: Position },
  ruleIndex: number,
): SarifResult {
  const { file, line, column, endLine, endColumn } = at;
  return {
    ruleId: rule.id,
    ruleIndex,
    level: LEVELS[rule.severity],
    message: { text: cut(message) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file), uriBaseId: '%SRCROOT%' },
          region: { startLine: line, startColumn: column, endLine, endColumn },
        },
      },
    ],
    // GitHub compares the first only, whose form is HASH:OCCURRENCE
    partialFingerprints: {
      primaryLocationLineHash: `${fingerprint.slice(0, 16)}:1`,
      'doaasFinding/v1': fingerprint,
    },
  };
}

/** Of a path, in which `#` and `?` are names and no fragment or query (RFC 3986). */
function uriOf(path: string): string {
  return encodeURI(path).replace(/[#?]/g, encodeURIComponent);
}

/** Whoever cut it before, no half of a surrogate pair is left: UTF-8 cannot carry one, so the whole upload would be refused. */
function cut(message: string): string {
  return message.slice(0, MESSAGE_MAX).replace(/\p{Surrogate}/gu, '\ufffd');
}
