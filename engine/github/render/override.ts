import { oneLine, prose } from './escape.ts';

/** Somebody who may took something away that the policy asks for. */
export interface OverrideView {
  readonly kind: 'override' | 'break-glass';
  readonly by: string;
  readonly reason: string;
}

export const OVERRIDE_TITLES: Readonly<Record<OverrideView['kind'], string>> = {
  'break-glass': 'The glass was broken',
  override: 'The policy was overridden',
};

/** Characters of a reason; a comment's command is no longer than 8,192. */
export const OVERRIDE_REASON_MAX = 1_000;

/** Above whatever is told of a run that began so. Markdown. */
export function overrideNote({ kind, by, reason }: OverrideView): string {
  return `**${OVERRIDE_TITLES[kind]} by ${prose(by)}:** ${prose(reason, OVERRIDE_REASON_MAX)}`;
}

/**
 * The same for a commit message, which is no markdown: GitHub links names and numbers in it all the same, and `fixes #7` would
 * close an issue.
 */
export function overrideInMessage({ kind, by, reason }: OverrideView): string {
  return plain(`${OVERRIDE_TITLES[kind]} by ${by}: ${oneLine(reason, OVERRIDE_REASON_MAX)}`);
}

const BREAK = '\u200b';

function plain(text: string): string {
  return text
    .replace(/[@#]/g, (sign) => `${sign}${BREAK}`)
    .replace(/:\/\//g, `:${BREAK}//`)
    .replace(/\b(GH)-(?=\d)/gi, `$1-${BREAK}`)
    .replace(/\bwww\./gi, (www) => `${www.slice(0, -1)}${BREAK}.`);
}
