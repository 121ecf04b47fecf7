import type { SurveyFinding, SurveyModule } from '../../facts/survey.ts';
import type { ConfigReader } from '../../operations/config.ts';

export type Severity = 'low' | 'medium' | 'high' | 'critical';
export type Profile = 'baseline' | 'strict';

export type Group =
  | 'accounts'
  | 'audit'
  | 'banner'
  | 'cron'
  | 'files'
  | 'kernel'
  | 'mounts'
  | 'network'
  | 'packages'
  | 'pam'
  | 'services'
  | 'ssh'
  | 'sudo'
  | 'time';

/** One rule that a hardened server keeps. Frozen data; what it wants is judged and planned by the folder `wants`. */
export interface Control {
  readonly kind: 'control';
  /** Stands in documents, so it never changes. */
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  readonly why: string;
  readonly severity: Severity;
  /** CIS: Debian Linux 12 Benchmark v1.1.0, its numbers not compared with the text; dev-sec: the baselines of dev-sec.io; Lynis: its test. */
  readonly source: string;
  /** `strict` has all of `baseline` as well. */
  readonly profile: Profile;
  readonly wants: Wants;
  /** What may stop working. */
  readonly breaks?: readonly string[];
  /** The kernel lets nobody take it back while it runs. */
  readonly undoNeedsReboot?: true;
  /** What must be so on the host for the control to mean anything there, beside what `wants` itself needs. */
  readonly applies?: Probe;
  /** A number that documents may override, inclusive bounds. It stands as `$value` in `wants`. */
  readonly range?: Range;
}

export interface Range {
  readonly value: number;
  /** Instead of `value` in the strict profile. */
  readonly strict?: number;
  readonly min: number;
  readonly max: number;
}

/** Each is seen on the host itself, see `probes.ts`; none names an environment. */
export type Probe =
  /** The kernel is this machine's own, not shared with the one that a container runs on. */
  | 'own-kernel'
  | 'apparmor'
  | 'sudo'
  | 'cron'
  | 'at'
  /** No account lives by its key alone, which ageing of passwords would shut out. */
  | 'nobody-by-key-alone'
  /** Nobody who logs in with a password would be shut out. */
  | 'everybody-has-a-key'
  /** Neither containers, virtual machines nor a tunnel need this host to forward packets. */
  | 'routes-for-nobody'
  /** Packets of one connection come and go by the same interface, there being one. */
  | 'single-homed'
  /** No address or route of the host comes from router advertisements. */
  | 'no-router-advertisements'
  /** Nothing on the host makes user namespaces without root. */
  | 'no-rootless-namespaces';

export type Wants =
  | SysctlWish
  | SshWish
  | AlgorithmWish
  | LinesWish
  | SettingWish
  | ModeWish
  | PackageWish
  | UnitWish
  | PamWish
  | MountWish
  | HomesWish
  | SurveyWish;

/** `also`: other values that are as good. */
export interface SysctlWish {
  readonly kind: 'sysctl';
  readonly key: string;
  readonly value: string;
  readonly also?: readonly string[];
  /** Only from the next boot on: the kernel would not take it back. */
  readonly atBoot?: true;
}

/** A global setting of sshd. */
export interface SshWish {
  readonly kind: 'ssh';
  /** As sshd_config(5) writes it. */
  readonly keyword: string;
  readonly value: string;
  /** `connections`: no more of them, as `MaxStartups` bounds them. */
  readonly judge: Judge | 'connections';
  readonly also?: readonly string[];
  /** Instead of `value` in the strict profile. */
  readonly strict?: string;
  /** See `wants/ssh.ts`: what the engine itself needs of this setting. */
  readonly engineNeeds?: 'root-login' | 'forwarding';
}

/** A list of algorithms of sshd without the weak ones. */
export interface AlgorithmWish {
  readonly kind: 'ssh-algorithms';
  readonly keyword: string;
  /** Regular expression of names. */
  readonly weak: string;
}

export type Judge = 'equal' | 'at-most' | 'at-least';

/** Lines of a file that is all ours; controls share such files. */
export interface LinesWish {
  readonly kind: 'lines';
  readonly file: OwnFileName;
  readonly lines: readonly string[];
  /** A file of the distribution that is read after ours, so that what it sets counts; and what of that is good enough. */
  readonly later?: { readonly path: string; readonly judge: Judge };
  /** What our lines keep from being loaded, which may be already. */
  readonly module?: SurveyModule;
}

/** A setting within a file of the distribution. */
export interface SettingWish {
  readonly kind: 'setting';
  readonly file: EditedFileName;
  readonly key: string;
  /** null: the setting must not be there. */
  readonly value: string | null;
  readonly judge: Judge;
}

/** At most these permissions, of one of these owners. A path that is not there needs none. */
export interface ModeWish {
  readonly kind: 'mode';
  readonly path: string;
  /** Four octal digits. */
  readonly most: string;
  /** The first is set where none is. */
  readonly groups: readonly [string, ...string[]];
  /** These bits must be there, as the sticky bit of /tmp. */
  readonly least?: string;
}

/** All of them, or none. */
export interface PackageWish {
  readonly kind: 'package';
  readonly names: readonly [string, ...string[]];
  readonly state: 'present' | 'absent';
  /** Units that serve by these packages: while one of them runs, they are not removed. */
  readonly units?: readonly string[];
}

export interface UnitWish {
  readonly kind: 'unit';
  readonly unit: string;
  readonly running: boolean;
  /** Other units that do the same. */
  readonly unless?: readonly string[];
  /** What brings it; without that package there is nothing to run. */
  readonly package?: string;
}

export interface PamWish {
  readonly kind: 'pam';
  readonly profiles: Readonly<Record<string, string>>;
}

/** An option of a mount point of its own. */
export interface MountWish {
  readonly kind: 'mount';
  readonly path: string;
  readonly options: readonly string[];
}

/** Home folders that others cannot look into. */
export interface HomesWish {
  readonly kind: 'homes';
}

/** Nothing of this sort was found. Only a person can tell what becomes of it. */
export interface SurveyWish {
  readonly kind: 'survey';
  readonly nothing: readonly SurveyFinding[];
  /** Things that may be there. */
  readonly except?: readonly string[];
  readonly advice: string;
}

export interface OwnFile {
  readonly path: string;
  readonly mode: string;
  readonly comment: '#' | '//' | null;
  readonly reader: ConfigReader;
  /** What must take notice. */
  readonly notify?: { readonly unit: string; readonly verb: 'reload' | 'restart' };
  /** Other files may say otherwise, and count. What shows a person what does. */
  readonly shownBy?: string;
  /** What reads it; without that package the file means nothing. */
  readonly package?: string;
}

export type OwnFileName =
  | 'apt'
  | 'at.allow'
  | 'audit'
  | 'coredump'
  | 'cron.allow'
  | 'fail2ban'
  | 'issue'
  | 'issue.net'
  | 'journald'
  | 'limits'
  | 'logrotate'
  | 'modprobe'
  | 'motd'
  | 'profile'
  | 'pwquality'
  | 'sudo'
  | 'systemd';

export type EditedFileName = 'faillock.conf' | 'login.defs' | 'pam-su';
