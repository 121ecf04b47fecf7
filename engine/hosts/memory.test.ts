import { expect, it } from 'vitest';
import { createMemory } from './memory.ts';

it('keeps the answers that were used last', () => {
  const memory = createMemory(2);
  const answer = (basis: string) => ({ basis, blocks: '' });
  memory.set('a', answer('1'));
  memory.set('b', answer('2'));
  expect(memory.get('a')).toEqual(answer('1'));
  memory.set('c', answer('3'));
  expect(['a', 'b', 'c'].map((key) => memory.get(key)?.basis)).toEqual(['1', undefined, '3']);
  memory.set('a', answer('4'));
  expect(memory.get('a')).toEqual(answer('4'));
});
