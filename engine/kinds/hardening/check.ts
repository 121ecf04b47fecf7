import { errorAt, errorAtKey, type PlannedDocument } from '../../spec/documents.ts';
import type { SpecError } from '../../spec/manifest.ts';
import { didYouMean } from '../../spec/nearest.ts';
import { CONTROLS, controlNamed, controlsOf } from './catalogue.ts';

type HardeningDocument = PlannedDocument<'Hardening'>;

/** What the schema cannot say: which controls there are, and whether what is said of one means anything. */
export function checkHardening(document: HardeningDocument): readonly SpecError[] {
  const { overrides = {}, waivers = {} } = document.spec;
  return [
    ...Object.keys(overrides).flatMap((id) => checkOverride(document, id)),
    ...Object.entries(waivers).flatMap(([id, { expires }]) => checkWaiver(document, id, expires)),
  ];
}

function checkOverride(document: HardeningDocument, id: string): readonly SpecError[] {
  const pointer = `/spec/overrides/${id}`;
  if (Object.hasOwn(document.spec.waivers ?? {}, id)) {
    const message = `The control ${id} is waived, so its value means nothing; keep one of the two.`;
    return [errorAtKey(document, 'contradiction', pointer, message)];
  }
  return outsideProfile(document, pointer, id);
}

function checkWaiver(document: HardeningDocument, id: string, expires: string): readonly SpecError[] {
  const pointer = `/spec/waivers/${id}`;
  if (controlNamed(id) === undefined) return [unknown(document, pointer, id)];
  if (isDay(expires)) return outsideProfile(document, pointer, id);
  const message = `${expires} is no day of the calendar; write year, month and day, such as "2027-01-31".`;
  return [errorAt(document, 'wrong-value', `${pointer}/expires`, message)];
}

function unknown(document: HardeningDocument, pointer: string, id: string): SpecError {
  const ids = CONTROLS.map((control) => control.id);
  return errorAtKey(
    document,
    'unknown-control',
    pointer,
    `Unknown control ${JSON.stringify(id)}${didYouMean(id, ids)}`,
  );
}

function outsideProfile(document: HardeningDocument, pointer: string, id: string): readonly SpecError[] {
  const { profile = 'baseline' } = document.spec;
  if (controlsOf(profile).some((control) => control.id === id)) return [];
  const message = `The control ${id} is not in the profile ${profile}; set "profile: strict" or remove this.`;
  return [errorAtKey(document, 'wrong-value', pointer, message)];
}

function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
