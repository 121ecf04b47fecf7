import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareTrees, describeDifferences, snapshotTree } from '../../lab/compare.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

const KIB = 1024;

/** Steps that cannot be done: the check says why, and the host is as it was. */
describe('a step that fails', { timeout: 4 * MINUTES }, () => {
  let world: World;
  let host: LabHost;
  beforeAll(async () => {
    world = await startWorld({
      limits: { diskMiB: 500 },
      files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }),
    });
    host = world.hosts[0] as LabHost;
    // units started later inherit it; two minutes would be too long to wait for here
    await host.exec('systemctl set-environment DOAAS_APT_LOCK_SECONDS=3');
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const on = async (script: string): Promise<string> => (await host.exec(script)).stdout.trim();

  async function planned(
    name: string,
    spec: Readonly<Record<string, unknown>>,
    files: Readonly<Record<string, string>> = {},
  ) {
    const { pull, sha } = await world.open(name, { 'web.yaml': configuration('web', spec), ...files });
    return { pull, sha, plan: await world.check(sha, 'doaas/plan', { seconds: 90 }) };
  }

  /** Applies, and expects that the failure is said so and nothing is left of it. */
  async function failsAndLeavesNothing(
    { pull, sha }: { pull: number; sha: string },
    said: { readonly title: RegExp; readonly summary: RegExp },
    meanwhile: { readonly before?: () => Promise<unknown>; readonly after?: () => Promise<unknown> } = {},
  ): Promise<void> {
    await world.approve(pull);
    const before = await snapshotTree(host);
    await meanwhile.before?.();
    try {
      await world.say(pull, '/doaas apply');
      const apply = await world.check(sha, 'doaas/apply', { conclusion: 'failure', seconds: 150 });
      expect(apply.title).toMatch(said.title);
      expect(apply.title).toMatch(/(1 server|0 servers) restored as before$/);
      expect(apply.summary).toMatch(said.summary);
      await until(
        async () => (said.summary.test(await world.comment(pull)) ? true : undefined),
        'the comment to say it too',
      );
    } finally {
      await meanwhile.after?.();
    }
    expect(describeDifferences(await compareTrees(before, await snapshotTree(host)))).toBe('');
    expect(await world.merged(pull)).toBe(false);
    await world.github.closePullRequest(world.repo, pull);
  }

  it('a unit that fails to start: its own last words are shown', async () => {
    const run = await planned('unit', {
      files: { '/etc/broken.conf': { content: 'x\n' } },
      units: {
        'broken.service': {
          content:
            '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c "echo the port is taken >&2; exit 3"\n[Install]\nWantedBy=multi-user.target\n',
          running: true,
        },
      },
    });
    expect(run.plan.conclusion, run.plan.summary).toBe('success');
    await failsAndLeavesNothing(run, {
      title: /broken\.service.* failed on web-1/,
      summary: /the port is taken/,
    });
  });

  it('a probe that only what a reload is about to end would pass', async () => {
    const obeysLate = 'touch /run/old; trap "sleep 0.8; rm -f /run/old" HUP; while :; do sleep 0.05; done';
    await host.exec(`cat > /etc/systemd/system/late.service <<'EOF'
[Service]
ExecStart=/bin/sh -c '${obeysLate}'
ExecReload=/bin/kill -HUP $MAINPID
EOF
systemctl daemon-reload && systemctl start late.service && until [ -e /run/old ]; do sleep 0.1; done`);
    const run = await planned('late', {
      files: { '/etc/late.conf': { content: 'x\n', notify: { reload: ['late.service'] } } },
      probes: [{ command: ['test', '-e', '/run/old'], within: '1s' }],
    });
    await failsAndLeavesNothing(run, {
      title: /^Probe command test -e \/run\/old failed on web-1/,
      summary: /test -e \/run\/old/,
    });
  });

  it('a package that does not exist, while planning: lists that were just read are believed', async () => {
    await on('touch /var/lib/apt/lists /var/lib/apt/lists/partial');
    const { pull, plan } = await planned('no-such', { packages: { 'nonesuch-package': {} } });
    expect(plan.conclusion).toBe('failure');
    expect(plan.summary).toMatch(
      /error on `web-1`: the package nonesuch-package does not exist in the package lists of this host: check it, or add the repository that has it/,
    );
    await world.github.closePullRequest(world.repo, pull);
  });

  it('a package that does not exist: the package lists are read anew before it is believed', async () => {
    await on("touch -d '3 days ago' /var/lib/apt/lists /var/lib/apt/lists/partial");
    const run = await planned('nonesuch', { packages: { 'nonesuch-package': {} } });
    await failsAndLeavesNothing(run, {
      title: /nonesuch-package.* failed on web-1/,
      summary:
        /the package nonesuch-package is not in the package lists of this host, which were read anew just now: check its name/,
    });
  });

  it('apt is locked by another process: it is waited for, then named', async () => {
    const run = await planned('locked', { packages: { tree: {} } });
    expect(run.plan.conclusion, run.plan.summary).toBe('success');
    await failsAndLeavesNothing(
      run,
      {
        title: /tree.* failed on web-1/,
        summary:
          /apt is locked by another process, \d+ \(\S+\), for more than 3 s; wait until it has ended or end it/,
      },
      {
        before: () =>
          host.exec(
            'systemd-run --quiet --unit=locker -p Type=notify -p NotifyAccess=all perl -e \'open(my $f, "+>>", "/var/lib/dpkg/lock-frontend") or die; use Fcntl; my $l = pack("s s x4 l! l! i", F_WRLCK, 0, 0, 0, 0); fcntl($f, F_SETLKW, $l) or die; system("systemd-notify --ready"); sleep 600\'',
          ),
        after: () => host.exec('systemctl stop locker'),
      },
    );
  });

  it('the disk is full in the middle: what was written is taken back', async () => {
    // both are brought to the host, which then has no room for the second one's place
    const files = { one: 'x'.repeat(500 * KIB), two: 'y'.repeat(500 * KIB) };
    const run = await planned(
      'disk',
      {
        files: {
          '/etc/motd': { content: 'small\n' },
          '/srv/one': { source: 'one' },
          '/srv/two': { source: 'two' },
        },
      },
      files,
    );
    await failsAndLeavesNothing(
      run,
      { title: /^two new .* failed on web-1/, summary: /No space left on device/ },
      { before: () => leave(1900), after: () => host.exec('rm /var/ballast') },
    );
  });

  it('the disk is full while it is taken back: that waits for room, and restarts nothing twice', async () => {
    await on(COUNTED);
    const run = await planned('refilled', {
      packages: { tree: {} },
      files: { '/etc/counted': { content: 'new\n', notify: { restart: ['counted.service'] } } },
      scripts: { fill: { check: 'test -e /run/applied', apply: 'touch /run/applied', undo: FILL } },
      probes: [{ tcp: 'localhost:81', within: '1s' }],
    });
    await failsAndLeavesNothing(
      run,
      {
        title: /^Probe tcp localhost:81 failed on web-1; 1 server restored as before$/,
        summary: /restored; every item/,
      },
      { before: async () => void emptied().catch(() => undefined) },
    );
    // at first, for the change, and for taking it back
    expect(await on('cat /run/starts')).toBe('start\nstart\nstart');
  });

  it('the disk is full from the start: nothing is begun', async () => {
    const run = await planned('no-disk', { files: { '/etc/motd': { content: 'never\n' } } });
    const before = await on('cat /etc/motd');
    await failsAndLeavesNothing(
      run,
      { title: /failed on web-1/, summary: /No space left on device/ },
      { before: () => leave(0), after: () => host.exec('rm /var/ballast') },
    );
    expect(await on('cat /etc/motd')).toBe(before);
  });

  /** Writes down each start of its service. */
  const COUNTED = `cat > /etc/systemd/system/counted.service <<'EOF'
[Service]
ExecStart=/bin/sh -c "echo start >> /run/starts; exec sleep infinity"
EOF
rm -f /run/starts; systemctl daemon-reload; systemctl start counted.service`;
  /** All that is free, also what the run had kept back. */
  const FILL = 'rm /run/applied; head -c 1G /dev/zero > /var/ballast || true; touch /run/filled';

  /** Makes room as soon as the run waits for it. */
  async function emptied(): Promise<void> {
    const waits = 'test -e /run/filled && pgrep -fx "sleep 2" && echo yes';
    await until(
      async () => ((await on(waits)).endsWith('yes') ? true : undefined),
      'the run to wait for room',
      150,
    );
    await on('rm /var/ballast');
  }

  /** Fills the host's disk but for so many KiB. */
  const leave = (kib: number) =>
    host.exec(
      `free=$(df --output=avail -k /var | tail -1); head -c $(( (free - ${kib}) * 1024 )) /dev/zero > /var/ballast; true`,
    );
});
