import { describe, expect, it } from 'vitest';
import type { ResolvedHost, ResolvedServer } from '../spec/resolution.ts';
import { SERVER } from '../spec/testing.ts';
import { serverNow } from './serverNow.ts';

const [OLD, NEW] = ['ssh-ed25519 b2xk', 'ssh-ed25519 bmV3'] as const;
const THEN: ResolvedServer = { ...SERVER, hostKeys: [OLD] };
const on = (...servers: readonly ResolvedServer[]): readonly ResolvedHost[] =>
  servers.map((server) => ({ kind: 'resolved-host', name: server.name, server, documents: [] }));

describe('a machine that was changed long ago', () => {
  it('is reached as the branch says by now', () => {
    const moved: ResolvedServer = {
      ...THEN,
      address: '10.0.0.9',
      port: 2222,
      user: 'ops',
      become: 'none',
      jump: { ...SERVER, name: 'gate', hostKeys: [NEW] },
    };
    expect(serverNow(THEN, on({ ...THEN, name: 'web-2', hostKeys: [NEW] }, moved))).toEqual(moved);
  });

  it('is known by any of its keys, also while they are exchanged', () => {
    const both = { ...THEN, hostKeys: [NEW, OLD] };
    expect(serverNow(THEN, on(both))).toEqual(both);
  });

  it('is reached as it was where the branch does not have it any more', () => {
    expect(serverNow(THEN, [])).toEqual(THEN);
    expect(serverNow(THEN, on({ ...THEN, name: 'web-2', hostKeys: [NEW] }))).toEqual(THEN);
  });

  it('is found under another name', () => {
    const renamed = { ...THEN, name: 'old-1', address: '10.0.0.9' };
    expect(serverNow(THEN, on(renamed, { ...THEN, hostKeys: [NEW] }))).toEqual(renamed);
  });

  it('is gone where its name stands for another', () => {
    expect(serverNow(THEN, on({ ...THEN, hostKeys: [NEW] }))).toBeUndefined();
  });

  it('has to show the key of then where none is known of where it is now', () => {
    const moved = { ...THEN, address: '10.0.0.9', hostKeys: [] };
    expect(serverNow(THEN, on(moved))).toEqual({ ...moved, hostKeys: [OLD] });
  });
});
