import { expect, test } from 'vitest';
import { lookAt, type Place, type Sight } from './outside.ts';

const PORTS = [22, 3306];

/** By address: what its two ports say, and more about who looks. */
function seen(
  sights: Readonly<Record<string, readonly Sight[]>>,
  {
    echoing = [],
    out = () => true,
  }: { readonly echoing?: readonly string[]; readonly out?: (place: Place) => boolean } = {},
) {
  const looker = {
    tries: async ({ address, port }: Place) => sights[address]?.[PORTS.indexOf(port)] ?? ('silent' as const),
    pings: async (address: string) => echoing.includes(address),
    goesOut: out,
  };
  return lookAt(
    looker,
    Object.keys(sights).flatMap((address) => PORTS.map((port) => ({ address, port }))),
  );
}

test('silence is a closed port where another one of that address answers', async () => {
  expect(await seen({ a: ['open', 'silent'] })).toEqual([true, false]);
  expect(await seen({ a: ['refused', 'silent'] })).toEqual([false, false]);
});

test('or where that address answers a ping', async () => {
  expect(await seen({ a: ['silent', 'silent'] }, { echoing: ['a'] })).toEqual([false, false]);
});

test('elsewhere it says nothing, address by address', async () => {
  expect(await seen({ a: ['silent', 'silent'], b: ['open', 'silent'] })).toEqual([
    undefined,
    undefined,
    true,
    false,
  ]);
});

test('what the own firewall does not let out says nothing, whatever answers', async () => {
  const out = ({ port }: Place) => port === 22;
  expect(await seen({ a: ['open', 'silent'] }, { out })).toEqual([true, undefined]);
  expect(await seen({ a: ['silent', 'silent'] }, { out, echoing: ['a'] })).toEqual([false, undefined]);
  // a refusal may be its own
  expect(await seen({ a: ['silent', 'refused'] }, { out })).toEqual([undefined, undefined]);
  expect(await seen({ a: ['refused', 'open'] }, { out })).toEqual([false, true]);
});
