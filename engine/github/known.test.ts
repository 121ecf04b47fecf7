import { expect, it } from 'vitest';
import { createKnown } from './known.ts';

it('forgets what was not asked for longest', () => {
  const known = createKnown(2);
  known.set(1, 'acme/shop', 'a');
  known.set(2, 'acme/shop', 'b');
  expect(known.get('acme/shop', 'a')).toBe(1);
  known.set(3, 'acme/shop', 'c');
  expect(known.get('acme/shop', 'b')).toBeUndefined();
  expect([known.get('acme/shop', 'a'), known.get('acme/shop', 'c')]).toEqual([1, 3]);
  known.forget('acme/shop', 'a');
  expect(known.get('acme/shop', 'a')).toBeUndefined();
});

it('takes no name for another that reads the same when joined', () => {
  const known = createKnown();
  known.set(1, 'a b', 'c');
  expect(known.get('a', 'b c')).toBeUndefined();
});
