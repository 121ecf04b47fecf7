import { createHash } from 'node:crypto';
import { lines, type Sh, sh } from '../shell/sh.ts';
import { encodeKey, type Fact, FactError, itemKey } from './fact.ts';
import { itemDir } from './owned.ts';

/** A script of the user's, by its name. */
export interface UserScriptQuery {
  readonly fact: 'script';
  readonly key: string;
}

export type UserScriptState =
  | { readonly present: false }
  | {
      readonly present: true;
      /** `scriptDigest` of the texts that ran here last. */
      readonly digest: string;
      /** Exit status of that text's check; 124 when it took too long. */
      readonly check: number;
    };

export interface ScriptTexts {
  readonly check: string;
  readonly apply: string;
  readonly undo?: string;
}

/** Longest time that a check may take while facts are read, seconds. */
const CHECK_SECONDS = 30;

/** sha256 (hex) over all texts. */
export function scriptDigest(texts: ScriptTexts): string {
  const parts = [texts.check, texts.apply, texts.undo ?? null];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Where the host keeps the texts that it ran: check, apply, undo, digest, ran. */
export function scriptDir(name: string): string {
  return `${itemDir(itemKey('script', name))}/script`;
}

/** Only the given environment; no input; nothing of the engine's own variables. */
export const CLEAN_SH: Sh = {
  kind: 'sh',
  text: 'env -i -C / PATH="$PATH" HOME=/root LC_ALL=C.UTF-8 sh -eu',
};

/**
 * No text of a pull request runs before its approval: only the check that the host recorded when an approved run
 * brought it. Whoever changes the text gets a step that says so. The exit status is informational, so the state that
 * a plan is bound to is the recorded text.
 */
const FUNCTION: Sh = {
  kind: 'sh',
  text: `doaas_script() { # DIRECTORY
  if [ ! -f "$1/digest" ]; then echo absent; return 0; fi
  l=; read -r l < "$1/digest" || :; echo "script $l"
  r=0; timeout -k 2 ${CHECK_SECONDS} ${CLEAN_SH.text} "$1/check" < /dev/null > /dev/null 2>&1 || r=$?; echo "~ check $r"
}`,
};

export const userScriptFact: Fact<UserScriptQuery, UserScriptState> = {
  fact: 'script',
  read: (queries) =>
    lines(
      FUNCTION,
      ...queries.map((q) => sh`echo ${`= ${encodeKey(q.key)}`}; doaas_script ${scriptDir(q.key)}`),
    ),
  parse: (output, query) => {
    const [type, digest = ''] = (output[0] ?? '').split(' ');
    if (type === 'absent') return { present: false };
    const check = output.map((line) => /^~ check (\d+)$/.exec(line)?.[1]).find((n) => n !== undefined);
    if (type !== 'script' || !/^[0-9a-f]{64}$/.test(digest) || check === undefined)
      throw new FactError(`the host answered a state of the script ${query.key} that is not understood`);
    return { present: true, digest, check: Number(check) };
  },
};
