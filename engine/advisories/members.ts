/** One member of a JSON object, parsed. */
export type Member = readonly [name: string, value: unknown];

/**
 * The members of one large JSON object (RFC 8259), one after the other, so that never more than one is in memory. Throws where the text is no
 * object, ends too soon, or has a member of more than `maxCharacters`.
 */
export async function* membersOf(
  chunks: AsyncIterable<string>,
  maxCharacters: number,
): AsyncGenerator<Member> {
  const cutter = memberCutter(maxCharacters);
  for await (const chunk of chunks) for (const text of cutter.push(chunk)) yield memberIn(text);
  if (!cutter.isOver()) throw new Error('the JSON object is cut off');
}

function memberIn(text: string): Member {
  const [member] = Object.entries(JSON.parse(`{${text}}`) as Record<string, unknown>);
  if (member === undefined) throw new Error('a member of the JSON object is empty');
  return member;
}

interface Cutter {
  /** Texts of members that are complete with this chunk: `"name": value`. */
  readonly push: (chunk: string) => readonly string[];
  readonly isOver: () => boolean;
}

/** Follows depth and strings only; what stands between is for JSON.parse. */
function memberCutter(maxCharacters: number): Cutter {
  let depth = 0;
  let quoted = false;
  let escaped = false;
  let over = false;
  let member = '';
  const push = (chunk: string): readonly string[] => {
    const complete: string[] = [];
    let from = 0;
    const take = (to: number): void => {
      member += chunk.slice(from, to);
      from = to + 1;
      if (member.length > maxCharacters)
        throw new Error(`a member of the JSON object has more than ${maxCharacters} characters`);
    };
    const end = (at: number): void => {
      take(at);
      if (member.trim() !== '') complete.push(member);
      member = '';
    };
    for (let at = 0; at < chunk.length; at++) {
      const c = chunk[at];
      if (quoted) {
        if (escaped) escaped = false;
        else if (c === '\\') escaped = true;
        else if (c === '"') quoted = false;
      } else if (c === '"') quoted = true;
      else if (c === '{' || c === '[') {
        depth += 1;
        if (depth === 1) from = at + 1;
      } else if (c === '}' || c === ']') {
        depth -= 1;
        if (depth === 0) end(at);
        over = depth === 0;
      } else if (c === ',' && depth === 1) end(at);
    }
    if (depth > 0) take(chunk.length);
    return complete;
  };
  return { push, isOver: () => over };
}
