import { Context } from '@temporalio/activity';
import { recordName } from '../github/workflowIds.ts';
import { isSecured } from '../security/needs.ts';
import { withQuotesMasked } from '../security/quoted.ts';
import { errorsByOwnPolicy } from '../spec/check.ts';
import type { Engine } from './engine.ts';
import { permanent } from './failure.ts';
import { HOSTS_PER_ACTIVITY } from './hostsPerActivity.ts';
import { publishSecurity } from './publishSecurity.ts';
import { readSecurity } from './readSecurity.ts';
import { rememberSecurity } from './rememberSecurity.ts';
import { maskOn } from './sealing.ts';
import type { SecurityRevision } from './securityTypes.ts';
import { elsewhereOf } from './sites.ts';
import type { SecurityActivities, SecurityPart } from './types.ts';

/** The security report of a default branch: read part by part, and published once. */
export function securityActivities(engine: Engine): SecurityActivities {
  const told = new Set<string>();
  return {
    readSecurity: (revision, start, site) => readPart(engine, revision, start, site),
    publishSecurity: (repository, tip, asked) => {
      const signal = Context.current().cancellationSignal;
      return publishSecurity(engine, { repository, tip, ...(asked && { asked }), signal, told });
    },
  };
}

async function readPart(
  engine: Engine,
  { repository, commit, at, byClock }: SecurityRevision,
  start: number,
  site: string | undefined,
): Promise<SecurityPart> {
  const tree = await engine.revisions.resolveCommit(repository, commit);
  const [mistake] = errorsByOwnPolicy(tree);
  if (mistake !== undefined) throw permanent(`${commit} is not valid: ${mistake.message}`);
  const { resolution } = tree;
  if (byClock === true && !isSecured(resolution.hosts)) return { total: 0 };
  const away = site === undefined ? elsewhereOf(engine, resolution.hosts) : {};
  const all = resolution.hosts.filter(({ server }) =>
    site === undefined ? away.elsewhere?.includes(server.site) !== true : server.site === site,
  );
  const end = start + HOSTS_PER_ACTIVITY;
  const changelogs = (await engine.tracker.of(new Set())) === undefined;
  const hosts = all.slice(start, end);
  const mask = await maskOn(engine.secrets, resolution, hosts);
  const said = await readSecurity(engine.transport, hosts, { lookers: all, changelogs });
  const read = said.map((host) => withQuotesMasked(host, mask));
  const { securityHosts } = engine.store;
  const name = recordName(repository);
  await securityHosts.save(name, at, read);
  await rememberSecurity(securityHosts, name, at, read);
  return { total: all.length, ...(end < all.length ? { next: end } : {}), ...away };
}
