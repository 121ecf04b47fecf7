import { childPointer } from '../../spec/pointer.ts';
import type { FirewallSpec } from '../../spec/types.generated.ts';

/** What findings of a plan may be about (`Kind.places`). */
export function placesOf(spec: FirewallSpec): readonly string[] {
  const { inbound = {}, outbound, forward, portForwards = {}, masquerade = {} } = spec;
  const below = (pointer: string, named: object): readonly string[] =>
    Object.keys(named).map((name) => childPointer(pointer, name));
  return [
    '/management',
    '/management/from',
    ...below('/inbound', inbound),
    ...below('/outbound/rules', outbound?.rules ?? {}),
    ...below('/forward/rules', forward?.rules ?? {}),
    ...below('/portForwards', portForwards),
    ...below('/masquerade', masquerade),
  ];
}
