import type { SurveyModule } from '../../../facts/survey.ts';
import type { Control, LinesWish, Profile } from '../control.ts';

/** `install NAME /bin/false` also stops what another module asks for; modprobe.d(5). */
function module(
  name: SurveyModule,
  profile: Profile,
  why: string,
  source: string,
  breaks: readonly string[] = [],
): Control {
  const wants: LinesWish = {
    kind: 'lines',
    file: 'modprobe',
    lines: [`install ${name} /bin/false`, `blacklist ${name}`],
    module: name,
  };
  return {
    kind: 'control',
    id: `module-${name}`,
    group: 'kernel',
    title: `The module ${name} is not loaded`,
    why,
    severity: 'low',
    source,
    profile,
    wants,
    applies: 'own-kernel',
    ...(breaks.length > 0 ? { breaks } : {}),
  };
}

const OLD = 'Drivers that nobody tests any more, loaded by whoever can mount or plug in something.';
const RARE = 'A protocol that few need and that users could load; each had holes in the kernel.';

export const moduleControls: readonly Control[] = [
  module('cramfs', 'baseline', OLD, 'CIS 1.1.1.1, dev-sec os-10'),
  module('freevxfs', 'baseline', OLD, 'CIS 1.1.1.2, dev-sec os-10'),
  module('hfs', 'baseline', OLD, 'CIS 1.1.1.3, dev-sec os-10'),
  module('hfsplus', 'baseline', OLD, 'CIS 1.1.1.4, dev-sec os-10'),
  module('jffs2', 'baseline', OLD, 'CIS 1.1.1.5, dev-sec os-10'),
  module('dccp', 'baseline', RARE, 'CIS 3.2.1, Lynis NETW-3200'),
  module('tipc', 'baseline', RARE, 'CIS 3.2.2, Lynis NETW-3200'),
  module('rds', 'baseline', RARE, 'CIS 3.2.3, Lynis NETW-3200'),
  module('sctp', 'strict', RARE, 'CIS 3.2.4, Lynis NETW-3200', ['telephony and some clusters']),
  module(
    'usb-storage',
    'strict',
    'Data leaves, or a program comes, on a stick.',
    'CIS 1.1.1.9, Lynis USB-1000',
    ['USB disks'],
  ),
  module('firewire-core', 'strict', 'Devices can read memory through it.', 'Lynis STRG-1846'),
];
