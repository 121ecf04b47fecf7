import type { Setting } from './setting.ts';
import { settings } from './settings.ts';

const groups = {
  engine: 'Engine',
  github: 'GitHub',
  temporal: 'Temporal',
  hosts: 'Hosts',
  secrets: 'Secrets',
  limits: 'Limits',
} as const;

/** The text of docs/configuration.md. A test holds the two equal. */
export function configurationDocument(): string {
  const sections = Object.entries(groups).map(([group, title]) => {
    const rows = Object.values(settings).filter((setting) => setting.group === group);
    return `## ${title}\n\n| setting | default | what it does |\n|---|---|---|\n${rows.map(row).join('\n')}`;
  });
  return `${HEAD}\n${sections.join('\n\n')}\n`;
}

function row(setting: Setting<unknown>): string {
  const value = setting.required
    ? '**required**'
    : setting.fallback === undefined
      ? 'not set'
      : `\`${setting.fallback}\``;
  const note = setting.secret ? ' *Secret.*' : '';
  return `| \`${setting.name}\` | ${value} | ${setting.description}${note} |`;
}

const HEAD = `# Configuration

\`npm start\` reads its settings from the environment. What is missing or wrong is named at start, all of it at once, and the
engine exits. An empty value counts as not set. Every *secret* setting may instead be given as \`NAME_FILE\`, the path of a file
that holds it; secrets are never logged.

This page is generated from \`engine/config/settings.ts\`: \`npx tsx engine/config/write-document.ts\`.
`;
