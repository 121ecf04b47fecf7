import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareTrees, describeDifferences, type Snapshot, snapshotTree } from '../../lab/compare.ts';
import type { LabHost } from '../../lab/hosts.ts';
import { MINUTES, until } from '../until.ts';
import { serverYaml, startWorld, type World } from '../world.ts';
import { configuration } from '../yaml.ts';

/** What becomes of items that leave the YAML, move within it, or were there before: said in the plan, and done. */
describe('an item', { timeout: 3 * MINUTES }, () => {
  let world: World;
  let host: LabHost;
  let asFound: Snapshot;
  beforeAll(async () => {
    world = await startWorld({ hosts: 2, files: (hosts) => ({ 'servers.yaml': serverYaml(hosts) }) });
    const [first] = world.hosts;
    if (first === undefined) throw new Error('there is no host');
    host = first;
    await on('echo found > /etc/doaas-found; chmod 640 /etc/doaas-found; echo kept > /etc/doaas-kept');
    asFound = await snapshotTree(host);
  }, 3 * MINUTES);
  afterAll(() => world?.close());

  const on = async (script: string): Promise<string> => (await host.exec(script)).stdout.trim();
  const planned = async (
    branch: string,
    files: Readonly<Record<string, string | null>>,
    conclusion = 'success',
  ) => {
    const opened = await world.open(branch, files);
    const plan = await world.check(opened.sha, 'doaas/plan', { conclusion });
    const comment = await until(async () => {
      const text = await world.comment(opened.pull);
      return text.includes(`head ${opened.sha.slice(0, 8)}`) ? text : undefined;
    }, 'the comment with the plan');
    return { ...opened, plan, comment };
  };
  const apply = async ({ pull, sha }: { readonly pull: number; readonly sha: string }): Promise<void> => {
    await world.approve(pull);
    await world.say(pull, '/doaas apply');
    await until(
      async () => ((await world.merged(pull)) ? true : undefined),
      `#${pull} to be merged`,
      60,
      async () => JSON.stringify([await world.checks(sha), await world.comment(pull)]),
    );
  };
  const files = (...names: readonly string[]) => ({
    files: Object.fromEntries(names.map((name) => [`/etc/doaas-${name}`, { content: `ours: ${name}\n` }])),
  });
  const state = () => on('stat -c "%n %a" /etc/doaas-*; cat /etc/doaas-*');

  it('that was there before is adopted', async () => {
    const opened = await planned('adopt', {
      'web.yaml': configuration('web', files('found', 'made', 'also')),
    });
    for (const text of [opened.plan.summary, opened.comment]) {
      expect(text).toMatch(
        /\| doaas-found [^|]*<br> \*adoption: it was there before, the engine takes it over\*/,
      );
      expect(text).not.toMatch(/\| doaas-made [^|]*adoption/);
    }
    await apply(opened);
    expect(await on('cat /etc/doaas-found /etc/doaas-made')).toBe('ours: found\nours: made');
  });

  it('whose document is renamed and moved to another file is not touched', async () => {
    const { plan, comment, pull } = await planned('rename', {
      'web.yaml': null,
      'sites/shop.yaml': configuration('shop', files('found', 'made', 'also')),
    });
    expect(plan.title).toBe('Nothing to do');
    expect(comment).toContain('### Nothing to do');
    // no server was asked, so there is no plan to look up
    expect(comment).not.toMatch(/Plan [0-9a-f]{8}/);
    const asked = await world.say(pull, '/doaas apply');
    await world.answer(pull, asked, /There is no plan to apply|nothing to do/i);
    expect(
      (await world.checks(await world.github.branchSha(world.repo, 'rename'))).map((c) => c.name),
    ).not.toContain('doaas/apply');
    await world.github.mergeByHand(world.repo, pull);
    expect(await world.github.fileAt(world.repo, 'main', 'sites/shop.yaml')).toContain('doaas-made');
  });

  it('that was changed on the server is called drift, and set right', async () => {
    await on('echo by hand > /etc/doaas-made');
    const opened = await planned('drift', {
      'sites/shop.yaml': configuration('shop', {
        ...files('found', 'made', 'also'),
        directories: { '/srv/shop': {} },
      }),
    });
    for (const text of [opened.plan.summary, opened.comment])
      expect(text).toMatch(
        /\| doaas-made [^|]*<br> \*drift: changed on the server, not by this pull request\*/,
      );
    expect(opened.plan.summary).not.toMatch(/srv\/shop[^|]*drift/);
    await apply(opened);
    expect(await on('cat /etc/doaas-made; stat -c %F /srv/shop')).toBe('ours: made\ndirectory');
  });

  it('that leaves the YAML is removed when the engine made it', async () => {
    const opened = await planned('remove', {
      'sites/shop.yaml': configuration('shop', files('found', 'made')),
    });
    for (const text of [opened.plan.summary, opened.comment]) {
      expect(text).toMatch(/doaas-also left the YAML: removed <br> \*removal: it left the YAML/);
      expect(text).toMatch(/srv\/shop left the YAML: removed/);
    }
    await apply(opened);
    expect(await on('ls -d /etc/doaas-also /srv/shop 2>/dev/null')).toBe('');
    expect(await on('cat /etc/doaas-made')).toBe('ours: made');
  });

  it('stays as it is, and is let go, where the YAML says keep', async () => {
    const keep = (names: readonly string[]) =>
      JSON.stringify({
        ...JSON.parse(configuration('keep', files(...names))),
        onRemoval: 'keep',
      });
    await apply(await planned('keep', { 'keep.yaml': keep(['kept', 'left']) }));
    const opened = await planned('let-go', { 'keep.yaml': keep(['left']) });
    expect(opened.plan.summary).toContain('doaas-kept left the YAML: kept as it is, no longer managed');
    await apply(opened);
    expect(await on('cat /etc/doaas-kept')).toBe('ours: kept');
    await on('echo kept > /etc/doaas-kept');
  });

  it('of a server that leaves the selector goes: what was made is removed, what was found is put back', async () => {
    const servers = serverYaml(world.hosts).replace('role: web', 'role: spare');
    // relabelling a server has to be approved before that check is green
    const opened = await planned('leave', { 'servers.yaml': servers }, 'action_required');
    for (const text of [opened.plan.summary, opened.comment]) {
      expect(text).toMatch(/doaas-made left the YAML: removed/);
      expect(text).toMatch(
        /doaas-found left the YAML: put back as it was found <br> \*release: it left the YAML, it is put back/,
      );
    }
    await apply(opened);
    expect(await state()).toBe(
      '/etc/doaas-found 640\n/etc/doaas-kept 644\n/etc/doaas-left 644\nfound\nkept\nours: left',
    );
    expect((await world.hosts[1]?.exec('cat /etc/doaas-made'))?.stdout).toBe('ours: made\n');
    await on('rm /etc/doaas-left');
    expect(describeDifferences(await compareTrees(asFound, await snapshotTree(host)))).toBe('');
  });
});
