import { render } from '../../../engine/github/render/render.ts';
import { planView } from '../../../engine/github/render/testing.ts';
import { ownersOf, parseCodeowners } from '../../../engine/policy/codeowners.ts';
import { judge } from '../../../engine/policy/judge.ts';
import { change, step, target } from '../../../engine/policy/testing.ts';
import { loadPolicy, POLICY_FILE } from '../../../engine/spec/policy.ts';
import type { PolicySpec } from '../../../engine/spec/types.generated.ts';
import { exampleFiles } from '../examples.ts';
import { expectTame } from '../markdown.ts';
import { HOSTILE, mutateBytes } from '../mutate.ts';
import { expectSame } from '../same.ts';
import { hold, type Target } from '../target.ts';

const VERDICT_MAX = 2_000_000;
const PATH_MAX = 4_096;

const WORDS = [
  ...HOSTILE,
  ...[
    'rules:\n',
    '    r: ',
    'match: ',
    'paths: ',
    '"**"',
    '"**/*"',
    '"*.yaml"',
    'labels: ',
    'sites: ',
    'hostsAtLeast: ',
  ],
  ...[
    'approvals: ',
    'count: ',
    'users: ',
    'teams: ',
    'codeOwners: true',
    'checks: ',
    'window: ',
    'timeZone: ',
    'UTC',
  ],
  ...[
    'Europe/Berlin',
    'days: [mon]',
    'hours: {from: "22:00", to: "04:00"}',
    'freeze: ',
    '{from: "2026-01-01", to: "2026-12-31"}',
  ],
  ...[
    'limits: ',
    'hosts: 1',
    'packagesRemoved: 0',
    'people: ',
    'breakGlass: ',
    'trigger: merge',
    'web.yaml @acme/dba\n',
  ],
  ...[
    '    r1: {window: {timeZone: UTC, hours: {from: "01:00", to: "01:15"}}}\n',
    '    r2: {match: {paths: ["a*b*c"]}}\n',
  ],
];

/** A policy; the same text is also taken for CODEOWNERS. */
export const policy: Target = {
  name: 'policy',
  about: 'policy files and code owners',
  seeds: () => [...exampleFiles('policies').values()],
  mutate: mutateBytes(WORDS),
  check: (input) => {
    const loaded = loadPolicy(
      new Map([
        [POLICY_FILE, input],
        ['CODEOWNERS', input],
      ]),
    );
    hold(
      (loaded.spec === undefined) === loaded.errors.length > 0,
      'a policy with mistakes holds, or none without',
    );
    const { body } = render({ kind: 'validate', errors: loaded.errors, documents: 1, hosts: 1 });
    expectTame(body);
    const owners = parseCodeowners(loaded.codeowners ?? '') ?? [];
    for (const path of PATHS) hold(Array.isArray(ownersOf(owners, path)), 'no owners');
    if (loaded.spec !== undefined) expectVerdict(loaded.spec, loaded.codeowners);
  },
  secondsMax: 5,
};

const PATHS = [
  'web.yaml',
  'databases/db.yaml',
  'a'.repeat(PATH_MAX),
  'a/'.repeat(PATH_MAX / 2),
  'abc'.repeat(PATH_MAX / 3),
];

function expectVerdict(spec: PolicySpec, codeowners: string | undefined): void {
  const steps = [step(), step({ disruption: 'failover', document: 'PostgresCluster/db' })];
  const made = change({
    paths: PATHS,
    codeowners,
    targets: [target('web-1', { steps }), target('db-1', { labels: {} })],
  });
  for (const lifted of ['nothing', 'override', 'break-glass'] as const) {
    const verdict = judge(spec, { ...made, lifted });
    expectSame(judge(spec, { ...made, lifted }), verdict, 'the verdict on the same change');
    hold(verdict.ready === (verdict.missing.length === 0), 'ready, and something is missing');
    hold(JSON.stringify(verdict).length <= VERDICT_MAX, 'a verdict without end');
    const { body } = render(planView({ waiting: verdict.missing, asks: verdict.asks }));
    expectTame(body);
  }
}
