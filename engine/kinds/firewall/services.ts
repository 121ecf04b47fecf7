import type { PortRange } from './spec.ts';

/** Ports as in the table below: `80/tcp`, `6000-6100/udp`. */
type Ports = readonly `${string}/${'tcp' | 'udp'}`[];

/**
 * Names of the IANA service name and port number registry (RFC 6335), and of a few programs that everybody knows by theirs.
 * A name stands for all that its service needs.
 */
const SERVICES: Readonly<Record<string, Ports>> = {
  amqp: ['5672/tcp'],
  amqps: ['5671/tcp'],
  cassandra: ['9042/tcp'],
  consul: ['8300-8302/tcp', '8301-8302/udp', '8500/tcp', '8600/tcp', '8600/udp'],
  dhcp: ['67/udp'],
  dns: ['53/udp', '53/tcp'],
  docker: ['2376/tcp'],
  'domain-s': ['853/tcp', '853/udp'],
  elasticsearch: ['9200/tcp', '9300/tcp'],
  'etcd-client': ['2379/tcp'],
  'etcd-server': ['2380/tcp'],
  ftp: ['21/tcp'],
  git: ['9418/tcp'],
  grafana: ['3000/tcp'],
  http: ['80/tcp'],
  'http-alt': ['8080/tcp'],
  http3: ['443/udp'],
  https: ['443/tcp'],
  'https-alt': ['8443/tcp'],
  imap: ['143/tcp'],
  imaps: ['993/tcp'],
  ipp: ['631/tcp', '631/udp'],
  ipsec: ['500/udp', '4500/udp'],
  iscsi: ['3260/tcp'],
  kafka: ['9092/tcp'],
  kerberos: ['88/tcp', '88/udp'],
  'kubernetes-api': ['6443/tcp'],
  ldap: ['389/tcp'],
  ldaps: ['636/tcp'],
  memcached: ['11211/tcp'],
  mongodb: ['27017/tcp'],
  mqtt: ['1883/tcp'],
  mysql: ['3306/tcp'],
  nats: ['4222/tcp'],
  nfs: ['2049/tcp'],
  'node-exporter': ['9100/tcp'],
  ntp: ['123/udp'],
  openvpn: ['1194/udp'],
  patroni: ['8008/tcp'],
  pop3: ['110/tcp'],
  pop3s: ['995/tcp'],
  postgresql: ['5432/tcp'],
  prometheus: ['9090/tcp'],
  radius: ['1812-1813/udp'],
  rdp: ['3389/tcp', '3389/udp'],
  redis: ['6379/tcp'],
  rsync: ['873/tcp'],
  sip: ['5060/tcp', '5060/udp'],
  sips: ['5061/tcp'],
  smb: ['445/tcp'],
  smtp: ['25/tcp'],
  snmp: ['161/udp'],
  snmptrap: ['162/udp'],
  ssh: ['22/tcp'],
  submission: ['587/tcp'],
  submissions: ['465/tcp'],
  syslog: ['514/udp'],
  'syslog-tls': ['6514/tcp'],
  telnet: ['23/tcp'],
  tftp: ['69/udp'],
  wireguard: ['51820/udp'],
  'zabbix-agent': ['10050/tcp'],
  'zabbix-trapper': ['10051/tcp'],
  zookeeper: ['2181/tcp'],
};

export const SERVICE_NAMES: readonly string[] = Object.keys(SERVICES);

/** Undefined: there is no service of this name. */
export function servicePorts(name: string): readonly PortRange[] | undefined {
  return Object.hasOwn(SERVICES, name) ? SERVICES[name]?.map(portRange) : undefined;
}

function portRange(text: string): PortRange {
  const [, first = '', last = first, protocol = ''] = /^(\d+)(?:-(\d+))?\/(\w+)$/.exec(text) ?? [];
  return { protocol: protocol === 'udp' ? 'udp' : 'tcp', first: Number(first), last: Number(last) };
}
