import { isDeepStrictEqual } from 'node:util';
import { hold } from './target.ts';

export function expectSame(a: unknown, b: unknown, what: string): void {
  hold(isDeepStrictEqual(a, b), `${what} is not the same`);
}
