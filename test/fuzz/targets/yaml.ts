import { spawnSync } from 'node:child_process';
import { facts } from '../../../engine/facts/registry.ts';
import { readScript } from '../../../engine/facts/script.ts';
import { render } from '../../../engine/github/render/render.ts';
import { hostQueries } from '../../../engine/plan/planHost.ts';
import { type CheckedRepository, checkRepository } from '../../../engine/spec/check.ts';
import { MAX_ERRORS } from '../../../engine/spec/limits.ts';
import type { SpecError } from '../../../engine/spec/manifest.ts';
import { exampleFiles, isYaml } from '../examples.ts';
import { expectTame } from '../markdown.ts';
import { HOSTILE, mutateBytes } from '../mutate.ts';
import { expectSame } from '../same.ts';
import { hold, type Target } from '../target.ts';

const MESSAGE_MAX = 6_000;
const HOSTS_READ = 2;

const WORDS = [
  ...HOSTILE,
  ...[
    'apiVersion: doaas/v1\n',
    'kind: ',
    'Configuration',
    'Firewall',
    'Hardening',
    'PatchPolicy',
    'Server',
    'Variables',
    'Policy',
    'metadata: ',
    'name: ',
  ],
  ...[
    'spec:\n',
    'targets: ',
    'all: true',
    'labels: ',
    'packages:\n',
    'files:\n',
    'content: ',
    'template: ',
    'source: ',
  ],
  ...[
    'inbound: ',
    'from: ',
    'port: ',
    'service: ',
    'profile: strict\n',
    'overrides: ',
    'waivers: ',
    'variables: ',
    'values: ',
    'secretRef: ',
    'rollout: ',
    'dependsOn: ',
    'scripts: ',
    'units: ',
    'users: ',
    'mode: ',
  ],
  ...[
    '\n  ',
    '\n    ',
    '\n---\n',
    '\n...\n',
    '|\n',
    '>-\n',
    '|2\n',
    '? a\n: b\n',
    '- ',
    '{a: ',
    '[',
    '"',
    '%YAML 1.2\n',
  ],
];

/** One file of a repository that has all that a real one has. */
export const yaml: Target = {
  name: 'yaml',
  about: 'documents in a repository',
  seeds: () =>
    ['web', 'minimal'].flatMap((name) =>
      [...exampleFiles(name)].flatMap(([path, bytes]) => (isYaml(path) ? [bytes] : [])),
    ),
  mutate: mutateBytes(WORDS),
  check: (input) => {
    const files = repositoryWith(input);
    const checked = checkRepository(files);
    if (input.length < 10_000)
      expectSame(checkRepository(files).errors, checked.errors, 'what is said of the same file');
    hold(checked.errors.length <= MAX_ERRORS * 2, `${checked.errors.length} errors`);
    for (const error of checked.errors) expectReadable(error, files);
    const { title, body } = render({ kind: 'validate', errors: checked.errors, documents: 1, hosts: 1 });
    expectTame(body);
    hold(!/[\p{Cc}\p{Cf}]/u.test(title), 'a title that is more than a line of text');
    if (checked.errors.length === 0) expectReading(checked);
  },
  secondsMax: 5,
};

const KEPT = [...exampleFiles('web')].filter(([path]) => !isYaml(path));

function repositoryWith(input: Buffer): ReadonlyMap<string, Uint8Array> {
  return new Map([...KEPT, ['fuzzed.yaml', input]]);
}

function expectReadable({ message, position }: SpecError, files: ReadonlyMap<string, Uint8Array>): void {
  hold(message.length > 0 && message.length <= MESSAGE_MAX, `a message of ${message.length} characters`);
  const bytes = files.get(position.file);
  if (bytes === undefined) return;
  const lines = Buffer.from(bytes)
    .toString('utf8')
    .split(/\r\n|\r|\n/).length;
  hold(position.line >= 1 && position.column >= 1, 'an error before the file begins');
  hold(position.endLine <= lines, `an error in line ${position.endLine} of ${lines}`);
}

/** What is valid can be read from hosts: a script that a shell understands. */
function expectReading({ resolution }: CheckedRepository): void {
  for (const host of resolution.hosts.slice(0, HOSTS_READ)) {
    const { text } = readScript(facts, hostQueries(host));
    const { status, stderr } = spawnSync('/bin/sh', ['-n'], { input: text, encoding: 'utf8' });
    hold(status === 0, `the script that reads a host is none: ${stderr.slice(0, 200)}`);
  }
}
