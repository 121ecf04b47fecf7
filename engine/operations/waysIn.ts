/** Files by which people and the engine log in, become root, or are reached. A folder stands for all below it. */
const PATHS: readonly RegExp[] = [
  /^\/etc\/(ssh|pam\.d|security|sudoers\.d|nftables\.d|network|netplan|NetworkManager|ufw|firewalld|iptables|fail2ban)(\/|$)/,
  /^\/etc\/(pam\.conf|sudoers|sudo\.conf|nftables\.conf|nsswitch\.conf|resolv\.conf|hosts\.allow|hosts\.deny|login\.defs)$/,
  /^\/etc\/(nologin|shells|environment|profile|bash\.bashrc|securetty|ld\.so\.preload|ld\.so\.conf|fstab)$/,
  /^\/etc\/(profile\.d|ld\.so\.conf\.d|default)(\/|$)/,
  /^\/etc\/(passwd|shadow|group|gshadow)$/,
  /^\/etc\/systemd\/(network|(networkd|resolved)\.conf(\.d)?)(\/|$)/,
  // networks that a server may be reached by alone
  /^\/etc\/(wireguard|openvpn|swanctl|strongswan\.d|ipsec\.d|wpa_supplicant|iwd)(\/|$)/,
  /^\/etc\/(ipsec\.(conf|secrets)|strongswan\.conf|dhcpcd\.conf)$/,
  /^\/etc\/dhcp($|\/dhclient)/,
  /^\/var\/lib\/tailscale(\/|$)/,
  // accounts that other servers know
  /^\/etc\/(sssd|krb5\.conf\.d)(\/|$)/,
  /^\/etc\/(nslcd|nscd|krb5|ldap|libnss-ldap|pam_ldap)\.conf$/,
  /^\/etc\/krb5\.keytab$/,
  /^\/(run|var\/run)\/nologin$/,
  /^\/etc\/sysctl\.(conf$|d\/)/,
  // folders that all of it lies below, and where ld.so(8) looks for libraries; any library there may be one of sshd's, or stand before it
  /^\/(etc|usr|bin|sbin|home|root|var|run)?$/,
  /^\/usr\/(bin|sbin|local)$/,
  /^\/(usr\/(local\/)?)?lib(32|64|x32)?(\/[\w-]+-linux-gnu\w*)?(\/[^/]+\.so(\.[\d.]+)?)?$/,
  // PAM's modules
  /^\/(usr\/)?lib(32|64|x32)?(\/[^/]+)?\/security(\/|$)/,
  // what holds these programs back, and drivers that are kept from loading
  /^\/etc\/apparmor\.d($|\/(abstractions|tunables)(\/|$)|\/(.*\/)?[^/]*(sshd|sudo|dhclient|dhcpcd|NetworkManager|sssd)[^/]*$)/,
  /^\/etc\/(modprobe\.d|modules-load\.d|modules)(\/|$)/,
  /^\/(usr\/)?s?bin\/(sh|bash|dash|zsh|fish|nologin|login|su|sudo|sshd)$/,
  // a home folder, and what a login reads there; of a home elsewhere at least its keys
  /^\/home\/[^/]+$/,
  /^\/(home\/[^/]+|root)\/(\.profile|\.bash(rc|_profile|_login)|\.zshenv)$/,
  /\/\.ssh(\/|$)/,
];

/** The network, and what a login needs of the kernel: memory, processes, open files. */
const SYSCTLS =
  /^(net[./].*|vm[./](overcommit_.*|min_free_kbytes|nr_hugepages)|kernel[./](pid_max|threads-max)|fs[./](file-max|nr_open))$/;

/** Of a unit, whatever its type. Also in the names of its files below /etc/systemd/system. */
const UNITS =
  /^(ssh|sshd|nftables|networking|systemd-networkd|systemd-resolved|systemd-logind|NetworkManager|wpa_supplicant|iwd|dhcpcd|ifup|wg-quick|openvpn|tailscaled|strongswan|ipsec|fail2ban|sshguard|ufw|firewalld|netfilter-persistent|iptables|ip6tables|shorewall|dbus|sssd|nscd|nslcd|winbind|systemd-user-sessions)[@.-]/;

const UNIT_FILES = /^\/(?:etc|usr\/lib|lib)\/systemd\/system\/(.+)/;

/** Whoever removes one of these opens the host rather than closing it. Names here and below are without an architecture. */
const FIREWALLS = /^(nftables|iptables.*|ufw|firewalld|shorewall.*|fail2ban|sshguard)$/;

/** Without one of these nobody may get in, or the host may have no network. */
const NEEDED: readonly RegExp[] = [
  /^(openssh-(server|client|sftp-server)|sudo|sudo-ldap|libpam.*|libnss.*|login|passwd|bash|dash)$/,
  /^(ifupdown.*|network-manager|netplan.*|netbase|iproute2|isc-dhcp-client|dhcpcd.*|wpasupplicant|iwd|systemd.*|dbus.*)$/,
  /^(wireguard(-tools)?|openvpn|tailscale|strongswan.*|libstrongswan|(lib)?charon-.*|libcharon-.*)$/,
  /^(sssd.*|nslcd|nscd|winbind)$/,
  // what sshd, sudo and PAM are linked against on Debian 12, by ldd(1), with the names that Debian 13 has for it
  /^(libc6|libcrypt1|libgcc-s1|libssl[0-9.]+|zlib1g|libwrap0|libaudit1|libselinux1|libsystemd0|libcap2|libcap-ng0|libpcre2-8-0)(t64)?$/,
  /^(libgssapi-krb5-2|libkrb5-3|libkrb5support0|libk5crypto3|libcom-err2|libkeyutils1|libnsl2|libtirpc3|libdb5\.3)(t64)?$/,
  /^(liblzma5|libzstd1|liblz4-1|libgcrypt20|libgpg-error0)(t64)?$/,
];

/**
 * Words of a script that is about a way in. What the programs that it calls do, nobody can read; and what merely looks like one
 * of these costs no more than a login.
 */
const WORDS: readonly RegExp[] = [
  /sshd?|sshd?_config|openssh-[\w-]+|sudo|sudoers|visudo|pam|pam-auth-update|lib(pam|nss)[\w-]+/,
  /nft|nftables(?!-)|ip6?tables(-\w+)?|ufw|firewall-cmd|firewalld|fail2ban(-client)?/,
  /(user|group)(add|mod|del)|(add|del)(user|group)|passwd|chpasswd|chage|gpasswd|vipw|authorized_keys/,
  /nologin|login\.defs|hosts\.(allow|deny)|sssd|nslcd/,
  /ifup|ifdown|ifconfig|ip\s+(-\w+\s+)*(l|a|r|ru)\w*|tc\s+(-\w+\s+)*(q|cl|ch|f|a)\w*|route|networkctl|nmcli|netplan|networking/,
  /systemd-(networkd|resolved|logind)|NetworkManager|net[./]ipv[46]|resolvectl|dhclient|dhcpcd|wpa_(supplicant|cli)/,
  /wg(-quick(@[\w.-]+)?)?|wireguard|openvpn|tailscaled?|strongswan|swanctl|ipsec/,
  /\/etc\/(passwd|shadow|group|gshadow|network|security|nsswitch\.conf)|\.ssh|\/(home\/[\w.-]+|root)\/?(?=["'\s;&|)]|$)/,
  /\/(usr\/)?lib\w*(\/[\w-]+)?\/security/,
  // all of the machine, or what all lies below
  /(rm|mv|ch(mod|own|grp|attr)|setfacl|u?mount)(\s[^;&|\n]{0,200})?["'\s]\/((usr\/)?(etc|bin|sbin|lib\w*)|usr|var|run)?\/?\*?(?=["'\s;&|)]|$)/,
];
const IN_SCRIPT = new RegExp(`(^|[^\\w-])(${WORDS.map(({ source }) => source).join('|')})(?![\\w-])`);

export function isPathIn(path: string): boolean {
  return PATHS.some((one) => one.test(path)) || ofUnit(path);
}

export function isSysctlIn(key: string): boolean {
  return SYSCTLS.test(key);
}

export function isUnitIn(name: string): boolean {
  return UNITS.test(name);
}

/** `name`: also with an architecture. */
export function isPackageIn(name: string): boolean {
  return FIREWALLS.test(bare(name)) || isPackageNeeded(name);
}

/** The same as extended regular expressions, for names without an architecture. */
export const PACKAGES_IN: readonly string[] = [FIREWALLS, ...NEEDED].map(({ source }) => source);

export function isPackageNeeded(name: string): boolean {
  return NEEDED.some((one) => one.test(bare(name)));
}

function bare(name: string): string {
  return name.replace(/:.*$/, '');
}

export function namesWayIn(script: string): boolean {
  return IN_SCRIPT.test(script);
}

/** Its text, a drop-in of it, or a link that enables it. */
function ofUnit(path: string): boolean {
  return (UNIT_FILES.exec(path)?.[1] ?? '').split('/').some((part) => UNITS.test(part));
}
