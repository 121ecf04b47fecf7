import type { Control, Profile } from './control.ts';
import { accountControls } from './controls/accounts.ts';
import { auditControls } from './controls/audit.ts';
import { findingControls } from './controls/findings.ts';
import { kernelControls } from './controls/kernel.ts';
import { logControls } from './controls/logs.ts';
import { modeControls } from './controls/modes.ts';
import { moduleControls } from './controls/modules.ts';
import { networkControls } from './controls/network.ts';
import { packageControls } from './controls/packages.ts';
import { pamControls } from './controls/pam.ts';
import { serviceControls } from './controls/services.ts';
import { sshControls } from './controls/ssh.ts';
import { sshAlgorithmControls } from './controls/sshAlgorithms.ts';

/** Every control, in the order in which files show them. */
export const CONTROLS: readonly Control[] = [
  ...sshControls,
  ...sshAlgorithmControls,
  ...networkControls,
  ...kernelControls,
  ...moduleControls,
  ...accountControls,
  ...pamControls,
  ...modeControls,
  ...findingControls,
  ...packageControls,
  ...logControls,
  ...serviceControls,
  ...auditControls,
];

const byId = new Map(CONTROLS.map((control) => [control.id, control]));

export function controlNamed(id: string): Control | undefined {
  return byId.get(id);
}

export function controlsOf(profile: Profile): readonly Control[] {
  return CONTROLS.filter((control) => profile === 'strict' || control.profile === 'baseline');
}
