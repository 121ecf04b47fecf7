import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import schema from '../../../schemas/hardening.json' with { type: 'json' };
import { APT_OPTIONS, SYSTEMD_SETTINGS } from '../../facts/surveyScript.ts';
import { CONTROLS, controlsOf } from './catalogue.ts';
import type { Wants } from './control.ts';
import { hardeningNeeds, itemsOf } from './needs.ts';
import { OWN_FILES } from './ownFiles.ts';
import { hardening } from './plan.ts';
import { activeControls } from './spec.ts';
import { resolvedHardening } from './testing/spec.ts';
import { settingsOf } from './wants/counts.ts';
import { textsOf } from './wants/lines.ts';

describe('the catalogue', () => {
  it('has the controls that the documentation promises', () => {
    expect(CONTROLS.length).toBeGreaterThanOrEqual(200);
    expect(controlsOf('baseline').length).toBeGreaterThanOrEqual(100);
    expect(controlsOf('strict')).toEqual(CONTROLS);
  });

  it('names each once, and says why and where it is from', () => {
    const ids = CONTROLS.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    for (const { id, title, why, source } of CONTROLS) {
      expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(title, id).toMatch(/^\S.*[^.]$/);
      expect(why, id).toMatch(/^\S.*[.]$/);
      expect(source, id).not.toBe('');
    }
  });

  it('has no value without bounds, and none out of them', () => {
    for (const { id, wants, range } of CONTROLS) {
      expect(JSON.stringify(wants).includes('$value'), id).toBe(range !== undefined);
      for (const value of [range?.value ?? 0, range?.strict ?? range?.value ?? 0]) {
        expect(value, id).toBeGreaterThanOrEqual(range?.min ?? 0);
        expect(value, id).toBeLessThanOrEqual(range?.max ?? 0);
      }
    }
  });

  it('shuts out of sshd who guesses, on whatever port it listens', () => {
    const active = activeControls({ profile: 'strict', controls: [{ id: 'fail2ban-sshd' }], waivers: [] });
    const ports = [[], [22], [2222], [2222, 22, 2200, 2222]].map(
      (some) => /^port = (.*)$/m.exec([...textsOf(active, some).values()].join())?.[1],
    );
    expect(ports).toEqual(['ssh', 'ssh', 'ssh,2222', 'ssh,2222,2200']);
  });

  it('is what the schema lets documents override', () => {
    const bounds = Object.entries(schema.$defs.spec.properties.overrides.properties).map(([id, one]) => {
      const { minimum, maximum } = one.properties.value;
      return [id, minimum, maximum];
    });
    const ranged = CONTROLS.flatMap(({ id, range }) =>
      range === undefined ? [] : [[id, range.min, range.max]],
    );
    expect(bounds).toEqual(ranged);
  });

  it('sets no kernel setting, keyword, mode, unit or package by two controls', () => {
    const alone: readonly Wants['kind'][] = ['sysctl', 'mode', 'unit', 'package', 'pam', 'homes'];
    const items = CONTROLS.filter(({ wants }) => alone.includes(wants.kind)).flatMap(({ wants }) =>
      itemsOf(wants),
    );
    expect(items.filter((item, at) => items.indexOf(item) !== at)).toEqual([]);
    const keys = CONTROLS.flatMap(({ wants }) => ('keyword' in wants ? [wants.keyword] : []));
    expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
  });

  it('reads what it writes, and claims each item once', () => {
    const spec = resolvedHardening({ profile: 'strict' });
    const read = new Set(hardeningNeeds(spec).map(({ fact, key }) => `${fact}:${key}`));
    const claimed = hardening.claims(spec).map(({ item }) => item);
    expect(claimed.filter((item) => !read.has(item))).toEqual([]);
    expect(claimed.filter((item, at) => claimed.indexOf(item) !== at)).toEqual([]);
  });

  it('reads what counts of each setting that another file may win over', () => {
    const set = CONTROLS.flatMap(({ wants }) =>
      wants.kind === 'lines' && OWN_FILES[wants.file].shownBy !== undefined ? settingsOf(wants.lines) : [],
    );
    expect(set.map(([name]) => name).sort()).toEqual([...APT_OPTIONS, ...SYSTEMD_SETTINGS].sort());
  });

  it('is all in the documentation', () => {
    const page = readFileSync(new URL('../../../docs/hardening.md', import.meta.url), 'utf8');
    expect(CONTROLS.filter(({ id }) => !page.includes(`\`${id}\``)).map(({ id }) => id)).toEqual([]);
  });

  it('labels what only a reboot takes back', () => {
    const labelled = CONTROLS.filter(({ undoNeedsReboot }) => undoNeedsReboot).map(({ id }) => id);
    expect(labelled).toEqual(['sysctl-kexec']);
  });

  it('puts a value of a document in its place', () => {
    const spec = resolvedHardening({ profile: 'strict', overrides: { 'ssh-max-auth-tries': { value: 5 } } });
    const wants = activeControls(spec).find(({ control }) => control.id === 'ssh-max-auth-tries')?.wants;
    expect(wants).toMatchObject({ keyword: 'MaxAuthTries', value: '5' });
    expect(JSON.stringify(activeControls(spec).map((one) => one.wants))).not.toContain('$value');
  });
});
