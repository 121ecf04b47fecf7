import { describe, expect, it } from 'vitest';
import { boundedFindings, FINDINGS_MAX, MESSAGE_MAX } from './bounds.ts';
import type { Finding } from './step.ts';

const finding = (n: number, rest: Partial<Finding> = {}): Finding => {
  const document = 'PatchPolicy/all';
  return { kind: 'finding', severity: 'warning', host: 'web-1', document, message: `${n}`, ...rest };
};
const many = (count: number, rest: Partial<Finding> = {}) =>
  Array.from({ length: count }, (_, n) => finding(n, rest));

describe('findings of one host', () => {
  it('stay as they are within the bound', () => {
    expect(boundedFindings(many(FINDINGS_MAX))).toEqual(many(FINDINGS_MAX));
  });

  it('are cut in length', () => {
    const [cut] = boundedFindings([finding(0, { message: 'x'.repeat(1_000_000) })]);
    expect(cut?.message).toBe(`${'x'.repeat(MESSAGE_MAX)}\n... cut at ${MESSAGE_MAX} characters`);
  });

  it('keep errors, then what waits, in their order, and count the rest of each document', () => {
    const info = many(300, { severity: 'info', document: 'Hardening/cis' });
    const waits = finding(300, { waits: true });
    const error = finding(301, { severity: 'error' });
    const kept = boundedFindings([...info, waits, error]);
    expect(kept).toEqual([
      ...info.slice(0, FINDINGS_MAX - 2),
      waits,
      error,
      { ...info[0], message: 'and 102 more of Hardening/cis on web-1' },
    ]);
  });

  it('forbid the plan, and leave each document unjudged that has an error among what is left out', () => {
    const errors = many(FINDINGS_MAX, { severity: 'error' });
    const other = finding(0, { severity: 'error', document: 'Configuration/web' });
    const rest = boundedFindings([...errors, other, ...many(2, { waits: true })]).slice(FINDINGS_MAX);
    expect(rest).toEqual([
      { ...other, message: 'and 1 more of Configuration/web on web-1' },
      finding(0, { waits: true, message: 'and 2 more of PatchPolicy/all on web-1' }),
    ]);
  });

  it('are of a bounded size whatever a host says', () => {
    const words = JSON.stringify(boundedFindings(many(20_000, { message: 'x'.repeat(5_000) })));
    expect(words.length).toBeLessThan(1024 * 1024);
  });
});
