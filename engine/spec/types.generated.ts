/* Generated from schemas/ by `npm run schemas`: change the schemas, not this file. */

/**
 * Any document of DOaaS: for files that hold several kinds.
 */
export type AnySource =
  | ServerSource
  | VariablesSource
  | ConfigurationSource
  | FirewallSource
  | HardeningSource
  | PatchPolicySource
  | PolicySource;
/**
 * Lower-case letters, digits, `-` and `.`, at most 63 characters, beginning and ending with a letter or digit.
 */
export type Name = string;
/**
 * The machine's public host key, as `doaas scan` prints it.
 */
export type HostKey = string;
/**
 * The machine's public host key, as `doaas scan` prints it.
 */
export type HostKey1 = string;
/**
 * Text, a number, true or false, a list of texts, or for a variable of the type `secret` its secretRef.
 *
 * @maxItems 1024
 */
export type VariableSetting =
  | string
  | number
  | boolean
  | string[]
  | {
      secretRef: SecretRefSource;
    };
/**
 * Documents that must be done, on all their servers, before this one starts.
 *
 * @maxItems 64
 *
 * Items: KIND/NAME of a document.
 */
export type DependsOn = string[];
/**
 * Text, a number, true or false, or a list of texts.
 *
 * @maxItems 1024
 */
export type VariableValue = string | number | boolean | string[];
/**
 * What must hold after the change, on every host of this document.
 *
 * @maxItems 64
 */
export type Probes = ProbeSource[];
/**
 * A number of servers, or a share of all servers of the plan.
 */
export type ServersAmount = number | string;
/**
 * A number of servers, or a share of all servers of the plan.
 */
export type ServersAmount1 = number | string;
/**
 * An IP address or block, or exactly one of `set`, `labels` and `hosts`.
 */
export type PeerSource =
  | string
  | {
      /**
       * Name of a set of this document.
       */
      set?: string;
      labels?: Labels;
      /**
       * Names of Server documents.
       *
       * @minItems 1
       * @maxItems 1000
       *
       * Items: Name of a Server document.
       */
      hosts?: string[];
    };
/**
 * A port, or a range such as "8000-8010".
 */
export type PortSource = number | string;
/**
 * Name of a package.
 */
export type PackageName = string;
/**
 * Days of the week. Left out: all.
 *
 * @minItems 1
 *
 * Items: Day of the week.
 */
export type Weekdays = ('mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun')[];
/**
 * First minute.
 */
export type TimeOfDay = string;
/**
 * First minute after it; 24:00 is the end of the day.
 */
export type TimeOfDay1 = string;
/**
 * First day.
 */
export type CalendarDay = string;
/**
 * Last day.
 */
export type CalendarDay1 = string;
/**
 * Days on which nothing is applied.
 *
 * @maxItems 100
 */
export type Freezes = Freeze[];
/**
 * GitHub logins. `login#id` holds the account, also when it is renamed; a login alone belongs to whoever has that name.
 *
 * @minItems 1
 * @maxItems 100
 *
 * Items: Login, with the number of the account if it is to be that account only.
 */
export type Users = string[];
/**
 * Teams of the repository's organisation, as in their address.
 *
 * @minItems 1
 * @maxItems 20
 *
 * Items: Team, without the organisation.
 */
export type Teams = string[];
/**
 * Name of a check run or context of a commit status, from whomever it comes; or with the App that it must come from.
 */
export type PolicyCheck =
  | string
  | {
      /**
       * Name of the check run or context of the commit status.
       */
      name: string;
      /**
       * The App's name as in its address. `github-actions` is every workflow, also one that the pull request itself brings.
       */
      app: string;
    };

/**
 * A machine that the engine reaches over SSH.
 */
export interface ServerSource {
  /**
   * Version of the document format.
   */
  apiVersion: 'doaas/v1';
  /**
   * A machine.
   */
  kind: 'Server';
  metadata: Metadata;
  spec: ServerSpec;
}
/**
 * Identity of the document.
 */
export interface Metadata {
  name: Name;
  labels?: Labels;
}
/**
 * Free names and values by which other documents select this one.
 */
export interface Labels {
  /**
   * Value of the label.
   */
  [k: string]: string;
}
/**
 * How to reach the machine and how to know that it is the right one.
 */
export interface ServerSpec {
  /**
   * Host name or IP address, as the engine (or the jump host) reaches it.
   */
  address: string;
  /**
   * IP addresses that other servers see it under, where `address` is a host name or not all of it; firewalls of others use them.
   *
   * @minItems 1
   * @maxItems 64
   *
   * Items: An IP address.
   */
  addresses?: string[];
  /**
   * TCP port of the SSH server.
   */
  port?: number;
  /**
   * Account to log in with.
   */
  user?: string;
  /**
   * How the user gets root's rights. Left out: `none` for root, `sudo` for everyone else.
   */
  become?: 'sudo' | 'none';
  /**
   * Network whose workers reach the machine.
   */
  site?: string;
  hostKey?: HostKey;
  /**
   * Several public host keys, any of which is accepted (while one is replaced).
   *
   * @minItems 1
   * @maxItems 8
   */
  hostKeys?: HostKey1[];
  /**
   * Name of the Server document through which this one is reached.
   */
  jump?: string;
  variables?: VariableValues;
}
/**
 * Values of variables that Configuration documents declare.
 */
export interface VariableValues {
  [k: string]: VariableSetting;
}
/**
 * Where a secret's value is: exactly one of `age`, `env`, `file`, `vault`. The value itself never stands in the repository.
 */
export interface SecretRefSource {
  /**
   * File of this repository that age has encrypted (`doaas secret edit FILE`): a map of names to texts in YAML or JSON. Needs `key`.
   */
  age?: string;
  /**
   * Environment variable of the engine without its prefix DOAAS_SECRET_.
   */
  env?: string;
  /**
   * File below the engine's DOAAS_SECRETS_DIR, whose whole content is the value.
   */
  file?: string;
  /**
   * MOUNT/data/PATH of HashiCorp Vault's key-value engine, version 2. Needs `key`.
   */
  vault?: string;
  /**
   * Name of the value within `age` or `vault`.
   */
  key?: string;
}
/**
 * Values of variables for a group of servers. A document that names hosts wins over labels, more labels over fewer, and a server's own `variables` over all.
 */
export interface VariablesSource {
  /**
   * Version of the document format.
   */
  apiVersion: 'doaas/v1';
  /**
   * Values of variables.
   */
  kind: 'Variables';
  metadata: Metadata;
  spec: VariablesSpec;
}
/**
 * Which servers, and which values.
 */
export interface VariablesSpec {
  targets: Targets;
  values: VariableValues;
}
/**
 * The servers meant: by name, by labels (all of them must match), or all. Exactly one of the three.
 */
export interface Targets {
  /**
   * Names of Server documents.
   *
   * @minItems 1
   * @maxItems 1000
   *
   * Items: Name of a Server document.
   */
  hosts?: string[];
  labels?: Labels;
  /**
   * Every server of the repository.
   */
  all?: true;
}
/**
 * Packages, files, users, units and more, on servers by name or label.
 */
export interface ConfigurationSource {
  /**
   * Version of the document format.
   */
  apiVersion: 'doaas/v1';
  /**
   * What servers must look like.
   */
  kind: 'Configuration';
  metadata: Metadata;
  dependsOn?: DependsOn;
  /**
   * What happens to items that leave this document: put back as they were found, or left as they are.
   */
  onRemoval?: 'restore' | 'keep';
  spec: ConfigurationSpec;
}
/**
 * What the servers must look like.
 */
export interface ConfigurationSpec {
  targets: Targets;
  /**
   * Variables that templates may use, with their types.
   */
  variables?: {
    [k: string]: VariableSource;
  };
  /**
   * APT sources by a name of your choice.
   */
  aptRepositories?: {
    [k: string]: AptRepositorySource;
  };
  /**
   * Debian packages by name.
   */
  packages?: {
    [k: string]: PackageSource;
  };
  /**
   * Directories by absolute path.
   */
  directories?: {
    [k: string]: DirectorySource;
  };
  /**
   * Files and links by absolute path.
   */
  files?: {
    [k: string]: FileSource;
  };
  /**
   * Groups by name.
   */
  groups?: {
    [k: string]: GroupSource;
  };
  /**
   * Users by name.
   */
  users?: {
    [k: string]: UserSource;
  };
  /**
   * systemd units by name with suffix.
   */
  units?: {
    [k: string]: UnitSource;
  };
  /**
   * Kernel settings by name.
   */
  sysctl?: {
    /**
     * Value.
     */
    [k: string]: string | number;
  };
  /**
   * Lines of /etc/hosts by IP address.
   */
  hostsEntries?: {
    /**
     * Host names, the canonical one first.
     *
     * @minItems 1
     * @maxItems 64
     *
     * Items: Host name.
     */
    [k: string]: string[];
  };
  /**
   * Name in the time zone database.
   */
  timezone?: string;
  /**
   * System locale, variables of locale.conf(5).
   */
  locale?: {
    /**
     * Locale.
     */
    [k: string]: string;
  };
  /**
   * Shell scripts by a name of your choice.
   */
  scripts?: {
    [k: string]: ScriptSource;
  };
  probes?: Probes;
  rollout?: RolloutSource;
  drift?: DriftSource;
}
/**
 * A variable that templates of this document may use.
 */
export interface VariableSource {
  /**
   * Type of its value; `list` is a list of texts, `secret` a text that only a `secretRef` gives and only templates of `files` may use.
   */
  type: 'string' | 'integer' | 'number' | 'boolean' | 'list' | 'secret';
  default?: VariableValue;
  /**
   * What it is for.
   */
  description?: string;
}
/**
 * An APT source with its signing key.
 */
export interface AptRepositorySource {
  /**
   * Base addresses.
   *
   * @minItems 1
   * @maxItems 16
   *
   * Items: http or https address.
   */
  uris: string[];
  /**
   * Distributions; one that ends in `/` is a flat repository.
   *
   * @minItems 1
   * @maxItems 16
   *
   * Items: Suite.
   */
  suites: string[];
  /**
   * Components; left out only for flat repositories.
   *
   * @maxItems 16
   *
   * Items: Component.
   */
  components?: string[];
  /**
   * Only these architectures.
   *
   * @minItems 1
   * @maxItems 8
   *
   * Items: Architecture.
   */
  architectures?: string[];
  /**
   * File in the repository with the signing key: armored (.asc) or binary (.gpg).
   */
  key: string;
}
/**
 * A Debian package; `{}` means installed, at whatever version.
 */
export interface PackageSource {
  /**
   * The item must not exist.
   */
  state?: 'absent';
  /**
   * Version to install, in quotes; `*` at its end matches the rest.
   */
  version?: string;
  /**
   * Keep apt from upgrading it.
   */
  hold?: boolean;
}
/**
 * A directory; `{}` means that it exists, owned by root, 0755.
 */
export interface DirectorySource {
  /**
   * The item must not exist.
   */
  state?: 'absent';
  /**
   * Name of a user.
   */
  owner?: string;
  /**
   * Name of a group.
   */
  group?: string;
  /**
   * Permissions in octal, in quotes.
   */
  mode?: string;
  notify?: NotifySource;
}
/**
 * Units that must notice when this changes.
 */
export interface NotifySource {
  /**
   * Units to reload.
   *
   * @maxItems 64
   *
   * Items: Name of a systemd unit.
   */
  reload?: string[];
  /**
   * Units to restart.
   *
   * @maxItems 64
   *
   * Items: Name of a systemd unit.
   */
  restart?: string[];
}
/**
 * A file with exactly one of `content`, `source`, `template`, `linkTo`, or `state: absent`.
 */
export interface FileSource {
  /**
   * The item must not exist.
   */
  state?: 'absent';
  /**
   * The text itself.
   */
  content?: string;
  /**
   * File in the repository, copied as it is.
   */
  source?: string;
  /**
   * Mustache template in the repository; may use the declared variables and host.name, host.address, host.labels.X. Where it prints a secret, the mode is 0600 unless given.
   */
  template?: string;
  /**
   * Target of a symbolic link.
   */
  linkTo?: string;
  /**
   * Name of a user.
   */
  owner?: string;
  /**
   * Name of a group.
   */
  group?: string;
  /**
   * Permissions in octal, in quotes.
   */
  mode?: string;
  notify?: NotifySource;
}
/**
 * A group.
 */
export interface GroupSource {
  /**
   * The item must not exist.
   */
  state?: 'absent';
  /**
   * Group id.
   */
  gid?: number;
  /**
   * Take the id from the system range when the group is created.
   */
  system?: boolean;
}
/**
 * A user. What is left out is not managed.
 */
export interface UserSource {
  /**
   * The item must not exist.
   */
  state?: 'absent';
  /**
   * User id.
   */
  uid?: number;
  /**
   * Name of a user.
   */
  group?: string;
  /**
   * Supplementary groups, exactly these.
   *
   * @maxItems 64
   *
   * Items: Name of a group.
   */
  groups?: string[];
  /**
   * Login shell.
   */
  shell?: string;
  /**
   * Home directory.
   */
  home?: string;
  /**
   * Full name or purpose (GECOS).
   */
  comment?: string;
  /**
   * Take the id from the system range when the user is created.
   */
  system?: boolean;
  /**
   * Lines of ~/.ssh/authorized_keys, exactly these.
   *
   * @maxItems 256
   *
   * Items: One public key, with options before it if need be.
   */
  authorizedKeys?: string[];
}
/**
 * A systemd unit; with at most one of `content`, `source`, `template` its text is managed too.
 */
export interface UnitSource {
  /**
   * The item must not exist.
   */
  state?: 'absent';
  /**
   * The text itself.
   */
  content?: string;
  /**
   * File in the repository with the unit's text.
   */
  source?: string;
  /**
   * Mustache template of the unit's text.
   */
  template?: string;
  /**
   * Starts at boot. Left out: not managed.
   */
  enabled?: boolean;
  /**
   * Runs now. Left out: not managed.
   */
  running?: boolean;
}
/**
 * The way out: POSIX sh that runs as root, shown in full in the plan.
 */
export interface ScriptSource {
  /**
   * Exits 0 when there is nothing to do. Must change nothing.
   */
  check: string;
  /**
   * Makes the change; may be run again.
   */
  apply: string;
  /**
   * Takes the change back. Without it the step is not reversible.
   */
  undo?: string;
  /**
   * Time that apply or undo may take, at most 1h.
   */
  timeout?: string;
}
/**
 * What must hold after the change: exactly one of `http`, `tcp`, `command`. It is tried again until it passes or `within` has passed.
 */
export interface ProbeSource {
  /**
   * Address to get, as seen from the host.
   */
  http?: string;
  /**
   * Expected HTTP status.
   */
  status?: number;
  /**
   * HOST:PORT that must accept a connection, as seen from the host.
   */
  tcp?: string;
  /**
   * Argument vector; no shell.
   *
   * @minItems 1
   * @maxItems 64
   *
   * Items: The program, then each of its arguments.
   */
  command?: string[];
  /**
   * Name of a user.
   */
  user?: string;
  /**
   * Expected exit status of the command.
   */
  exit?: number;
  /**
   * Text that the answer or output must contain.
   */
  contains?: string;
  /**
   * Total time to pass, at most 1h.
   */
  within?: string;
  /**
   * Pause between two tries, at least 100ms.
   */
  every?: string;
}
/**
 * How the change reaches many servers: who goes first, how many at a time, and when to stop. Left out: one server, then a quarter at a time, and no failure.
 */
export interface RolloutSource {
  /**
   * Servers of the first batch: a number, or a share of all servers of the plan, rounded up. 0: no canary.
   */
  canary?: number | string;
  /**
   * Size of the batches after the canary: one size for all, or a list whose last entry repeats.
   */
  batches?: ServersAmount | ServersAmount[];
  maxUnavailable?: ServersAmount1;
  /**
   * Wait between two batches, after their probes; at most 24h.
   */
  pause?: string;
  /**
   * Whose probes must pass after a batch: all servers done so far, or only the batch.
   */
  probes?: 'done' | 'batch';
  /**
   * How many servers may fail over the whole fleet: a number, or a share of all servers of the plan, rounded down.
   */
  failureBudget?: number | string;
  /**
   * When more fail than the budget allows: put back all that was touched, or stop until somebody decides.
   */
  onExceeded?: 'rollback' | 'hold';
  /**
   * What a server that does not answer does to the rollout.
   */
  unreachable?: 'fail' | 'skip' | 'wait';
  /**
   * Name of a label: servers with the same value of it, such as the members of one cluster, are never changed together.
   */
  spread?: string;
}
/**
 * What becomes of changes that somebody makes on the servers by hand. Left out: they are reported in an issue.
 */
export interface DriftSource {
  /**
   * `report`: only the issue. `correct`: put back by itself what was applied once, can be undone and the policy lets through; the issue says what was done, or why not.
   */
  action?: 'report' | 'correct';
  /**
   * Items that are neither reported nor corrected: paths of files and directories, or an item's sort and name; `*` matches within a name, `**` any number of folders.
   *
   * @maxItems 256
   *
   * Items: A path, or SORT:NAME with the sort unit, package, sysctl, user, group, ...
   */
  ignore?: string[];
}
/**
 * What servers let in, out and through.
 */
export interface FirewallSource {
  /**
   * Version of the document format.
   */
  apiVersion: 'doaas/v1';
  /**
   * What servers let in, out and through.
   */
  kind: 'Firewall';
  metadata: Metadata;
  dependsOn?: DependsOn;
  /**
   * What happens to items that leave this document: put back as they were found, or left as they are.
   */
  onRemoval?: 'restore' | 'keep';
  spec: FirewallSpec;
}
/**
 * What the servers let in, out and through. What no rule accepts does not come in.
 */
export interface FirewallSpec {
  targets: Targets;
  management?: ManagementSource;
  /**
   * Names for network interfaces, for `zone` of rules.
   */
  zones?: {
    /**
     * Names of interfaces; `*` at the end stands for any ending.
     *
     * @minItems 1
     * @maxItems 64
     *
     * Items: Name of an interface.
     */
    [k: string]: string[];
  };
  /**
   * Names for addresses, for `from` and `to` of rules.
   */
  sets?: {
    /**
     * Addresses, blocks and servers.
     *
     * @minItems 1
     * @maxItems 4096
     */
    [k: string]: PeerSource[];
  };
  /**
   * What may come in, by a name of your choice.
   */
  inbound?: {
    [k: string]: InboundRuleSource;
  };
  outbound?: OutboundSource;
  forward?: ForwardSource;
  /**
   * Ports of the host that lead to another address (DNAT), by a name of your choice.
   */
  portForwards?: {
    [k: string]: PortForwardSource;
  };
  /**
   * Networks that go out under the host's own address (SNAT), by a name of your choice.
   */
  masquerade?: {
    [k: string]: MasqueradeSource;
  };
  /**
   * Write what is dropped because no rule accepts it to the kernel's log, at most 10 packets a minute.
   */
  logDropped?: boolean;
  /**
   * What must be open or closed as other servers see it, tried from these after the change.
   *
   * @maxItems 64
   */
  reach?: ReachSource[];
  probes?: Probes;
  rollout?: RolloutSource;
  drift?: DriftSource;
}
/**
 * How the engine itself comes in. Its rule is always there, before all others.
 */
export interface ManagementSource {
  /**
   * Where the engine and its jump hosts come from. Left out: everywhere.
   *
   * @minItems 1
   * @maxItems 1024
   */
  from?: PeerSource[];
  /**
   * Port of the SSH server on the host itself, where a translation on the way makes it another than the Server's `port`.
   */
  port?: number;
}
/**
 * What may come in.
 */
export interface InboundRuleSource {
  /**
   * Name of a service, by IANA's registry of port numbers.
   */
  service?: string;
  /**
   * Several services.
   *
   * @minItems 1
   * @maxItems 64
   *
   * Items: Name of a service, by IANA's registry of port numbers.
   */
  services?: string[];
  port?: PortSource;
  /**
   * Several ports and ranges of ports.
   *
   * @minItems 1
   * @maxItems 64
   */
  ports?: PortSource[];
  /**
   * Protocol of `port` and `ports`; without them all of that protocol. Left out: tcp.
   */
  protocol?: 'tcp' | 'udp' | 'sctp' | 'esp' | 'ah' | 'gre' | 'vrrp';
  /**
   * Who may come. Left out: everybody.
   *
   * @minItems 1
   * @maxItems 1024
   */
  from?: PeerSource[];
  /**
   * Interfaces that it comes in by. Left out: all.
   */
  zone?: string;
  /**
   * New connections that each sender may make; more are dropped.
   */
  rateLimit?: string;
  /**
   * What becomes of it. What one rule drops or rejects, no other can accept.
   */
  action?: 'accept' | 'drop' | 'reject';
  /**
   * Write matching packets to the kernel's log, at most 10 a minute.
   */
  log?: boolean;
}
/**
 * What may go out. Left out: everything.
 */
export interface OutboundSource {
  /**
   * What becomes of what no rule names.
   */
  default?: 'accept' | 'drop';
  /**
   * Rules by a name of your choice.
   */
  rules?: {
    [k: string]: OutboundRuleSource;
  };
}
/**
 * What may go out.
 */
export interface OutboundRuleSource {
  /**
   * Name of a service, by IANA's registry of port numbers.
   */
  service?: string;
  /**
   * Several services.
   *
   * @minItems 1
   * @maxItems 64
   *
   * Items: Name of a service, by IANA's registry of port numbers.
   */
  services?: string[];
  port?: PortSource;
  /**
   * Several ports and ranges of ports.
   *
   * @minItems 1
   * @maxItems 64
   */
  ports?: PortSource[];
  /**
   * Protocol of `port` and `ports`; without them all of that protocol. Left out: tcp.
   */
  protocol?: 'tcp' | 'udp' | 'sctp' | 'esp' | 'ah' | 'gre' | 'vrrp';
  /**
   * Where it may go. Left out: everywhere.
   *
   * @minItems 1
   * @maxItems 1024
   */
  to?: PeerSource[];
  /**
   * Interfaces that it goes out by. Left out: all.
   */
  zone?: string;
  /**
   * What becomes of it. What one rule drops or rejects, no other can accept.
   */
  action?: 'accept' | 'drop' | 'reject';
  /**
   * Write matching packets to the kernel's log, at most 10 a minute.
   */
  log?: boolean;
}
/**
 * What may pass through, on a router. Left out: not managed, so that containers and VPNs of the host keep working.
 */
export interface ForwardSource {
  /**
   * What becomes of what no rule names. `drop` also holds for containers.
   */
  default?: 'accept' | 'drop';
  /**
   * Rules by a name of your choice.
   */
  rules?: {
    [k: string]: ForwardRuleSource;
  };
}
/**
 * What may pass through.
 */
export interface ForwardRuleSource {
  /**
   * Name of a service, by IANA's registry of port numbers.
   */
  service?: string;
  /**
   * Several services.
   *
   * @minItems 1
   * @maxItems 64
   *
   * Items: Name of a service, by IANA's registry of port numbers.
   */
  services?: string[];
  port?: PortSource;
  /**
   * Several ports and ranges of ports.
   *
   * @minItems 1
   * @maxItems 64
   */
  ports?: PortSource[];
  /**
   * Protocol of `port` and `ports`; without them all of that protocol. Left out: tcp.
   */
  protocol?: 'tcp' | 'udp' | 'sctp' | 'esp' | 'ah' | 'gre' | 'vrrp';
  /**
   * Who may come. Left out: everybody.
   *
   * @minItems 1
   * @maxItems 1024
   */
  from?: PeerSource[];
  /**
   * Where it may go. Left out: everywhere.
   *
   * @minItems 1
   * @maxItems 1024
   */
  to?: PeerSource[];
  /**
   * Interfaces that it comes in by. Left out: all.
   */
  zone?: string;
  /**
   * Interfaces that it goes out by. Left out: all.
   */
  toZone?: string;
  /**
   * New connections that each sender may make; more are dropped.
   */
  rateLimit?: string;
  /**
   * What becomes of it. What one rule drops or rejects, no other can accept.
   */
  action?: 'accept' | 'drop' | 'reject';
  /**
   * Write matching packets to the kernel's log, at most 10 a minute.
   */
  log?: boolean;
}
/**
 * A port of the host that leads to another address.
 */
export interface PortForwardSource {
  port: PortSource;
  /**
   * Protocol of the port.
   */
  protocol?: 'tcp' | 'udp';
  /**
   * ADDRESS:PORT that it leads to; an IPv6 address in brackets.
   */
  to: string;
  /**
   * Who may come. Left out: everybody.
   *
   * @minItems 1
   * @maxItems 1024
   */
  from?: PeerSource[];
  /**
   * Interfaces that it comes in by. Left out: all.
   */
  zone?: string;
}
/**
 * A network that goes out under the host's own address.
 */
export interface MasqueradeSource {
  /**
   * Whose packets.
   *
   * @minItems 1
   * @maxItems 1024
   */
  from: PeerSource[];
  /**
   * Interfaces that they go out by. Left out: all.
   */
  zone?: string;
}
/**
 * A TCP port as other servers see it.
 */
export interface ReachSource {
  from: ReachFrom;
  /**
   * Name of a service of one TCP port.
   */
  service?: string;
  /**
   * The TCP port.
   */
  port?: number;
  /**
   * Whether a connection must come about, or must not.
   */
  expect?: 'open' | 'closed';
  /**
   * Total time to pass, at most 1h.
   */
  within?: string;
}
/**
 * The servers that try: exactly one of `labels` and `hosts`.
 */
export interface ReachFrom {
  labels?: Labels;
  /**
   * Names of Server documents.
   *
   * @minItems 1
   * @maxItems 64
   *
   * Items: Name of a Server document.
   */
  hosts?: string[];
}
/**
 * Security controls that servers keep.
 */
export interface HardeningSource {
  /**
   * Version of the document format.
   */
  apiVersion: 'doaas/v1';
  /**
   * Security controls that servers keep.
   */
  kind: 'Hardening';
  metadata: Metadata;
  dependsOn?: DependsOn;
  /**
   * What happens to items that leave this document: put back as they were found, or left as they are.
   */
  onRemoval?: 'restore' | 'keep';
  spec: HardeningSpec;
}
/**
 * Which controls, on which servers.
 */
export interface HardeningSpec {
  targets: Targets;
  /**
   * How much: baseline breaks little and removes no service that runs, strict has more.
   */
  profile?: 'baseline' | 'strict';
  /**
   * Who else looks: Lynis (Debian's package, which is installed) before and after a change. Its index is told beside our score and decides nothing. Left out: nobody.
   */
  witness?: 'lynis';
  overrides?: HardeningOverrides;
  /**
   * Controls that do not hold on these servers, each with a reason and an end.
   */
  waivers?: {
    [k: string]: HardeningWaiver;
  };
  rollout?: RolloutSource;
  drift?: DriftSource;
}
/**
 * Other values of controls that have one, within bounds.
 */
export interface HardeningOverrides {
  /**
   * Few tries in one connection. Default 4.
   */
  'ssh-max-auth-tries'?: {
    /**
     * Value of the control.
     */
    value: number;
  };
  /**
   * A bounded number of sessions in one connection. Default 10.
   */
  'ssh-max-sessions'?: {
    /**
     * Value of the control.
     */
    value: number;
  };
  /**
   * A login takes a minute at most. Default 60.
   */
  'ssh-login-grace'?: {
    /**
     * Value of the control.
     */
    value: number;
  };
  /**
   * Dead connections end. Default 300.
   */
  'ssh-client-alive'?: {
    /**
     * Value of the control.
     */
    value: number;
  };
  /**
   * Passwords of new accounts end after a time. Default 365.
   */
  'password-max-age'?: {
    /**
     * Value of the control.
     */
    value: number;
  };
  /**
   * A shell that nobody uses ends. Default 900.
   */
  'shell-timeout'?: {
    /**
     * Value of the control.
     */
    value: number;
  };
  /**
   * sudo asks again after a time. Default 15.
   */
  'sudo-timeout'?: {
    /**
     * Value of the control.
     */
    value: number;
  };
  /**
   * After five of them. Default 5.
   */
  'faillock-deny'?: {
    /**
     * Value of the control.
     */
    value: number;
  };
  /**
   * For a quarter of an hour, not for ever. Default 900.
   */
  'faillock-unlock'?: {
    /**
     * Value of the control.
     */
    value: number;
  };
  /**
   * They are long. Default 14.
   */
  'pwquality-length'?: {
    /**
     * Value of the control.
     */
    value: number;
  };
  /**
   * fail2ban watches sshd. Default 5.
   */
  'fail2ban-sshd'?: {
    /**
     * Value of the control.
     */
    value: number;
  };
}
/**
 * Why a control does not hold, who answers for it and until when.
 */
export interface HardeningWaiver {
  /**
   * Why, for whoever reads the report.
   */
  reason: string;
  /**
   * Who answers for it.
   */
  owner: string;
  /**
   * Last day that it counts on.
   */
  expires: string;
}
/**
 * Which updates servers get, when, and what follows from them.
 */
export interface PatchPolicySource {
  /**
   * Version of the document format.
   */
  apiVersion: 'doaas/v1';
  /**
   * Which updates servers get, when, and what follows from them.
   */
  kind: 'PatchPolicy';
  metadata: Metadata;
  dependsOn?: DependsOn;
  /**
   * What happens to items that leave this document: put back as they were found, or left as they are.
   */
  onRemoval?: 'restore' | 'keep';
  spec: PatchPolicySpec;
}
/**
 * Which updates, on which servers.
 */
export interface PatchPolicySpec {
  targets: Targets;
  /**
   * Which updates are wanted: those that an archive of security updates offers, or all.
   */
  updates?: 'security' | 'all';
  /**
   * Further archives whose updates count as security updates, by the fields of their Release files. Debian's and Ubuntu's own are known.
   *
   * @maxItems 32
   */
  securityOrigins?: SecurityOrigin[];
  /**
   * Packages that stay at their version and are held with apt-mark, against everybody.
   *
   * @maxItems 256
   */
  holds?: PackageName[];
  /**
   * Packages that this document leaves to people; `*` stands for any characters, `?` for one.
   *
   * @maxItems 256
   *
   * Items: Name of a package, or a pattern of names.
   */
  exclude?: string[];
  /**
   * A configuration file that was changed or deleted on the server and comes new with an update: keep the server's, take the new one, or leave such a package to people.
   */
  conffiles?: 'keep' | 'take' | 'ask';
  /**
   * Whether services that still use what was replaced are restarted.
   */
  restart?: 'needed' | 'never';
  /**
   * Services that this document does not restart for an update. A package may restart its own when it is updated; hold it to keep that from happening.
   *
   * @maxItems 64
   *
   * Items: Name of a service, which is that of its instances too (postgresql.service: postgresql@15-main.service), or a pattern with at most four *.
   */
  restartNever?: string[];
  /**
   * Where an update needs a reboot: say so only; reboot; or reboot only in the run of a pull request, never by itself.
   */
  reboot?: 'never' | 'ifRequired' | 'ask';
  window?: PatchWindow;
  probes?: Probes;
  rollout?: RolloutSource;
  drift?: DriftSource;
}
/**
 * An archive: all that is said must be so in its Release file.
 */
export interface SecurityOrigin {
  /**
   * Field Label.
   */
  label?: string;
  /**
   * Field Origin.
   */
  origin?: string;
  /**
   * Field Suite.
   */
  suite?: string;
  /**
   * Field Codename.
   */
  codename?: string;
}
/**
 * When updates that come up after the merge are installed by themselves. Left out: they are reported only.
 */
export interface PatchWindow {
  /**
   * Name of the IANA database.
   */
  timeZone: string;
  days?: Weekdays;
  hours?: Hours;
  freeze?: Freezes;
  /**
   * The window opens later by a part of this, always the same for one document, so that not all begin at once.
   */
  jitter?: string;
}
/**
 * From one local time up to another; through midnight if the second is the smaller one (the day is then the one it begins on). Left out: all day.
 */
export interface Hours {
  from: TimeOfDay;
  to: TimeOfDay1;
}
/**
 * From one day to another, both included.
 */
export interface Freeze {
  from: CalendarDay;
  to: CalendarDay1;
  /**
   * Shown to who waits.
   */
  reason?: string;
}
/**
 * What a change needs before it is applied, and who may do what. Stands in `.doaas/policy.yaml`; only the one on the default branch holds.
 */
export interface PolicySource {
  /**
   * Version of the document format.
   */
  apiVersion: 'doaas/v1';
  /**
   * The policy of a repository.
   */
  kind: 'Policy';
  metadata: Metadata;
  spec: PolicySpec;
}
/**
 * When a change is applied, by whom, and what it needs first.
 */
export interface PolicySpec {
  /**
   * What starts the apply: `/doaas apply` (or the button), the last approval that was missing (of those who may apply, where `people.apply` names some), or the merge.
   */
  trigger?: 'comment' | 'approval' | 'merge';
  /**
   * How the engine merges what it applied.
   */
  mergeMethod?: 'merge' | 'squash' | 'rebase';
  /**
   * Whether every server's key must stand in its Server document (`pinned`), or one that was never pinned may be known by the key that it shows first (`firstUse`).
   */
  hostKeys?: 'pinned' | 'firstUse';
  people?: PolicyPeople;
  rules?: PolicyRules;
}
/**
 * Who may do what. Write access to the repository is needed for all of it in any case.
 */
export interface PolicyPeople {
  apply?: PolicyWho;
  unlock?: PolicyWho1;
  cancel?: PolicyWho2;
  rollback?: PolicyWho3;
  override?: PolicyWho4;
  breakGlass?: PolicyWho5;
  notify?: PolicyWho6;
}
/**
 * Start an apply: by the command, by an approval or a merge that begins it, or through a merge queue. Left out: everybody with write access.
 */
export interface PolicyWho {
  users?: Users;
  teams?: Teams;
}
/**
 * Free servers of a dead or held run. Left out: everybody with write access.
 */
export interface PolicyWho1 {
  users?: Users;
  teams?: Teams;
}
/**
 * Stop a run. Left out: everybody with write access.
 */
export interface PolicyWho2 {
  users?: Users;
  teams?: Teams;
}
/**
 * Take a change back. Left out: everybody with write access.
 */
export interface PolicyWho3 {
  users?: Users;
  teams?: Teams;
}
/**
 * Apply in spite of limits, windows and others' checks. Left out: nobody.
 */
export interface PolicyWho4 {
  users?: Users;
  teams?: Teams;
}
/**
 * Apply without waiting for approvals, windows and others' checks. Left out: nobody.
 */
export interface PolicyWho5 {
  users?: Users;
  teams?: Teams;
}
/**
 * Whom an override or a broken glass is told, by mention. Left out: nobody.
 */
export interface PolicyWho6 {
  users?: Users;
  teams?: Teams;
}
/**
 * Rules by name. All that match a change hold.
 */
export interface PolicyRules {
  [k: string]: PolicyRule;
}
/**
 * What a change needs if it matches.
 */
export interface PolicyRule {
  match?: PolicyMatch;
  /**
   * Approving reviews, each of these. The author and everybody who pushed to the pull request never count. `[]` asks for none.
   *
   * @maxItems 10
   */
  approvals?: PolicyApproval[];
  /**
   * Check runs and commit statuses of others that must be green. Those of the engine cannot be named: they wait for this.
   *
   * @minItems 1
   * @maxItems 50
   */
  checks?: PolicyCheck[];
  window?: PolicyWindow;
  limits?: PolicyLimits;
}
/**
 * Which changes: all that is said must be true of one step on one server, and of one changed path. Left out: every change.
 */
export interface PolicyMatch {
  /**
   * Kinds of the documents that ask for a step.
   *
   * @minItems 1
   *
   * Items: Kind of a document.
   */
  kinds?: string[];
  /**
   * Changed files: `*` within a folder, `**` over folders, `?` one character.
   *
   * @minItems 1
   * @maxItems 50
   *
   * Items: Pattern of paths from the root of the repository.
   */
  paths?: string[];
  labels?: Labels1;
  /**
   * Sites of the server.
   *
   * @minItems 1
   *
   * Items: Site, as Server documents name it.
   */
  sites?: string[];
  /**
   * What a step disturbs.
   *
   * @minItems 1
   *
   * Items: What a step does to a service or to its server.
   */
  disruption?: ('none' | 'reload' | 'restart' | 'failover' | 'reboot')[];
  /**
   * Whether a step can be undone.
   *
   * @minItems 1
   *
   * Items: How well a step can be undone.
   */
  reversible?: ('yes' | 'best-effort' | 'no')[];
  /**
   * Only where so many servers match what else is said.
   */
  hostsAtLeast?: number;
}
/**
 * Free names and values by which other documents select this one.
 */
export interface Labels1 {
  /**
   * Value of the label.
   */
  [k: string]: string;
}
/**
 * So many approving reviews by any of these people. Without users, teams and code owners: by anybody with write access.
 */
export interface PolicyApproval {
  /**
   * How many different people.
   */
  count?: number;
  users?: Users;
  teams?: Teams;
  /**
   * The owners by the CODEOWNERS of the default branch: each changed path that has owners needs one of them.
   */
  codeOwners?: true;
}
/**
 * When a change may be applied.
 */
export interface PolicyWindow {
  /**
   * Name of the IANA database.
   */
  timeZone: string;
  days?: Weekdays;
  hours?: Hours;
  freeze?: Freezes;
}
/**
 * The most that one run may change.
 */
export interface PolicyLimits {
  /**
   * Servers.
   */
  hosts?: number;
  /**
   * Packages removed, on all servers together.
   */
  packagesRemoved?: number;
}
