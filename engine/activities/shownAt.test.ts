import { describe, expect, it } from 'vitest';
import { replaces, shownAt } from './shownAt.ts';

const now = new Date('2026-01-01T00:00:10.400Z');
const plan = { digest: 'new', headSha: 'head' };
const before = { digest: 'old', headSha: 'head', shownAt: '2026-01-01T00:00:05.000Z' };

describe('the time from which approvals count', () => {
  it('is now for the first plan of a head', () => {
    expect(shownAt(plan, undefined, now)).toBe(now.toISOString());
    expect(shownAt(plan, { ...before, headSha: 'older' }, now)).toBe(now.toISOString());
  });

  it('stays when planning again gives the same', () => {
    expect(shownAt({ ...plan, digest: 'old' }, before, now)).toBe(before.shownAt);
  });

  it('is the next whole second when it replaces another plan of that head, whose approvals may bear this second', () => {
    expect(shownAt(plan, before, now)).toBe('2026-01-01T00:00:11.000Z');
    expect(shownAt(plan, before, new Date('2026-01-01T00:00:11.000Z'))).toBe('2026-01-01T00:00:12.000Z');
  });
});

describe('that a plan took the place of another one of its head', () => {
  it('is so of another digest of that head, and stays so', () => {
    expect(replaces(plan, before)).toBe(true);
    expect(replaces({ ...plan, digest: 'old' }, { ...before, replaces: true })).toBe(true);
  });

  it('is not so of the first, nor of the same again', () => {
    expect(replaces(plan, undefined)).toBe(false);
    expect(replaces(plan, { ...before, headSha: 'older' })).toBe(false);
    expect(replaces({ ...plan, digest: 'old' }, before)).toBe(false);
  });
});
