import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mapEvent } from '../../engine/github/map-event.ts';
import { APP_EVENTS, APP_PERMISSIONS } from './accounts.ts';

/** The lab's App has what the page says and no more; so the end-to-end tests show that it suffices. */
const page = readFileSync(new URL('../../docs/github-app.md', import.meta.url), 'utf8');

/** GitHub sends these to every App: there is nothing to tick. */
const SENT_ANYWAY = ['installation', 'installation_repositories'];

/** GitHub's pages say it otherwise than its API. */
const IN_API: Readonly<Record<string, string>> = {
  commit_statuses: 'statuses',
  code_scanning_alerts: 'security_events',
};

const snake = (words: string): string => words.toLowerCase().replaceAll(' ', '_');

test('the page names the permissions that the lab grants', () => {
  const rows = [...page.matchAll(/^\| ([\w ]+) \| (Read and write|Read-only) \|/gm)];
  const inApi = (name: string) => IN_API[snake(name)] ?? snake(name);
  const told = rows.map(([, name = '', access]) => [inApi(name), access === 'Read-only' ? 'read' : 'write']);
  expect(Object.fromEntries(told)).toEqual(APP_PERMISSIONS);
});

test('the page names the events that the lab sends, and the engine uses each of them', () => {
  const [, sentence = ''] = /^Tick (.+?)\. /m.exec(page) ?? [];
  const told = [...sentence.matchAll(/\*\*([\w ]+)\*\*/g)].map(([, name = '']) => snake(name));
  expect([...told, ...SENT_ANYWAY].sort()).toEqual([...APP_EVENTS].sort());
  const payload = { repository: { name: 'infra', owner: { login: 'acme' } } };
  const unused = (event: string) => mapEvent(event, payload, { appId: 1 });
  expect(unused('star')).toEqual({ kind: 'ignored', reason: 'event star is not used' });
  for (const event of told)
    expect(unused(event)).not.toEqual({ kind: 'ignored', reason: `event ${event} is not used` });
});
