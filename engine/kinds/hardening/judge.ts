import type { OwnFileName } from './control.ts';
import { unmet } from './probes.ts';
import type { Active } from './spec.ts';
import { notApplicable, passedIf, type Verdict, type View } from './view.ts';
import { outranked, stillLoaded } from './wants/counts.ts';
import {
  judgeHomes,
  judgeMode,
  judgeMount,
  judgePackage,
  judgePam,
  judgeSurvey,
  judgeSysctl,
  judgeUnit,
} from './wants/items.ts';
import { isWritten, judgeLines, overridden, sshPortsOf, textsOf } from './wants/lines.ts';
import { judgeSetting } from './wants/setting.ts';
import { judgeSsh } from './wants/ssh.ts';

export interface Judged extends Active {
  readonly verdict: Verdict;
}

/** Every control, on one host. Lines of one file are judged together, since the file is as wanted or it is not. */
export function judgeControls(active: readonly Active[], view: View): readonly Judged[] {
  const first = active.map((one) => ({ one, verdict: judgeOne(one, view, active) }));
  const open = first.flatMap(({ one, verdict }) => (verdict === undefined ? [one] : []));
  const texts = textsOf(open, sshPortsOf(view));
  return first.map(({ one, verdict }) => ({ ...one, verdict: verdict ?? judgeFile(one, texts, view) }));
}

function judgeFile({ wants }: Active, texts: ReadonlyMap<OwnFileName, string>, view: View): Verdict {
  if (wants.kind !== 'lines') return passedIf(false);
  const text = texts.get(wants.file);
  const later = overridden(wants, view);
  if (later !== undefined) return later;
  const written = text !== undefined && isWritten(wants.file, text, view);
  return (written ? (outranked(wants, view) ?? stillLoaded(wants, view)) : undefined) ?? passedIf(written);
}

function judgeOne(one: Active, view: View, active: readonly Active[]): Verdict | undefined {
  const { control, wants } = one;
  const reason =
    control.applies === undefined || isOffAlready(one, view)
      ? undefined
      : unmet(control.applies, view, active);
  if (reason !== undefined) return notApplicable(reason);
  switch (wants.kind) {
    case 'sysctl':
      return judgeSysctl(wants, view);
    case 'ssh':
    case 'ssh-algorithms':
      return judgeSsh(wants, view);
    case 'lines':
      return judgeLines(wants, view);
    case 'setting':
      return judgeSetting(wants, view);
    case 'mode':
      return judgeMode(wants, view);
    case 'package':
      return judgePackage(wants, view);
    case 'unit':
      return judgeUnit(wants, view);
    case 'pam':
      return judgePam(wants, view);
    case 'mount':
      return judgeMount(wants, view);
    case 'homes':
      return judgeHomes(view);
    case 'survey':
      return judgeSurvey(wants, view);
  }
}

export function isApplicable({ verdict }: Judged): boolean {
  return verdict.kind !== 'not-applicable';
}

/** What keeps off passwords stays when somebody comes to have no key: it shuts out nobody who could come in before. */
function isOffAlready({ control, wants }: Active, view: View): boolean {
  return (
    control.applies === 'everybody-has-a-key' &&
    wants.kind === 'ssh' &&
    judgeSsh(wants, view).kind === 'passed'
  );
}
