import { access, chmod, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { LabHost } from '../../lab/hosts.ts';
import { progress } from '../report.ts';
import { command, type Ran } from './command.ts';
import { playbook, pyinfraDeploy, shellScript } from './items.ts';

const VERSIONS = ['ansible-core==2.19.14', 'pyinfra==3.10.0'] as const;
const ANSIBLE_FORKS = 20;

/** What another tool does with the same items. Each call starts it as its users do, with no open connection. */
export interface Peers {
  readonly ansible: (mode: 'plan' | 'apply', hosts: readonly LabHost[]) => Promise<Ran>;
  readonly pyinfra: (mode: 'plan' | 'apply', hosts: readonly LabHost[]) => Promise<Ran>;
  /** A shell script sent to all hosts at once over OpenSSH. */
  readonly script: (hosts: readonly LabHost[]) => Promise<void>;
}

/** `dir`: for inventories and the like; the caller removes it. */
export async function openPeers(dir: string): Promise<Peers> {
  const bin = await installed();
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'site.yml'), playbook());
  await writeFile(join(dir, 'deploy.py'), pyinfraDeploy());
  let runs = 0;
  return {
    ansible: async (mode, hosts) => {
      runs += 1;
      // a folder of its own for each run: no connection of an earlier run is found there
      const sockets = join(dir, `cp${runs}`);
      await mkdir(sockets);
      const key = await keyOf(dir, hosts);
      await writeFile(join(dir, 'inventory.ini'), inventory(hosts, key));
      await writeFile(join(dir, 'ansible.cfg'), ansibleConfig(sockets));
      const check = mode === 'plan' ? ['--check', '--diff'] : [];
      const argv = [join(bin, 'ansible-playbook'), '-i', 'inventory.ini', ...check, 'site.yml'];
      try {
        return await command(argv, { cwd: dir, env: { ANSIBLE_CONFIG: join(dir, 'ansible.cfg') } });
      } finally {
        await hangUp(sockets);
      }
    },
    pyinfra: async (mode, hosts) => {
      const known = join(dir, 'known_hosts');
      await rm(known, { force: true });
      await writeFile(join(dir, 'inventory.py'), pyinfraInventory(hosts, await keyOf(dir, hosts), known));
      // with -y it would not look for changes beforehand, which is what a plan is
      const how = mode === 'plan' ? '--dry' : '-y';
      return command([join(bin, 'pyinfra'), how, 'inventory.py', 'deploy.py'], { cwd: dir });
    },
    script: async (hosts) => {
      const key = await keyOf(dir, hosts);
      const options = ['-i', key, ...SSH_OPTIONS.flatMap((option) => ['-o', option])];
      await Promise.all(
        hosts.map((host) =>
          command(['ssh', ...options, `root@${host.address}`, 'sh'], { input: shellScript() }),
        ),
      );
    },
  };
}

const SSH_OPTIONS = [
  'StrictHostKeyChecking=no',
  'UserKnownHostsFile=/dev/null',
  'LogLevel=ERROR',
  'BatchMode=yes',
];

/** Both tools in a Python environment of their own, below the project's cache; made once. */
async function installed(): Promise<string> {
  const cache = process.env.DOAAS_CACHE_DIR ?? join(homedir(), '.cache', 'doaas');
  const venv = join(cache, 'bench', VERSIONS.join('-').replaceAll('==', '-'));
  const bin = join(venv, 'bin');
  const whole = join(venv, 'installed');
  const ready = await access(whole).then(
    () => true,
    () => false,
  );
  if (ready) return bin;
  progress(`installing ${VERSIONS.join(' and ')} below ${cache} (half a minute, once)`);
  await rm(venv, { recursive: true, force: true });
  await command(['python3', '-m', 'venv', venv]).catch((error: unknown) => {
    throw new Error(`Python's venv is needed for the comparison (Debian: python3-venv): ${String(error)}`);
  });
  await command([join(bin, 'pip'), 'install', '--quiet', ...VERSIONS]);
  await writeFile(whole, `${VERSIONS.join('\n')}\n`);
  return bin;
}

/** The lab's key, at a place that stays the same. */
async function keyOf(dir: string, hosts: readonly LabHost[]): Promise<string> {
  const [host] = hosts;
  if (host === undefined) throw new Error('there are no hosts');
  const key = join(dir, 'id');
  await copyFile(host.privateKeyPath, key);
  await chmod(key, 0o600);
  return key;
}

function inventory(hosts: readonly LabHost[], key: string): string {
  const lines = hosts.map((host) => `${host.name} ansible_host=${host.address}`);
  return `[all]\n${lines.join('\n')}\n[all:vars]\nansible_user=root\nansible_ssh_private_key_file=${key}\n`;
}

function ansibleConfig(sockets: string): string {
  return `[defaults]
forks = ${ANSIBLE_FORKS}
host_key_checking = False
[ssh_connection]
pipelining = True
control_path_dir = ${sockets}
# the defaults, and no trace in the user's known hosts
ssh_args = -C -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=/dev/null
`;
}

function pyinfraInventory(hosts: readonly LabHost[], key: string, known: string): string {
  const each = hosts.map((host) => `    (${JSON.stringify(host.address)}, {}),`);
  const data = {
    ssh_user: 'root',
    ssh_key: key,
    ssh_known_hosts_file: known,
    ssh_strict_host_key_checking: 'off',
  };
  return `fleet = ([\n${each.join('\n')}\n], ${JSON.stringify(data)})\n`;
}

/** Ansible leaves its connections open for a minute. */
async function hangUp(sockets: string): Promise<void> {
  for (const name of await readdir(sockets)) {
    const socket = join(sockets, name);
    await command(['ssh', '-o', `ControlPath=${socket}`, '-O', 'exit', 'host']).catch(() => undefined);
  }
  await rm(sockets, { recursive: true, force: true });
}
