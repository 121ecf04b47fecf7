import type { PathState } from '../../../facts/path.ts';
import { childPointer } from '../../../spec/pointer.ts';
import type { FileSource } from '../../../spec/types.generated.ts';
import { type Edit, set } from '../../adoption.ts';
import { looksPrivate } from '../../privateText.ts';

type Text =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'cannot'; readonly why: string };

/** Characters that `content` may have; the schema's bound. */
const CONTENT_MAX = 262_144;

/** What a file holds, where a pull request may show it. */
export function shownText(path: string, now: Extract<PathState, { type: 'file' }>): Text {
  const no = (why: string): Text => ({ kind: 'cannot', why });
  if (now.content === undefined)
    return no(
      `not every user of the server may read ${path}, or it is larger than 256 KiB, so what it holds is not shown`,
    );
  const bytes = Buffer.from(now.content, 'base64');
  const text = bytes.toString('utf8');
  if (text.includes('\0') || !Buffer.from(text, 'utf8').equals(bytes))
    return no(`${path} is no text in UTF-8`);
  if (text.length > CONTENT_MAX) return no(`${path} is too long for a document`);
  if (looksPrivate(text))
    return no(
      `${path} holds what looks like a key, a token or a password, which a repository must not hold; use a secretRef`,
    );
  return { kind: 'text', text };
}

/** Where a document's text comes from, that is where the new one goes. */
export function textEdit(
  source: Pick<FileSource, 'content' | 'source' | 'template'>,
  pointer: string,
  text: string,
): Edit | { readonly kind: 'cannot'; readonly why: string } {
  if (source.content !== undefined) return set(childPointer(pointer, 'content'), text);
  if (source.source !== undefined) return { kind: 'write', path: source.source, text };
  const name = source.template ?? '';
  return {
    kind: 'cannot',
    why: `its text comes from the template ${name}, which may serve others too; change that by hand`,
  };
}
