import type { ReportedUpdate } from '../../security/report.ts';

export const UPDATE_COLUMNS = ['package', 'installed', 'available', 'from', 'kept back', 'closes'];

/** One cell for each column; words of the host, not escaped. */
export function updateRow(update: ReportedUpdate): readonly string[] {
  const { name, from, to, archive = '' } = update;
  return [name, from, to, archive, keptText(update), closesText(update)];
}

/** Why it does not come by itself. */
function keptText({ held, keptBack }: ReportedUpdate): string {
  if (held !== undefined) return HELD[held];
  if (keptBack === undefined) return '';
  return keptBack === '' ? 'by apt, without a reason' : `by apt: ${keptBack}`;
}

const HELD: Readonly<Record<NonNullable<ReportedUpdate['held']>, string>> = {
  held: 'held',
  excluded: 'excluded by a document',
  asked: 'it may ask about a configuration file, which is left to people',
};

/** More than a cell has room for, which is cut to 500 characters. */
const CVES_SHOWN = 50;

function closesText({ cves, cvesBy }: ReportedUpdate): string {
  const shown = cves.slice(0, CVES_SHOWN).join(', ');
  return cvesBy === 'changelog' && cves.length > 0 ? `by its changelog: ${shown}` : shown;
}
