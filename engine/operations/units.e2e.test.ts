import { describe, expect, it } from 'vitest';
import { compareInventories, inventoryOf } from '../../lab/inventory.ts';
import type { ResolvedFile, ResolvedUnit } from '../spec/configuration.ts';
import { useTestHost } from './testing/cycle.ts';

/** Operations: unit.set, unit.remove, unit.reload, unit.restart */
describe('units on a real host', () => {
  const t = useTestHost();
  const unit = (
    text: string | undefined,
    rest: { enabled?: boolean; running?: boolean } = {},
  ): ResolvedUnit => ({
    state: 'present',
    ...(text === undefined ? {} : { content: t.harness().payload(text) }),
    ...rest,
  });
  const conf = (text: string, notify: { reload?: string[]; restart?: string[] }): ResolvedFile => ({
    state: 'file',
    mode: '0644',
    owner: 'root',
    group: 'root',
    content: t.harness().payload(text),
    notify: { reload: [], restart: [], ...notify },
  });
  const show = (name: string, property: string) =>
    t.outside(`systemctl show -p ${property} --value ${name}`).then((s) => s.trim());

  /** Counts its starts and reloads in /run/NAME.log. */
  const app = (name: string, seconds = 'infinity') => `[Service]
ExecStartPre=/bin/sh -c 'echo start >> /run/${name}.log'
ExecStart=/bin/sleep ${seconds}
ExecReload=/bin/sh -c 'echo reload >> /run/${name}.log'
[Install]
WantedBy=multi-user.target
Alias=${name}-alias.service
`;
  const up = { enabled: true, running: true };

  it('writes, enables and starts a service and its timer, and undoes it', async () => {
    const before = await inventoryOf(t.host());
    const timer =
      '[Timer]\nOnCalendar=daily\nPersistent=true\nUnit=one.service\n[Install]\nWantedBy=timers.target\n';
    await t.cycle(
      { units: { 'one.timer': unit(timer, up), 'one.service': unit(app('one'), up) } },
      async () => {
        expect(
          await t.outside('systemctl is-active one.service one.timer; systemctl is-enabled one.service'),
        ).toBe('active\nactive\nenabled\n');
      },
    );
    expect(compareInventories(before, await inventoryOf(t.host()))).toEqual([]);
  });

  it('restarts a running unit once for its new text and its notified files, also back', async () => {
    const spec = (text: string, seconds: string) => ({
      units: { 'two.service': unit(app('two', seconds), up) },
      files: {
        '/etc/two.conf': conf(text, { reload: ['two.service'] }),
        '/etc/two.d.conf': conf(text, { restart: ['two.service'] }),
      },
    });
    const first = await t.applied(spec('a\n', 'infinity'));
    expect(await t.outside('cat /run/two.log')).toBe('start\n');
    await t.cycle(spec('b\n', '99999'), async () => {
      expect(await t.outside('cat /run/two.log')).toBe('start\nstart\n');
    });
    expect(await t.outside('cat /run/two.log')).toBe('start\nstart\nstart\n');
    expect(
      await t.outside('tr "\\0" " " < /proc/$(systemctl show -p MainPID --value two.service)/cmdline'),
    ).toBe('/bin/sleep infinity ');
    await t.undone(first.run);
  });

  it('reloads without a restart, and reloads again after a rollback', async () => {
    await t.outside(
      `cat > /etc/systemd/system/three.service <<'EOF'\n${app('three')}EOF\nsystemctl daemon-reload; systemctl start three`,
    );
    const invocation = await show('three.service', 'InvocationID');
    await t.cycle({ files: { '/etc/three.conf': conf('x\n', { reload: ['three.service'] }) } }, async () => {
      expect(await t.outside('cat /run/three.log')).toBe('start\nreload\n');
    });
    expect(await t.outside('cat /run/three.log')).toBe('start\nreload\nreload\n');
    expect(await show('three.service', 'InvocationID')).toBe(invocation);
    const stopped = await t.outside('systemctl stop three; systemctl is-active three || :');
    expect(stopped).toBe('inactive\n');
    const plan = await t.harness().plan({
      files: { '/etc/three.conf': conf('y\n', { reload: ['three.service'] }) },
    });
    expect(plan.steps.map((step) => step.id)).toEqual(['file:/etc/three.conf']);
    expect(plan.findings).toMatchObject([
      { severity: 'info', message: 'three.service does not run, so there is nothing to reload' },
    ]);
  });

  it('adopts, disables, stops and removes units, and undoes it exactly', async () => {
    await t.outside(`for u in four five; do printf '[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' > /etc/systemd/system/$u.service; done
systemctl daemon-reload; systemctl enable -q --now four five`);
    const before = await inventoryOf(t.host());
    await t.cycle({
      units: {
        'four.service': unit(undefined, { enabled: false, running: false }),
        'five.service': { state: 'absent' },
      },
    });
    expect(compareInventories(before, await inventoryOf(t.host()))).toEqual([]);
  });

  it('says why a unit did not start, and is put back', async () => {
    await t.unchanged(async () => {
      const text = `[Service]\nExecStart=/bin/sh -c 'echo "cannot open port 80" >&2; exit 3'\n`;
      const result = await t.harness().apply({ units: { 'six.service': unit(text, { running: true }) } });
      expect(result.end).toBe('failed');
      expect(result.output).toMatch(
        /six\.service did not start: it is failed \(exit-code\)\. Its last lines:/,
      );
      expect(result.output).toMatch(/^ {2}cannot open port 80$/m);
      await t.undone(result.run);
    });
    expect(await show('six.service', 'LoadState')).toBe('not-found');
  });

  it('does not put a text in place that systemd does not accept', async () => {
    const text = '[Service]\nExecStart=/no/such/program\n';
    const result = await t.harness().apply({ units: { 'seven.service': unit(text) } });
    expect(result.end).toBe('failed');
    expect(result.output).toMatch(
      /systemd does not accept the text of seven\.service, so nothing was changed:\n.*\/no\/such\/program is not executable/,
    );
    expect((await t.host().exec('ls /etc/systemd/system/seven.service')).code).not.toBe(0);
    await t.undone(result.run);
  });

  it('does a restart exactly once when it is run again', async () => {
    await t.outside(
      `cat > /etc/systemd/system/eight.service <<'EOF'\n${app('eight')}EOF\nsystemctl daemon-reload; systemctl start eight`,
    );
    const result = await t.applied({
      files: { '/etc/eight.conf': conf('x\n', { restart: ['eight.service'] }) },
    });
    const dir = `/var/lib/doaas/runs/${result.run}`;
    // As after a power loss between the effect and its note.
    await t.outside(`rm ${dir}/steps/2/done ${dir}/apply.journal; sh ${dir}/batch.sh apply`);
    expect(await t.outside(`tail -n 1 ${dir}/apply.journal | cut -f2-`)).toBe('-\tend\tapplied\n');
    expect(await t.outside('cat /run/eight.log')).toBe('start\nstart\n');
  });
});
