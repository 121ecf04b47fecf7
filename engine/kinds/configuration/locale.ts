import { type LocaleState, localeFact } from '../../facts/locale.ts';
import { writeLocale } from '../../operations/locale.ts';
import type { ResolvedConfiguration } from '../../spec/configuration.ts';
import type { KindPlan } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { unifiedDiff } from './diff.ts';
import { joined, problem, steps } from './outcome.ts';
import type { Section } from './section.ts';

type Variables = Readonly<Record<string, string>>;

/** Variables of locale.conf(5); those that the document does not name stay as they are. */
export const localeSection: Section = {
  section: 'locale',
  claims: (spec) => (spec.locale === undefined ? [] : [{ item: 'locale:all', pointer: '/locale' }]),
  needs: (spec) => (spec.locale === undefined ? [] : [{ fact: 'locale', key: 'all' }]),
  plan: (spec, readings) =>
    spec.locale === undefined ? steps() : planLocale(spec.locale, stateOf(readings, localeFact, 'all'), spec),
};

function planLocale(wanted: Variables, now: LocaleState, spec: ResolvedConfiguration): KindPlan {
  const missing = notGenerated(wanted, now.generated);
  if (missing.length > 0 && !mayGenerate(spec)) return joined(missing.map(notReady));
  const text = withVariables(now.text, wanted);
  if (text === now.text) return steps();
  const diff = unifiedDiff(now.path, now.text, text);
  return steps({
    id: 'locale:all',
    operation: writeLocale.operation,
    params: { path: now.path, text },
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
    summary: `locale ${Object.entries(wanted)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
    diff: diff.text,
  });
}

function notReady(locale: string): KindPlan {
  return problem(
    `the locale ${locale} is not generated on the host: add the package locales-all, or the package locales with ${locale} in /etc/locale.gen and a script that runs locale-gen`,
  );
}

/** LANGUAGE is a list of languages for messages, not of locales. */
function notGenerated(wanted: Variables, generated: readonly string[]): readonly string[] {
  const ready = new Set(['C', 'POSIX', ...generated].map(normalised));
  const names = Object.entries(wanted).flatMap(([name, value]) => (name === 'LANGUAGE' ? [] : [value]));
  return [...new Set(names)].filter((value) => !ready.has(normalised(value)));
}

/** `en_US.UTF-8` and `en_US.utf8` are the same locale: libc folds the codeset. */
function normalised(locale: string): string {
  const [name = '', modifier] = locale.split('@');
  const [language = '', codeset] = name.split('.');
  const folded = codeset === undefined ? '' : `.${codeset.toLowerCase().replaceAll(/[^a-z0-9]/g, '')}`;
  return `${language}${folded}${modifier === undefined ? '' : `@${modifier}`}`;
}

/** The document brings locales before this part is applied. */
function mayGenerate(spec: ResolvedConfiguration): boolean {
  return ['locales-all', 'locales'].some((name) => spec.packages[name]?.state === 'present');
}

/** Assignments that already say it stay as they are written; others are replaced where they stand, or added. */
function withVariables(text: string, wanted: Variables): string {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const seen = new Set<string>();
  const kept = lines.flatMap((line) => {
    const [, name = '', value = ''] = /^\s*([A-Z_]+)=(.*)$/.exec(line) ?? [];
    const want = wanted[name];
    if (want === undefined) return [line];
    if (seen.has(name)) return [];
    seen.add(name);
    return [unquoted(value) === want ? line : `${name}=${want}`];
  });
  const added = Object.entries(wanted).flatMap(([name, value]) =>
    seen.has(name) ? [] : [`${name}=${value}`],
  );
  const all = [...kept, ...added];
  return kept.length === lines.length && added.length === 0 && kept.every((line, i) => line === lines[i])
    ? text
    : `${all.join('\n')}\n`;
}

function unquoted(value: string): string {
  return value.trim().replace(/^(["'])(.*)\1$/, '$2');
}
