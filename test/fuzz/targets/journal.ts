import { renderApply } from '../../../engine/github/render/run.ts';
import { NAME } from '../../../engine/github/render/testing.ts';
import { type BatchEvent, undoBatch } from '../../../engine/hosts/batchRun.ts';
import { readyParser } from '../../../engine/hosts/bootstrap.ts';
import { excerpt } from '../../../engine/hosts/host-error.ts';
import { parseTraces } from '../../../engine/hosts/traces.ts';
import { maskOf } from '../../../engine/secrets/mask.ts';
import { hostileHost } from '../hostile-host.ts';
import { expectTame } from '../markdown.ts';
import { HOSTILE, mutateBytes } from '../mutate.ts';
import { expectTyped, hold, type Target } from '../target.ts';

const DETAIL_MAX = 20_000;
const EXCERPT_MAX = 310;
const ITEM = 'path:/etc/motd';

const WORDS = [
  ...HOSTILE,
  ...[
    '1795413564.509\t',
    'file:/etc/motd\t',
    'started',
    '\tdone',
    '\tfailed',
    '\tend\trolled-back\n',
    '\tend\tapplied\n',
    '\t-\t',
  ],
  ...['@ output\n', '@ end\n', '@ cut\n', '@ fenced 2 1\n', 'doaas-ready 1 2\n', '= path%3A%2Fetc%2Fmotd\n'],
  ...[
    'sudo[1]: ann : USER=root ; COMMAND=/bin/true\n',
    'USER=',
    ' ; COMMAND=',
    'Start-Date: ',
    'Commandline: ',
    'a secret value',
  ],
];

/** What a host says while a batch runs, and what its logs say. */
export const journal: Target = {
  name: 'journal',
  about: 'the journal of a run, login noise, logs and errors of a host',
  seeds: () =>
    [
      '1795413564.5\tfile:/etc/motd\tstarted\n1795413564.6\tfile:/etc/motd\tundone\n1795413564.7\t-\tend\trolled-back\n\n@ end\n',
      '1795413564.5\tscript:a\tfailed\texit 1\n1795413565.1\t-\tend\tfailed\n@ output\nE: no\n\n@ end\n',
      '@ fenced 12 7\n',
      '@ cut\n',
      'Welcome!\ndoaas-ready 4711 123456\n= path%3A%2Fetc%2Fmotd\n1795413564.509123 web-1 sudo[123]:   ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/tee /etc/motd\n',
      '= path%3A%2Fetc%2Fmotd\nStart-Date: 2026-01-01  10:00:00\nCommandline: apt-get install nginx\nRequested-By: ann (1000)\n',
    ].map((text) => Buffer.from(text)),
  mutate: mutateBytes(WORDS),
  check: async (input) => {
    const events: BatchEvent[] = [];
    const said = { stdout: input, stderr: input, exitCode: 1 };
    const result = await undoBatch(hostileHost(said), 'pr1-w0', 'undo', {
      onEvent: (event) => events.push(event),
    }).catch((error: unknown) => {
      expectTyped(error, 'batch-cut', 'fenced');
      return undefined;
    });
    for (const event of events) expectEvent(event);
    if (result !== undefined) expectShown(result.output, result.end);
    expectNoise(input);
    const text = input.toString('utf8');
    hold(excerpt(text).length <= EXCERPT_MAX, 'an excerpt without end');
    for (const { said: sentences } of parseTraces([ITEM], text))
      hold(sentences.length <= 3 && sentences.every((each) => each.length <= 500), 'traces without end');
    hold(!maskOf(new Map([['a secret value', 'x']]))(text).includes('a secret value'), 'a secret is told');
  },
  secondsMax: 5,
};

function expectEvent({ at, step, event, detail }: BatchEvent): void {
  hold(Number.isFinite(at), `an event at ${at}`);
  hold(step.length + event.length + detail.length <= DETAIL_MAX, 'an event without end');
}

function expectShown(output: string, end: string): void {
  const failure = { host: 'web-1', what: 'file', message: `the run ended as ${end}`, output };
  expectTame(
    renderApply({ kind: 'apply', state: 'failed', name: NAME, hosts: [], seconds: 1, failure }).body,
  );
}

/** What a login shell prints before the first line of ours. */
function expectNoise(input: Buffer): void {
  try {
    readyParser().push(input);
  } catch (error) {
    hold((error as Error).message === 'the login shell prints without end', String(error));
  }
}
