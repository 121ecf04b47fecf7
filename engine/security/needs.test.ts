import { expect, test } from 'vitest';
import { updatesFact } from '../facts/updates.ts';
import { checkRepository } from '../spec/check.ts';
import { repository, server } from '../spec/testing.ts';
import { securityNeeds } from './needs.ts';

const POLICY =
  '{apiVersion: doaas/v1, kind: PatchPolicy, metadata: {name: p}, spec: {targets: {all: true}, updates: security, exclude: [nginx]}}';

/** What is asked about the updates of web-1. */
function asked(files: Readonly<Record<string, string>>) {
  const { resolution, errors } = checkRepository(repository({ 's.yaml': server('web-1'), ...files }));
  expect(errors).toEqual([]);
  return resolution.hosts.flatMap(securityNeeds).filter(({ fact }) => fact === updatesFact.fact);
}

test('apt is asked by each server, for all updates where no policy selects any', () => {
  expect(asked({})).toEqual([{ fact: 'updates', key: 'all', updates: 'all' }]);
  expect(asked({ 'p.yaml': POLICY })).toMatchObject([{ updates: 'security', exclude: ['nginx'] }]);
});
