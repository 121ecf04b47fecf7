import { spawnSync } from 'node:child_process';
import { prose } from '../../../engine/github/render/escape.ts';
import { render } from '../../../engine/github/render/render.ts';
import { NAME, planView } from '../../../engine/github/render/testing.ts';
import { readHost } from '../../../engine/hosts/readHost.ts';
import { batchScript } from '../../../engine/operations/batch.ts';
import { hostQueries, planHost, SYSTEM } from '../../../engine/plan/planHost.ts';
import type { HostPlan } from '../../../engine/plan/step.ts';
import { checkRepository } from '../../../engine/spec/check.ts';
import { answers } from '../answers.ts';
import { exampleFiles } from '../examples.ts';
import { hostileHost } from '../hostile-host.ts';
import { expectTame } from '../markdown.ts';
import { HOSTILE, mutateBytes } from '../mutate.ts';
import { expectSame } from '../same.ts';
import { expectTyped, hold, type Target } from '../target.ts';

/** A plan of all hosts has 32 MiB in the store. */
const PLAN_MAX = 16 * 1024 * 1024;
const DIFF_MAX = 65_000;
const MESSAGE_MAX = 2_000;

const WORDS = [
  ...HOSTILE,
  ...[
    '\n@ ',
    '\n= ',
    '\n~ ',
    '\n@ end\n',
    'absent',
    'file ',
    'link ',
    'directory ',
    'other ',
    'user ',
    'group ',
    'keys ',
  ],
  ...[
    '~ content ',
    '~ size ',
    '~ taken ',
    '~ transaction',
    '~ problem ',
    '~ installs ',
    '# same ',
    '# basis ',
    'owned',
  ],
  ...[
    'a\nb\n',
    'YQpiCg==',
    '%2Fetc%2Fmotd',
    'path%3A',
    'system%3Aall',
    'owned%3Aall',
    '\tcreated\t',
    '\trestore\t',
    'acme%2Finfra',
  ],
];

const { resolution } = checkRepository(exampleFiles('web'));

/** What a host answers when its state is read. */
export const facts: Target = {
  name: 'facts',
  about: 'the state that a host tells of itself, up to the plan and its script',
  seeds: () => answers(hostQueries(host(), [SYSTEM])),
  mutate: mutateBytes(WORDS),
  check: async (input) => {
    const plan = await planned(input).catch((error: unknown) => {
      expectTyped(error, 'fact-unreadable');
      const { message } = error as Error;
      hold(message.length <= MESSAGE_MAX, `a message of ${message.length} characters`);
      expectTame(prose(message));
      return undefined;
    });
    if (plan === undefined) return;
    if (input.length < 10_000) expectSame(await planned(input), plan, 'the plan for the same answer');
    hold(JSON.stringify(plan).length <= PLAN_MAX, 'a plan without end');
    for (const { diff } of plan.steps) hold(diff.length <= DIFF_MAX, `a diff of ${diff.length} characters`);
    expectTame(
      render(planView({ plan: { kind: 'plan', hosts: [plan], digest: NAME.digest }, waiting: [] })).body,
    );
    expectBatch(plan);
  },
  secondsMax: 5,
};

function host() {
  const [first] = resolution.hosts;
  if (first === undefined) throw new Error('the example has no host');
  return first;
}

async function planned(answer: Buffer): Promise<HostPlan> {
  const repository = 'acme/infra';
  const readings = await readHost(hostileHost({ stdout: answer }), host(), { repository }, [SYSTEM]);
  return planHost({
    host: host(),
    readings,
    payloads: resolution.payloads,
    repository,
    changedItems: undefined,
  });
}

/** Once it is approved, it can be applied: the host gets a script that its shell understands. */
function expectBatch({ steps }: HostPlan): void {
  const { text } = batchScript({
    kind: 'batch',
    run: 'pr1-aaaaaaaa-w0',
    repository: 'acme/infra',
    steps: steps.slice(0, 100),
  });
  const { status, stderr } = spawnSync('/bin/sh', ['-n'], { input: text, encoding: 'utf8' });
  hold(status === 0, `the script of the plan is none: ${stderr.slice(0, 200)}`);
}
