import { describe, expect, it } from 'vitest';
import { FactError } from './fact.ts';
import { completed, learnt } from './remembered.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const blocks = '= tree\nabsent\n~ offer 2 $& stable 2\n';
const full = `@ owned\n= all\n@ package\n# basis ${A}\n${blocks}@ path\n= /x\nabsent\n@ end\n`;
const short = full.replace(`# basis ${A}\n${blocks}`, `# same ${A}\n`);

describe('an answer that is remembered', () => {
  it('is put where the host says that it still holds', () => {
    expect(learnt(full)).toEqual({ basis: A, blocks });
    expect(completed(short, learnt(full))).toBe(full.replace(`# basis ${A}\n`, ''));
  });

  it('is not used where the host gives a new one, and none is learnt without a basis', () => {
    expect(completed(full, { basis: B, blocks: 'old' })).toBe(full);
    expect(learnt(short)).toBeUndefined();
  });

  it('is never another one than the host was told of', () => {
    expect(() => completed(short, { basis: B, blocks })).toThrow(FactError);
    expect(() => completed(short, undefined)).toThrow(FactError);
  });

  it('is put in once and is bounded, whatever a host prints', () => {
    const twice = completed(`${short}# same ${A}\n`, { basis: A, blocks });
    expect(twice.split(blocks)).toHaveLength(2);
    const long = '= tree\n'.repeat(3_000);
    expect(learnt(`# basis ${A}\n${long}@ end\n`)).toBeUndefined();
    expect(learnt(`# basis ${A}\n${long}`)).toBeUndefined();
  });
});
