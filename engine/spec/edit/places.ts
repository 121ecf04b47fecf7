import {
  COLLECTION_STYLE,
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
} from 'js-yaml';
import { MAX_YAML_DEPTH } from '../limits.ts';
import { childPointer } from '../pointer.ts';
import { scalarRange } from '../scalar.ts';

/** Where a value stands in a YAML text: offsets in UTF-16 units. */
export interface Place {
  readonly kind: 'scalar' | 'block-scalar' | 'map' | 'list' | 'alias';
  /** A collection: the first character of it (`{`, or its first key). */
  readonly start: number;
  /** Behind its last character; of a block, without the line's end. */
  readonly end: number;
  /** Of a map or list written in braces. Of a scalar: it stands within one. */
  readonly flow: boolean;
  /** Behind the `:` of its key; -1 where there is none. */
  readonly afterKey: number;
  /** Column of its key, or of its first key for a map: blanks before it. */
  readonly indent: number;
  readonly empty: boolean;
}

interface Walk {
  readonly text: string;
  readonly events: readonly Event[];
  readonly places: Map<string, Place>;
  next: number;
  last: number;
}

/** Every value of each document by JSON pointer, in the order of the documents. The text must be valid YAML. */
export function placesOf(text: string): readonly ReadonlyMap<string, Place>[] {
  const events = parseEvents(text, { maxDepth: MAX_YAML_DEPTH });
  const documents: ReadonlyMap<string, Place>[] = [];
  for (let next = 0; next < events.length; ) {
    const walk: Walk = { text, events, places: new Map(), next: next + 1, last: 0 };
    if (events[walk.next]?.type !== EVENT_ID.POP) {
      visit(walk, '', { afterKey: -1, indent: 0, flow: false });
      documents.push(walk.places);
    }
    next = walk.next + 1;
  }
  return documents;
}

type Around = Pick<Place, 'afterKey' | 'indent' | 'flow'>;

function visit(walk: Walk, pointer: string, around: Around): Place {
  const event = walk.events[walk.next++];
  const place = placeOf(walk, event, pointer, around);
  walk.places.set(pointer, place);
  walk.last = Math.max(walk.last, place.end);
  return place;
}

function placeOf(walk: Walk, event: Event | undefined, pointer: string, around: Around): Place {
  switch (event?.type) {
    case EVENT_ID.SCALAR:
      return scalarPlace(walk, event, around);
    case EVENT_ID.ALIAS:
      return { kind: 'alias', start: event.anchorStart - 1, end: event.anchorEnd, empty: false, ...around };
    case EVENT_ID.SEQUENCE:
    case EVENT_ID.MAPPING:
      return collectionPlace(walk, event, pointer, around);
    default:
      throw new Error('the text is not valid YAML');
  }
}

function scalarPlace({ text, last }: Walk, event: ScalarEvent, around: Around): Place {
  const { start, end } = scalarRange(text, event, last);
  const block = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK;
  if (!block) return { kind: 'scalar', start, end, empty: start === end, ...around };
  const from = Math.max(around.afterKey, 0);
  const header = text.slice(from, event.valueStart).search(/[|>]/);
  return { kind: 'block-scalar', start: header === -1 ? start : from + header, end, empty: false, ...around };
}

function collectionPlace(
  walk: Walk,
  event: Extract<Event, { style: number; start: number }>,
  pointer: string,
  around: Around,
): Place {
  const { text } = walk;
  const map = event.type === EVENT_ID.MAPPING;
  const flow = 'style' in event && event.style === COLLECTION_STYLE.FLOW;
  let items = 0;
  walk.last = Math.max(walk.last, flow ? event.start + 1 : event.start);
  while (walk.events[walk.next]?.type !== EVENT_ID.POP) {
    if (map) visitEntry(walk, pointer, flow);
    else visit(walk, childPointer(pointer, items), { afterKey: -1, indent: 0, flow });
    items += 1;
  }
  walk.next += 1;
  const end = flow ? closing(text, walk.last, map ? '}' : ']') : walk.last;
  const indent = flow ? around.indent : columnOf(text, event.start);
  return {
    kind: map ? 'map' : 'list',
    start: event.start,
    end,
    flow,
    empty: items === 0,
    afterKey: around.afterKey,
    indent,
  };
}

function visitEntry(walk: Walk, pointer: string, flow: boolean): void {
  const { text } = walk;
  const key = walk.events[walk.next++];
  if (key?.type !== EVENT_ID.SCALAR) throw new Error('the text is not valid YAML');
  const range = scalarRange(text, key, walk.last);
  const colon = text.indexOf(':', range.end);
  const child = childPointer(pointer, getScalarValue(text, key));
  walk.last = Math.max(walk.last, range.end);
  visit(walk, child, { afterKey: colon + 1, indent: columnOf(text, range.start), flow });
}

/** Behind the bracket that closes a collection in braces: between its last value and it stand blanks, commas and comments. */
function closing(text: string, from: number, bracket: string): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === bracket) return at + 1;
    if (text[at] === '#') at = text.indexOf('\n', at) === -1 ? text.length : text.indexOf('\n', at);
  }
  return text.length;
}

function columnOf(text: string, offset: number): number {
  return offset - (Math.max(text.lastIndexOf('\n', offset - 1), text.lastIndexOf('\r', offset - 1)) + 1);
}
