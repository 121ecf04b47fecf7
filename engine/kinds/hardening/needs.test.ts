import { expect, test } from 'vitest';
import { hardeningNeeds } from './needs.ts';
import { OWN_FILES } from './ownFiles.ts';
import { activeControls, type ResolvedHardening } from './spec.ts';
import { textsOf } from './wants/lines.ts';
import { sha256Of } from './wants/text.ts';

const SPEC: ResolvedHardening = { profile: 'strict', controls: [{ id: 'fail2ban-sshd' }], waivers: [] };

test('a file that names ports of sshd is read whole, so that a plan shows what of it changes', () => {
  const [read] = hardeningNeeds(SPEC).filter(({ key }) => key === OWN_FILES.fail2ban.path);
  const texts = [[], [22], [2222]].map((ports) => textsOf(activeControls(SPEC), ports).get('fail2ban') ?? '');
  expect(read).toMatchObject({ fact: 'path', unlessSha256: expect.any(String) });
  for (const text of texts) expect(read).not.toMatchObject({ unlessSha256: sha256Of(text) });
});
