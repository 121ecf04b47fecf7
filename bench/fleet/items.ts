/**
 * The same eight items in four languages: three packages, a group, a user, a directory, a file, and a unit file whose
 * service is enabled and runs.
 */
import { configuration } from '../../test/yaml.ts';

export const PACKAGES = ['tree', 'jq', 'unzip'] as const;

export const CONF_PATH = '/etc/bench.conf';
const CONF = '# written by the benchmark\nworkers = 4\nlisten = 127.0.0.1:8080\n';
const UNIT_PATH = '/etc/systemd/system/bench.service';
const UNIT = `[Unit]
Description=Benchmark

[Service]
User=bench
ExecStart=/bin/sleep infinity

[Install]
WantedBy=multi-user.target
`;

/** A `Configuration` of DOaaS. */
export function ourItems(): string {
  return configuration('bench', {
    packages: Object.fromEntries(PACKAGES.map((name) => [name, {}])),
    groups: { bench: {} },
    users: { bench: { group: 'bench', shell: '/usr/sbin/nologin', home: '/srv/bench' } },
    directories: { '/srv/bench': { owner: 'bench', group: 'bench', mode: '0750' } },
    files: { [CONF_PATH]: { content: CONF, mode: '0640', group: 'bench' } },
    units: { 'bench.service': { content: UNIT, enabled: true, running: true } },
  });
}

/** What an engineer would write by hand and send to all hosts. */
export function shellScript(): string {
  return `set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get install -qqy --no-install-recommends ${PACKAGES.join(' ')}
getent group bench >/dev/null || groupadd bench
getent passwd bench >/dev/null || useradd -g bench -s /usr/sbin/nologin -d /srv/bench -M bench
install -d -o bench -g bench -m 0750 /srv/bench
cat >${CONF_PATH} <<'EOF'
${CONF}EOF
chown root:bench ${CONF_PATH}; chmod 0640 ${CONF_PATH}
cat >${UNIT_PATH} <<'EOF'
${UNIT}EOF
systemctl daemon-reload
systemctl enable --now bench.service
`;
}

/** An Ansible playbook, as JSON, which YAML includes. */
export function playbook(): string {
  const tasks = [
    { name: 'packages', 'ansible.builtin.apt': { name: PACKAGES, install_recommends: false } },
    { name: 'group', 'ansible.builtin.group': { name: 'bench' } },
    {
      name: 'user',
      'ansible.builtin.user': {
        name: 'bench',
        group: 'bench',
        shell: '/usr/sbin/nologin',
        home: '/srv/bench',
        create_home: false,
      },
    },
    {
      name: 'directory',
      'ansible.builtin.file': {
        path: '/srv/bench',
        state: 'directory',
        owner: 'bench',
        group: 'bench',
        mode: '0750',
      },
    },
    {
      name: 'file',
      'ansible.builtin.copy': { dest: CONF_PATH, content: CONF, owner: 'root', group: 'bench', mode: '0640' },
    },
    {
      name: 'unit',
      'ansible.builtin.copy': { dest: UNIT_PATH, content: UNIT, mode: '0644' },
      register: 'unit',
    },
    {
      name: 'service',
      'ansible.builtin.systemd_service': {
        name: 'bench.service',
        enabled: true,
        state: 'started',
        daemon_reload: '{{ unit is changed }}',
      },
    },
  ];
  return `${JSON.stringify([{ hosts: 'all', tasks }], null, 2)}\n`;
}

/** A deploy of pyinfra, in Python. */
export function pyinfraDeploy(): string {
  const text = JSON.stringify;
  return `from io import StringIO

from pyinfra.operations import apt, files, server, systemd

apt.packages(name="packages", packages=${text(PACKAGES)}, no_recommends=True)
server.group(name="group", group="bench")
server.user(name="user", user="bench", group="bench", shell="/usr/sbin/nologin", home="/srv/bench", ensure_home=False)
files.directory(name="directory", path="/srv/bench", user="bench", group="bench", mode="750")
files.put(name="file", src=StringIO(${text(CONF)}), dest="${CONF_PATH}", user="root", group="bench", mode="640")
unit = files.put(name="unit", src=StringIO(${text(UNIT)}), dest="${UNIT_PATH}", user="root", group="root", mode="644")
systemd.daemon_reload(name="reload", _if=unit.did_change)
systemd.service(name="service", service="bench.service", running=True, enabled=True)
`;
}

/** One item of one host, spoilt from outside, and put right again. */
export interface Alteration {
  /** Item that a plan must name. */
  readonly item: string;
  readonly host: number;
  readonly spoil: string;
  readonly mend: string;
}

export const ALTERATIONS: readonly Alteration[] = [
  {
    item: `path:${CONF_PATH}`,
    host: 2,
    spoil: `cp -a ${CONF_PATH} /root/bench.saved; echo 'workers = 5' >> ${CONF_PATH}`,
    mend: `cp -a /root/bench.saved ${CONF_PATH}; rm /root/bench.saved`,
  },
  {
    item: 'package:tree',
    host: 6,
    spoil: 'dpkg --remove tree',
    mend: 'DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends tree',
  },
  {
    item: 'unit:bench.service',
    host: 0,
    spoil: 'systemctl stop bench.service',
    mend: 'systemctl start bench.service',
  },
  { item: 'path:/srv/bench', host: 8, spoil: 'chmod 0777 /srv/bench', mend: 'chmod 0750 /srv/bench' },
  {
    item: 'user:bench',
    host: 4,
    spoil: 'usermod -s /bin/sh bench',
    mend: 'usermod -s /usr/sbin/nologin bench',
  },
];
