import type { Control } from '../control.ts';
import { sysctl } from './sysctl.ts';

export const kernelControls: readonly Control[] = [
  sysctl(
    'kernel',
    ['sysctl-aslr', 'baseline', 'high'],
    ['kernel.randomize_va_space', '2'],
    [
      'Programs lie at other addresses each time',
      'An attack that needs an address must guess it.',
      'CIS 1.5.1, dev-sec linux-baseline',
    ],
  ),
  sysctl(
    'kernel',
    ['sysctl-ptrace', 'baseline', 'medium'],
    ['kernel.yama.ptrace_scope', '1', '2', '3'],
    [
      'Processes look only into their own children',
      'One program that was broken into could read the keys of the others of its user.',
      'CIS 1.5.2',
    ],
    { breaks: ['debuggers on a process that runs already'] },
  ),
  sysctl(
    'kernel',
    ['sysctl-suid-dumpable', 'baseline', 'high'],
    ['fs.suid_dumpable', '0'],
    [
      'Programs with other rights leave no core dump',
      'It would hold what the user may not read.',
      'CIS 1.5.3, dev-sec linux-baseline',
    ],
  ),
  sysctl(
    'kernel',
    ['sysctl-protected-symlinks', 'baseline', 'high'],
    ['fs.protected_symlinks', '1'],
    [
      'Links in /tmp lead nobody else astray',
      'A program of root would write where somebody else wants.',
      'Lynis KRNL-6000',
    ],
  ),
  sysctl(
    'kernel',
    ['sysctl-protected-hardlinks', 'baseline', 'high'],
    ['fs.protected_hardlinks', '1'],
    [
      'No hard links to files of others',
      'A program with set-user-ID that was replaced would live on, and root would change a file of others.',
      'Lynis KRNL-6000',
    ],
  ),
  sysctl(
    'kernel',
    ['sysctl-protected-fifos', 'baseline', 'medium'],
    ['fs.protected_fifos', '1', '2'],
    [
      'Pipes in /tmp of others are not opened by mistake',
      'A program of root would write its data into it.',
      'Lynis KRNL-6000',
    ],
  ),
  sysctl(
    'kernel',
    ['sysctl-protected-regular', 'baseline', 'medium'],
    ['fs.protected_regular', '2', '1'],
    [
      'Files in /tmp of others are not opened by mistake',
      'A program of root would write its data into it.',
      'Lynis KRNL-6000',
    ],
  ),
  sysctl(
    'kernel',
    ['sysctl-kptr', 'baseline', 'medium'],
    ['kernel.kptr_restrict', '1', '2'],
    ['Addresses of the kernel are not told', 'Attacks on the kernel need them.', 'Lynis KRNL-6000'],
  ),
  sysctl(
    'kernel',
    ['sysctl-dmesg', 'baseline', 'low'],
    ['kernel.dmesg_restrict', '1'],
    ['Only root reads the log of the kernel', 'It tells addresses and hardware.', 'Lynis KRNL-6000'],
  ),
  sysctl(
    'kernel',
    ['sysctl-perf', 'baseline', 'medium'],
    ['kernel.perf_event_paranoid', '3', '2', '4'],
    [
      'Performance counters are for root',
      'They tell what other programs do, and were a way into the kernel.',
      'Lynis KRNL-6000',
    ],
    { breaks: ['profilers of users'] },
  ),
  sysctl(
    'kernel',
    ['sysctl-bpf', 'baseline', 'high'],
    ['kernel.unprivileged_bpf_disabled', '2', '1'],
    ['Only root loads BPF programs', 'It was a way into the kernel many times.', 'Lynis KRNL-6000'],
  ),
  sysctl(
    'kernel',
    ['sysctl-bpf-jit', 'strict', 'medium'],
    ['net.core.bpf_jit_harden', '2'],
    [
      'Compiled BPF programs hold no constants of users',
      'They would place code of theirs in the kernel.',
      'Lynis KRNL-6000',
    ],
  ),
  sysctl(
    'kernel',
    ['sysctl-sysrq', 'baseline', 'low'],
    ['kernel.sysrq', '0', '438', '176', '4'],
    [
      'Keys do not command the kernel',
      'Whoever gets at a console could end processes or read memory.',
      'dev-sec linux-baseline',
    ],
  ),
  sysctl(
    'kernel',
    ['sysctl-ldisc', 'strict', 'medium'],
    ['dev.tty.ldisc_autoload', '0'],
    ['Users load no drivers for terminals', 'Old ones were a way into the kernel.', 'Lynis KRNL-6000'],
  ),
  sysctl(
    'kernel',
    ['sysctl-core-pid', 'strict', 'low'],
    ['kernel.core_uses_pid', '1'],
    [
      'A core dump overwrites no other',
      'What led to the first crash would be lost.',
      'Lynis KRNL-6000, dev-sec linux-baseline',
    ],
  ),
  sysctl(
    'kernel',
    ['sysctl-user-namespaces', 'strict', 'medium'],
    ['user.max_user_namespaces', '0'],
    [
      'No user namespaces',
      'They give every user parts of the kernel that were written for root.',
      'CIS (STIG) RHEL-09-213105',
    ],
    { applies: 'no-rootless-namespaces', breaks: ['rootless containers', 'sandboxes of browsers'] },
  ),
  sysctl(
    'kernel',
    ['sysctl-kexec', 'strict', 'medium'],
    ['kernel.kexec_load_disabled', '1'],
    [
      'No other kernel is started from the running one',
      'root could get around Secure Boot with it.',
      'Lynis KRNL-6000',
    ],
    { undoNeedsReboot: true, breaks: ['kdump', 'kexec-reboot'] },
  ),
];
