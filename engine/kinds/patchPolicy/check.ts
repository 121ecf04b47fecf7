import { checkDuration } from '../../spec/checks/duration.ts';
import { checkProbes } from '../../spec/checks/probes.ts';
import { windowErrors } from '../../spec/checks/window.ts';
import { errorAt, type PlannedDocument } from '../../spec/documents.ts';
import type { SpecError } from '../../spec/manifest.ts';
import { lengthMinutes } from './window.ts';

type PatchDocument = PlannedDocument<'PatchPolicy'>;

/** What the schema cannot say: windows that never open, and what means nothing beside something else. */
export function checkPatchPolicy(document: PatchDocument): readonly SpecError[] {
  return [
    ...checkNames(document),
    ...checkRestarts(document),
    ...checkWindow(document),
    ...checkDrift(document),
    ...checkProbes(document, document.spec.probes),
  ];
}

function checkNames(document: PatchDocument): readonly SpecError[] {
  const { holds = [], exclude = [] } = document.spec;
  return exclude.flatMap((pattern, i) => {
    const pointer = `/spec/exclude/${i}`;
    if (holds.includes(pattern)) {
      const message = `${pattern} is held, so it is never updated in any case; keep it in one of the two lists.`;
      return [errorAt(document, 'contradiction', pointer, message)];
    }
    if (!/^\*+$/.test(pattern)) return [];
    const message = `${pattern} leaves every package to people, so this document does nothing; name what is to be left.`;
    return [errorAt(document, 'no-effect', pointer, message)];
  });
}

function checkRestarts(document: PatchDocument): readonly SpecError[] {
  const { restart, restartNever } = document.spec;
  if (restart !== 'never' || restartNever === undefined) return [];
  const message = 'With "restart: never" no service is restarted, so this list means nothing; remove it.';
  return [errorAt(document, 'contradiction', '/spec/restartNever', message)];
}

function checkWindow(document: PatchDocument): readonly SpecError[] {
  const { window } = document.spec;
  if (window === undefined) return [];
  const errors = windowErrors(window, 'leave the window out').map(([place, message]) =>
    errorAt(document, 'wrong-value', `/spec/window${place}`, message),
  );
  return errors.length > 0 ? errors : checkJitter(document);
}

function checkJitter(document: PatchDocument): readonly SpecError[] {
  const { window } = document.spec;
  if (window?.jitter === undefined) return [];
  // one minute is to be left, or the window would never open
  const most = (lengthMinutes(window) - 1) * 60;
  return checkDuration(document, '/spec/window/jitter', window.jitter, 1, most);
}

function checkDrift(document: PatchDocument): readonly SpecError[] {
  const { drift, window } = document.spec;
  const error = (message: string) => [errorAt(document, 'contradiction', '/spec/drift/action', message)];
  if (drift?.action === 'correct' && window === undefined)
    return error('Updates are installed by themselves only in a window; declare "window", or report them.');
  if (drift?.action === 'report' && window !== undefined)
    return error(
      'In its window this document installs updates by itself; remove "window" to report them only.',
    );
  return [];
}
