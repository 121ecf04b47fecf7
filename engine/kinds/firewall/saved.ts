import { SAVED } from './ruleset.ts';
import type { DesiredFirewall } from './spec.ts';

/**
 * What a ruleset file says it was made from; undefined where it does not, or says something else than this version writes:
 * whoever is root there may have changed it.
 */
export function savedFirewall(text: string): DesiredFirewall | undefined {
  const line = text.split('\n').find((one) => one.startsWith(SAVED));
  if (line === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(line.slice(SAVED.length));
    return isFirewall(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => Number.isInteger(value);
const isFlag: Check = (value) => typeof value === 'boolean';
const isAction: Check = (value) => value === 'accept' || value === 'drop' || value === 'reject';
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const mapOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const shape =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(checks).every(([name, check]) => check(Reflect.get(value, name)));

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isPeers: Check = (value) => value === null || listOf(isText)(value);
const isPorts = listOf(shape({ protocol: isText, first: isNumber, last: isNumber }));
const isRules = mapOf(
  shape({
    action: isAction,
    ports: isPorts,
    from: isPeers,
    to: isPeers,
    inInterfaces: listOf(isText),
    outInterfaces: listOf(isText),
    rateLimit: optional(shape({ packets: isNumber, per: isText })),
    log: isFlag,
  }),
);
const isFilter = shape({ default: isAction, rules: isRules });
const isDesired = shape({
  management: shape({
    port: isNumber,
    from: isPeers,
    jumps: listOf(shape({ address: isText, port: isNumber })),
  }),
  inbound: isRules,
  outbound: isFilter,
  forward: optional(isFilter),
  portForwards: mapOf(
    shape({ ports: isPorts, from: isPeers, inInterfaces: listOf(isText), address: isText, port: isNumber }),
  ),
  masquerade: mapOf(shape({ from: listOf(isText), outInterfaces: listOf(isText) })),
  logDropped: isFlag,
});

function isFirewall(value: unknown): value is DesiredFirewall {
  return isDesired(value);
}
