import { type Fact, FactError, type FactQuery, itemKey, type Readings } from '../facts/fact.ts';

/** The state that was read for an item. Throws FactError when the kind did not ask for it in `needs`. */
export function stateOf<Query extends FactQuery, State>(
  readings: Readings,
  fact: Fact<Query, State>,
  key: string,
): State {
  const reading = readings.get(itemKey(fact.fact, key));
  if (reading === undefined) throw new FactError(`${fact.fact} ${key} was not read; add it to its needs`);
  return reading.state as State;
}
