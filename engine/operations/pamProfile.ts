import { PAM_FUNCTIONS, PAM_PROFILES } from '../facts/pamProfile.ts';
import { lines, type Sh, sh } from '../shell/sh.ts';
import type { Custody, Operation, SavedItem } from './operation.ts';
import { PATH_FUNCTIONS, pathCustody } from './path.ts';

/** A profile of our own, enabled. `text` as pam-auth-update(8) says. */
export type SetPamProfile = { readonly name: string; readonly text: string };

const UPDATE = sh`DEBIAN_FRONTEND=noninteractive pam-auth-update`;

const LIBRARY: Sh = lines(PATH_FUNCTIONS, PAM_FUNCTIONS);

export const setPamProfile: Operation<SetPamProfile> = {
  operation: 'pam-profile.set',
  library: LIBRARY,
  endangersAccess: true,
  items: (p) => [`pam-profile:${p.name}`],
  check: (p) => sh`printf %s ${p.text} | cmp -s - ${pathOf(p.name)} && pam_enabled ${p.name}`,
  apply: (p) => sh`doaas_stage ${pathOf(p.name)}
printf %s ${p.text} > item; chmod 0644 item
doaas_place ${pathOf(p.name)}
${UPDATE} --enable ${p.name} < /dev/null
pam_enabled ${p.name} || { echo "pam-auth-update leaves /etc/pam.d/common-* as they are, because somebody changed them by hand: put them back with pam-auth-update --force, then apply again" >&2; exit 1; }`,
};

/** Taken out by pam-auth-update itself, so that modules which came meanwhile stay. */
export const pamProfileCustody: Custody = {
  fact: 'pam-profile',
  library: LIBRARY,
  capture: (name, save) =>
    lines(
      sh`mkdir -p ${save}; if pam_enabled ${name}; then : > ${save}/enabled; fi`,
      pathCustody.capture(pathOf(name), sh`${save}/file`),
    ),
  restore: (items) => lines(...items.map(restoreOne)),
};

/** The profile must still be there while pam-auth-update takes it out. */
function restoreOne({ key, save }: SavedItem): Sh {
  return lines(
    sh`if [ ! -e ${save}/enabled ] && [ -e ${pathOf(key)} ]; then ${UPDATE} --remove ${key} < /dev/null; fi`,
    pathCustody.restore([{ key: pathOf(key), save: sh`${save}/file` }]),
    sh`if [ -e ${save}/enabled ]; then ${UPDATE} --enable ${key} < /dev/null; fi`,
  );
}

function pathOf(name: string): string {
  return `${PAM_PROFILES}/${name}`;
}
