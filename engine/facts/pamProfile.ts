import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact, FactError } from './fact.ts';

/** One profile of pam-auth-update(8). */
export interface PamProfileQuery {
  readonly fact: 'pam-profile';
  /** Name of its file in /usr/share/pam-configs. */
  readonly key: string;
}

export interface PamProfileState {
  readonly present: boolean;
  /** Of the profile's file; left out when there is none. */
  readonly sha256?: string;
  /** pam-auth-update has it among the modules of /etc/pam.d/common-*. */
  readonly enabled: boolean;
}

export const PAM_PROFILES = '/usr/share/pam-configs';

/** What pam-auth-update writes; a profile changes some of them. */
export const PAM_FILES: readonly string[] = [
  '/etc/pam.d/common-account',
  '/etc/pam.d/common-auth',
  '/etc/pam.d/common-password',
  '/etc/pam.d/common-session',
  '/etc/pam.d/common-session-noninteractive',
];

export const PAM_FUNCTIONS: Sh = {
  kind: 'sh',
  text: `pam_enabled() { grep -qsx "Module: $1" /var/lib/pam/account /var/lib/pam/auth /var/lib/pam/password /var/lib/pam/session; } # NAME
pam_profile() { # NAME
  if [ -f "${PAM_PROFILES}/$1" ]; then set -- "$1" $(sha256sum < "${PAM_PROFILES}/$1"); else set -- "$1" none; fi
  if pam_enabled "$1"; then echo "profile $2 enabled"; else echo "profile $2 disabled"; fi
}`,
};

export const pamProfileFact: Fact<PamProfileQuery, PamProfileState> = {
  fact: 'pam-profile',
  read: (queries) =>
    lines(PAM_FUNCTIONS, ...queries.map((q) => sh`echo ${`= ${encodeKey(q.key)}`}; pam_profile ${q.key}`)),
  parse: (output, query) => {
    const [type, sha256 = '', enabled] = (output[0] ?? '').split(' ');
    if (type !== 'profile' || enabled === undefined)
      throw new FactError(`${query.key}: the host answered a PAM profile that is not understood`);
    const present = sha256 !== 'none';
    return { present, ...(present ? { sha256 } : {}), enabled: enabled === 'enabled' };
  },
};
