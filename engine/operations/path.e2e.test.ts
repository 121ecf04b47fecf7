import { describe, expect, it } from 'vitest';
import type { ResolvedConfiguration, ResolvedFile } from '../spec/configuration.ts';
import { useTestHost } from './testing/cycle.ts';

const notify = { reload: [], restart: [] };

/** Operations: file.write, directory.make, link.make, path.remove, item.release, item.forget */
describe('files, directories and links on a real host', () => {
  const t = useTestHost();
  const set = (script: string) => t.outside(`set -eu; ${script}`);
  const file = (text: string, mode = '0644', owner = 'root'): ResolvedFile => ({
    state: 'file',
    content: t.harness().payload(text),
    mode,
    owner,
    group: owner,
    notify,
  });
  const link = (linkTo: string): ResolvedFile => ({ state: 'link', linkTo, notify });
  const absent = { state: 'absent', notify } as const;
  const directory = (mode = '0755', owner = 'root') =>
    ({ state: 'directory', mode, owner, group: owner, notify }) as const;

  it('makes new files, links and directories with missing parents, and undoes it', async () => {
    await t.cycle(
      {
        directories: { '/srv/a/b': directory('2750', 'daemon'), '/srv/a/b/c': directory() },
        files: {
          '/srv/a/b/c/new': file('héllo\n', '0640', 'daemon'),
          '/srv/x/y/z': file(''),
          "/srv/odd name's $(id)": file('odd\n'),
          '/srv/x/link': link('../no where'),
          '/etc/motd': file('no newline'),
        },
      },
      async () => {
        const seen = await t.outside(
          `cd /srv; stat -c '%n %a %U' a a/b a/b/c a/b/c/new x/y/z "odd name's \\$(id)"; readlink x/link; cat a/b/c/new; tail -c 4 /etc/motd`,
        );
        expect(seen).toBe(
          `a 755 root\na/b 2750 daemon\na/b/c 755 root\na/b/c/new 640 daemon\nx/y/z 644 root\nodd name's $(id) 644 root\n../no where\nhéllo\nline`,
        );
      },
    );
  });

  it('changes content, only the mode, and only the owner; undo gives xattrs, ACLs and times back', async () => {
    await set(`mkdir /srv/t; cd /srv/t; for f in content mode owner; do echo old > $f; touch -d 2020-01-02 $f; done
chmod 4711 content; chown 12345:54321 owner; setfattr -n user.note -v kept content 2>/dev/null || echo none > none
install -d -m 1777 -o daemon dir; echo inside > dir/inside`);
    const times = () => t.outside('cd /srv/t; stat -c %Y content mode owner');
    const before = await times();
    await t.cycle(
      {
        directories: { '/srv/t/dir': directory('0700') },
        files: {
          '/srv/t/content': file('new\n'),
          '/srv/t/mode': file('old\n', '0600'),
          '/srv/t/owner': { ...file('old\n'), owner: '4242', group: '4343' } as ResolvedFile,
        },
      },
      async () => {
        expect(
          await t.outside("cd /srv/t; stat -c '%n %a %u %g' content mode owner dir; cat dir/inside"),
        ).toBe('content 644 0 0\nmode 600 0 0\nowner 644 4242 4343\ndir 700 0 0\ninside\n');
      },
    );
    expect(await times()).toBe(before);
  });

  it('replaces what is of another type, and undoes it', async () => {
    await set(
      `mkdir -p /srv/r; cd /srv/r; echo data > target; ln -s target link; echo f > file; mkfifo pipe; mkdir empty; ln -s nowhere dangling`,
    );
    await t.cycle(
      {
        files: {
          '/srv/r/link': file('was a link\n'),
          '/srv/r/file': link('target'),
          '/srv/r/dangling': file('x\n'),
          '/srv/r/pipe': file('was a pipe\n'),
        },
      },
      async () => {
        expect(await t.outside('cd /srv/r; cat target link file; stat -c %F pipe')).toBe(
          'data\nwas a link\ndata\nregular file\n',
        );
      },
    );
    await t.cycle({ directories: { '/srv/r/link': directory(), '/srv/r/file': directory() } });
    await t.cycle({
      files: { '/srv/r/link': absent, '/srv/r/file': absent, '/srv/r/pipe': absent, '/srv/r/none': absent },
      directories: { '/srv/r/empty': absent },
    });
  });

  it('never removes a directory that is not empty, and changes nothing then', async () => {
    await set('mkdir -p /srv/full; echo x > /srv/full/x');
    await t.unchanged(async () => {
      const result = await t
        .harness()
        .apply({ files: { '/srv/first': file('1\n') }, directories: { '/srv/full': absent } });
      expect(result.end).toBe('failed');
      expect(result.output).toContain('Directory not empty');
      await t.undone(result.run);
    });
    await t.unchanged(async () => {
      const result = await t.harness().apply({ files: { '/srv/full': file('a file\n') } });
      expect(result.end).toBe('failed');
      expect(result.output).toContain('/srv/full is a directory');
      await t.undone(result.run);
    });
  });

  it('gives a changed hard link an inode of its own, and undo joins them again', async () => {
    await set('mkdir -p /srv/h; cd /srv/h; echo shared > one; ln one two');
    await t.cycle({ files: { '/srv/h/one': file('mine\n') } }, async () => {
      expect(await t.outside('cat /srv/h/one /srv/h/two')).toBe('mine\nshared\n');
    });
  });

  it('keeps what was put into a new directory meanwhile, and says so', async () => {
    const result = await t.applied({ directories: { '/srv/kept': directory() } });
    await set('echo precious > /srv/kept/file');
    const undo = await t.harness().undo(result.run);
    expect(undo.end).toBe('held');
    expect(await t.outside('cat /srv/kept/file')).toBe('precious\n');
    await set('rm /srv/kept/file');
    expect((await t.harness().undo(result.run)).end).toBe('held');
    await set('rm -rf /srv/kept');
  });

  it('releases what left the YAML: created goes, adopted is as it was found, keep stays', async () => {
    await set('echo found > /srv/found; chmod 600 /srv/found; echo found > /srv/keep');
    await t.unchanged(async () => {
      const spec = { files: { '/srv/found': file('managed\n'), '/srv/created': file('created\n') } };
      await t.applied(spec);
      await t.applied({ ...spec, files: { ...spec.files, '/srv/created': file('second\n') } });
      const plan = await t.harness().plan({});
      expect(plan.steps.map((step) => `${step.operation} ${step.reason}`).sort()).toEqual([
        'item.release release',
        'item.release removal',
      ]);
      const released = await t.harness().applyPlan(plan);
      expect(released, released.output).toMatchObject({ end: 'applied' });
      expect((await t.harness().plan({})).steps).toEqual([]);
      expect(
        await t.outside('cat /srv/found; stat -c %a /srv/found; ls /srv/created 2>/dev/null || echo gone'),
      ).toBe('found\n600\ngone\n');
      await t.undone(released.run);
      expect(await t.outside('cat /srv/found /srv/created')).toBe('managed\nsecond\n');
      await t.applied({});
    });
  });

  it('shows which lines vanish when a file goes back, if every user of the host may read both', async () => {
    await set(`for f in open private; do printf 'a\\nb\\n' > /srv/$f; done; chmod 0640 /srv/private`);
    await t.unchanged(async () => {
      await t.applied({ files: { '/srv/open': file('a\nB\n'), '/srv/private': file('a\nB\n') } });
      await set('for f in open private; do echo theirs >> /srv/$f; done');
      const { steps } = await t.harness().plan({});
      const shown = steps.map(({ diff }) => diff.split('\n').filter((line) => /^[-+][^-+]/.test(line)));
      expect(shown).toEqual([
        ['- path:/srv/private as Configuration/test had it', '+ as it was found'],
        ['-B', '-theirs', '+b'],
      ]);
      await t.applied({});
    });
    await set('rm /srv/open /srv/private');
  });

  it('shows what a file held only if every user of the host may read it, or the payloads have it', async () => {
    await set(`mkdir -m 0700 /srv/closed; cd /srv
for f in open private closed/open; do echo "old $f" > "$f"; done; chmod 0640 private
ln -s private link; echo "known text" > known; chmod 0600 known`);
    t.harness().payload('known text\n');
    const paths = ['/srv/open', '/srv/private', '/srv/closed/open', '/srv/link', '/srv/known'];
    const { steps } = await t
      .harness()
      .plan({ files: Object.fromEntries(paths.map((path) => [path, file('new\n', '0600')])) });
    const shown = steps.map(({ id, diff }) => [id.slice('file:'.length), /-old|-known/.test(diff)]);
    expect(Object.fromEntries(shown)).toEqual({
      '/srv/open': true,
      '/srv/private': false,
      '/srv/closed/open': false,
      '/srv/link': false,
      '/srv/known': true,
    });
    expect(JSON.stringify(steps)).not.toMatch(/old private|old closed/);
    await set('rm -r /srv/open /srv/private /srv/closed /srv/link /srv/known');
  });

  it('refuses a plan that the host no longer matches', async () => {
    await set('echo one > /srv/race');
    const plan = await t
      .harness()
      .plan({ files: { '/srv/race': file('mine\n') } } satisfies Partial<ResolvedConfiguration>);
    await set('echo two > /srv/race');
    const result = await t.harness().applyPlan(plan);
    expect(result.end).toBe('refused');
    expect(await t.outside('cat /srv/race')).toBe('two\n');
  });

  it('changes nothing where the present state cannot be saved, and says why', async () => {
    await set('mkdir -m 0700 /srv/unsaved; mv /usr/bin/tar /usr/bin/tar.away');
    const directories = {
      '/srv/unsaved': {
        state: 'directory' as const,
        mode: '0755',
        owner: 'root',
        group: 'root',
        notify: { reload: [], restart: [] },
      },
    };
    const result = await t.harness().apply({ files: { '/srv/first': file('x\n') }, directories });
    await set('mv /usr/bin/tar.away /usr/bin/tar');
    expect(result.end).toBe('refused');
    const said = result.events.find((event) => event.event === 'failed');
    expect(said?.step).toBe('directory:/srv/unsaved');
    expect(said?.detail).toMatch(/^cannot save the present state: .*tar: not found/);
    expect(await t.outside('stat -c %a /srv/unsaved; ls /srv/first 2>/dev/null || :')).toBe('700\n');
  });

  it('keeps and forgets what its document says to keep', async () => {
    const plan = await t.harness().plan({ files: { '/srv/stays': file('stays\n') } });
    const keep = { ...plan, steps: plan.steps.map((step) => ({ ...step, onRemoval: 'keep' as const })) };
    expect((await t.harness().applyPlan(keep)).end).toBe('applied');
    const forget = await t.harness().plan({});
    expect(forget.steps).toMatchObject([{ operation: 'item.forget' }]);
    const forgotten = await t.harness().applyPlan(forget);
    expect(forgotten.end, forgotten.output).toBe('applied');
    expect((await t.harness().plan({})).steps).toEqual([]);
    expect(await t.outside('cat /srv/stays')).toBe('stays\n');
  });

  it('writes below a folder of a hostile user without following the links put there', async () => {
    await set(`useradd -m mallory; mkdir /root/trap; echo safe > /root/trap/item; cd /home/mallory
ln -s /root/trap .doaas.stage; ln -s /root/trap/item target; chown -h mallory .doaas.stage target`);
    const trap = () => t.outside('stat -c "%n %a %U" /root/trap /root/trap/*; cat /root/trap/item');
    const before = await trap();
    const result = await t.applied({ files: { '/home/mallory/target': file('mine\n', '0644', 'mallory') } });
    expect(await t.outside('cat /home/mallory/target; stat -c %F /home/mallory/target')).toBe(
      'mine\nregular file\n',
    );
    await t.undone(result.run);
    expect(await t.outside('readlink /home/mallory/target')).toBe('/root/trap/item\n');
    expect(await trap()).toBe(before);
  });
});
