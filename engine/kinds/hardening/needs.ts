import { type FactQuery, type ItemKey, itemKey } from '../../facts/fact.ts';
import type { PackageQuery } from '../../facts/package.ts';
import type { PathQuery } from '../../facts/path.ts';
import type { Wants } from './control.ts';
import { OWN_FILES, SSHD_FILE } from './ownFiles.ts';
import { probeNeeds } from './probes.ts';
import { type Active, activeControls, type ResolvedHardening } from './spec.ts';
import { textsOf } from './wants/lines.ts';
import { EDITED_FILES } from './wants/setting.ts';
import { sha256Of } from './wants/text.ts';
import { witnessNeeds } from './witness.ts';

const SYSTEM: FactQuery = { fact: 'system', key: 'all' };
const SURVEY: FactQuery = { fact: 'survey', key: 'all' };
const SSHD: FactQuery = { fact: 'sshd', key: 'all' };

/** No text has this hash, so the content is always read. */
const ANY = 'any';

/** What must be read of a host; each item once. */
export function hardeningNeeds(spec: ResolvedHardening): readonly FactQuery[] {
  const active = activeControls(spec);
  // which ports a file names is known once sshd was read, so such a file is read whole
  const texts = textsOf(active);
  const own = [...texts].map(([file, text]) => path(OWN_FILES[file].path, sha256Of(text)));
  const of = active.flatMap(({ control, wants }) => [
    ...probeNeeds(control.applies),
    ...needsOf({ control, wants }),
  ]);
  // A wish for a package goes before a mere look at it.
  const brought = active.flatMap(({ wants }) =>
    wants.kind === 'unit' && wants.package ? [wants.package] : [],
  );
  const looks = [...texts.keys()].flatMap((file) => {
    const { package: reader, notify } = OWN_FILES[file];
    return [
      ...(reader === undefined ? [] : [{ fact: 'package', key: reader }]),
      ...(notify ? [unit(notify.unit)] : []),
    ];
  });
  return unique([
    SYSTEM,
    SURVEY,
    SSHD,
    unit('ssh.service'),
    ...of,
    ...own,
    ...looks,
    ...brought.map((key) => ({ fact: 'package', key })),
    ...witnessNeeds(spec),
  ]);
}

function unique(queries: readonly FactQuery[]): readonly FactQuery[] {
  const byItem = new Map<ItemKey, FactQuery>();
  for (const query of queries) {
    const item = itemKey(query.fact, query.key);
    if (!byItem.has(item)) byItem.set(item, query);
  }
  return [...byItem.values()];
}

function path(key: string, unlessSha256: string): PathQuery {
  return { fact: 'path', key, unlessSha256 };
}

function unit(key: string): FactQuery {
  return { fact: 'unit', key };
}

/** What apt would do is asked only where it will be asked to: it costs half a second. */
function needsOf({ control, wants }: Active): readonly FactQuery[] {
  switch (wants.kind) {
    case 'sysctl':
      return [{ fact: 'sysctl', key: wants.key }];
    case 'ssh':
    case 'ssh-algorithms':
      return [path(SSHD_FILE, ANY)];
    case 'lines':
      return wants.later === undefined ? [] : [path(wants.later.path, ANY)];
    case 'mount':
    case 'survey':
      return [];
    case 'setting':
      return [path(EDITED_FILES[wants.file].path, ANY)];
    case 'mode':
      return [{ fact: 'mode', key: wants.path }];
    case 'package':
      return [
        ...wants.names.map(
          (key): PackageQuery => ({
            fact: 'package',
            key,
            ...(control.applies === undefined ? { want: wants.state } : {}),
            ...(wants.units === undefined ? {} : { staysWith: wants.units }),
          }),
        ),
        ...(wants.units ?? []).map(unit),
      ];
    case 'unit':
      return [wants.unit, ...(wants.unless ?? [])].map(unit);
    case 'pam':
      return Object.keys(wants.profiles).map((key) => ({ fact: 'pam-profile', key }));
    case 'homes':
      return [{ fact: 'homes', key: 'all' }];
  }
}

/** Items that a control may write, whether or not it applies on a host. */
export function itemsOf(wants: Wants): readonly ItemKey[] {
  switch (wants.kind) {
    case 'sysctl':
      return [`sysctl:${wants.key}`];
    case 'ssh':
    case 'ssh-algorithms':
      return [`path:${SSHD_FILE}`];
    case 'lines':
      return [`path:${OWN_FILES[wants.file].path}`];
    case 'setting':
      return [`path:${EDITED_FILES[wants.file].path}`];
    case 'mode':
      return [`mode:${wants.path}`];
    case 'package':
      return wants.names.map((name) => `package:${name}` as const);
    case 'unit':
      return [`unit:${wants.unit}`];
    case 'pam':
      return Object.keys(wants.profiles).map((name) => `pam-profile:${name}` as const);
    case 'homes':
      return ['homes:all'];
    case 'mount':
    case 'survey':
      return [];
  }
}
