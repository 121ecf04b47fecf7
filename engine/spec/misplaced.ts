import { pointerSegments } from './pointer.ts';
import { propertiesOf } from './schemas.ts';

/** Where a property that is unknown at its place is known, as the end of `it belongs ...`; undefined: nowhere. */
export function placeOfProperty(kind: string, name: string, instancePath: string): string | undefined {
  const { document, metadata, spec } = propertiesOf(kind);
  const [top, section] = pointerSegments(instancePath);
  if (section !== undefined) return spec.includes(name) ? 'in "spec", indented less' : undefined;
  if (top !== 'spec' && spec.includes(name)) return 'in "spec"';
  if (top !== 'metadata' && metadata.includes(name)) return 'in "metadata"';
  if (top !== undefined && document.includes(name)) return `beside "${top}", not in it`;
  return undefined;
}

/** An entry that has the name of a section was most likely meant to be one, so its mistakes are no help. */
export function sectionWithin(kind: string, instancePath: string): string | undefined {
  const [, section, entry] = pointerSegments(instancePath);
  if (section === undefined || entry === undefined || !propertiesOf(kind).spec.includes(entry))
    return undefined;
  return `; is "${entry}" to be a section of its own? Then indent it as "${section}" is`;
}
