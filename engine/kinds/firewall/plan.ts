import { itemKey, type Readings } from '../../facts/fact.ts';
import {
  FIREWALL_FILE,
  FIREWALL_UNIT_FILE,
  type FirewallQuery,
  type FirewallState,
  firewallFact,
} from '../../facts/firewall.ts';
import { type PackageQuery, packageFact } from '../../facts/package.ts';
import { setFirewall } from '../../operations/firewall.ts';
import { installPackages } from '../../operations/packages.ts';
import type { StepDraft } from '../../plan/step.ts';
import { cannot } from '../adoption.ts';
import { waysInAlong } from '../along.ts';
import type { Kind, KindPlan, PlanContext } from '../kind.ts';
import { stateOf } from '../readings.ts';
import { accessFindings } from './access.ts';
import { aroundFindings, keptByContainers } from './around.ts';
import { checkFirewall } from './check.ts';
import { counterFindings } from './counters.ts';
import { placesOf } from './places.ts';
import { prepareFirewall } from './prepare.ts';
import { savedFirewall } from './saved.ts';
import type { ResolvedFirewall } from './spec.ts';
import { accessChanges, ruleChanges } from './words.ts';

const ITEM = itemKey('firewall', 'inet');
const PACKAGE: PackageQuery = { fact: 'package', key: 'nftables', want: 'present', hold: false };

export const firewall: Kind<'Firewall'> = {
  kind: 'Firewall',
  check: checkFirewall,
  prepare: prepareFirewall,
  places: placesOf,
  writes: {
    claims: () => [{ item: ITEM, pointer: '/desired' }],
    ids: () => [],
    paths: (item) => (item === ITEM ? [FIREWALL_FILE, FIREWALL_UNIT_FILE] : []),
    isFile: () => false,
  },
  claims: () => [
    { item: ITEM, pointer: '/desired' },
    { item: itemKey('package', PACKAGE.key), pointer: '/package' },
  ],
  needs: ({ script }) => [
    { fact: 'firewall', key: 'inet', sha256: script.sha256 } satisfies FirewallQuery,
    PACKAGE,
  ],
  plan: planFirewall,
  contents: ({ script }) => [script],
  adopt: () =>
    cannot(
      'rules made by hand have no place in the document that they could be put back to; write them as rules of it',
    ),
  probes: ({ probes }) => probes,
};

function planFirewall(spec: ResolvedFirewall, readings: Readings, context: PlanContext): KindPlan {
  const now = stateOf(readings, firewallFact, 'inet');
  const install = stateOf(readings, packageFact, PACKAGE.key).present ? [] : [installStep(readings)];
  const asWanted = now.file === spec.script.sha256 && now.asLoaded && now.persists;
  const change = asWanted
    ? []
    : [
        setStep(
          spec,
          now,
          install.map(({ id }) => id),
        ),
      ];
  return {
    steps: [...install, ...change],
    findings: [
      ...accessFindings(spec, now, context),
      ...aroundFindings(spec.desired, now),
      ...(asWanted ? counterFindings(spec.desired, now) : []),
    ],
  };
}

function installStep(readings: Readings): StepDraft {
  return {
    id: 'firewall:nftables',
    operation: installPackages.operation,
    params: {
      packages: [{ name: PACKAGE.key, version: null, hold: false, origin: null }],
      removes: [],
      ...waysInAlong(readings, [PACKAGE.key]),
    },
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
    summary: 'nftables',
    diff: '+ nftables',
  };
}

function setStep(
  { desired, script, servers = {} }: ResolvedFirewall,
  now: FirewallState,
  dependsOn: readonly string[],
): StepDraft {
  const before = now.text === undefined ? undefined : savedFirewall(now.text);
  const known = now.file === script.sha256 ? desired : before;
  const rules = ruleChanges(known, desired, servers);
  const unknown = known === undefined && now.file !== undefined;
  const access = unknown
    ? ['what came through before is not known']
    : [
        ...accessChanges(known, desired, servers),
        ...(known === undefined ? keptByContainers(desired, now) : []),
      ];
  return {
    id: 'firewall:inet',
    operation: setFirewall.operation,
    params: { sha256: script.sha256 },
    dependsOn,
    reversible: 'yes',
    disruption: 'reload',
    summary: [whatHappens(known !== undefined, now, rules), ...shortened(access)].join('; '),
    diff: [...rules, ...byHand(now), ...persistence(now), ...access.map((line) => `~ ${line}`)].join('\n'),
  };
}

/** Sentences about access in a summary; the rest are counted. */
const ACCESS_SHOWN = 3;

function shortened(access: readonly string[]): readonly string[] {
  const rest = access.length - ACCESS_SHOWN;
  return rest > 0 ? [...access.slice(0, ACCESS_SHOWN), `${rest} more`] : access;
}

function whatHappens(known: boolean, now: FirewallState, rules: readonly string[]): string {
  if (!known) return now.file === undefined ? 'firewall set up' : 'firewall written anew';
  return rules.length > 0 ? 'firewall rules' : 'firewall loaded anew';
}

/** What somebody changed in the table with nft. */
function byHand({ listing }: FirewallState): readonly string[] {
  if (listing === undefined || listing.loaded === '') return [];
  const [now, loaded] = [new Set(listing.now.split('\n')), new Set(listing.loaded.split('\n'))];
  const added = [...now].filter((line) => !loaded.has(line));
  const lost = [...loaded].filter((line) => !now.has(line));
  return [
    ...added.map((line) => `- by hand: ${line.trim()}`),
    ...lost.filter((line) => line.trim() !== '').map((line) => `+ taken away by hand: ${line.trim()}`),
  ];
}

function persistence({ present, persists }: FirewallState): readonly string[] {
  return present && !persists ? ['+ loaded at every boot'] : [];
}
