import type { LabGitHub } from '../../lab/github/lab-github.ts';
import { until } from '../../test/until.ts';
import { serverYaml, startWorld } from '../../test/world.ts';
import { configuration } from '../../test/yaml.ts';
import { rounded } from '../measure.ts';
import { progress } from '../report.ts';

const HOSTS = 10;
const PULLS = 20;
const CHECK_SECONDS_MAX = 60;

/** Seconds from a delivery to the completed check, for each pull request. */
export interface Times {
  readonly validate: number[];
  readonly plan: number[];
}

/** Pull requests one after the other, each of which changes a file on all hosts. Measured by GitHub's clock. */
export async function timesToStatus(): Promise<Times> {
  const world = await startWorld({
    hosts: HOSTS,
    engine: 'process',
    // 20 pull requests in less than a minute take some 160 writes, where github.com allows 80 (docs/benchmarks.md)
    environment: { DOAAS_GITHUB_WRITES_PER_MINUTE: '1000000' },
    files: (hosts) => ({ 'servers.yaml': serverYaml(hosts), 'web.yaml': motd('as it was') }),
    progress,
  });
  const times: Times = { validate: [], plan: [] };
  try {
    for (let n = 1; n <= PULLS; n += 1) {
      const { pull, sha } = await world.open(`change-${n}`, { 'web.yaml': motd(`change ${n}`) });
      const delivered = await deliveredAt(world.github, pull);
      const validate = (await completedAt(world.github, sha, 'doaas/validate')) - delivered;
      const plan = (await completedAt(world.github, sha, 'doaas/plan')) - delivered;
      times.validate.push(validate / 1000);
      times.plan.push(plan / 1000);
      progress(
        `pull request ${n}: validated after ${rounded(validate)} ms, planned after ${rounded(plan)} ms`,
      );
    }
    return times;
  } finally {
    await world.close();
  }
}

function motd(text: string): string {
  return configuration('web', { files: { '/etc/motd': { content: `${text}\n` } } });
}

/** When the lab's GitHub began to send the delivery. Epoch ms. */
function deliveredAt(github: LabGitHub, pull: number): Promise<number> {
  return until(async () => {
    const sent = github.webhooks
      .all()
      .find((delivery) => delivery.event === 'pull_request' && numberOf(delivery.body) === pull);
    const at = sent?.attempts[0]?.at;
    return at === undefined ? undefined : Date.parse(at);
  }, `the delivery of #${pull}`);
}

function numberOf(body: string): unknown {
  return (JSON.parse(body) as { readonly number?: unknown }).number;
}

/** When the request that completed the check reached the lab's GitHub. Epoch ms. */
function completedAt(github: LabGitHub, sha: string, name: string): Promise<number> {
  return until(
    async () => {
      const request = github.requests().find(({ path, body, status }) => {
        if (!path.includes('/check-runs') || status === undefined || status >= 300) return false;
        const check = (body ?? {}) as Readonly<Record<string, unknown>>;
        // both the request that makes a check and the one that changes it name the head in the external id
        return check.name === name && check.status === 'completed' && String(check.external_id).includes(sha);
      });
      return request === undefined ? undefined : Date.parse(request.at);
    },
    `${name} of ${sha.slice(0, 8)}`,
    CHECK_SECONDS_MAX,
  );
}
