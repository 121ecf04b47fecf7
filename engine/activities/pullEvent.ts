import type { Account } from '../policy/account.ts';
import type { Request } from './types.ts';

/** What became of a comment that says of an override. */
export interface NoticeChange {
  /** Whoever did it. */
  readonly by: string;
  /** The comment with the command that it says of. */
  readonly notice: number;
  /** Tells it from others: `deleted 17 2026-01-01T00:00:00Z`. */
  readonly change: string;
  /** The comment that was changed; missing in signals of an older engine. */
  readonly commentId?: number;
}

/** Something happened on GitHub. Only a hint: what is true is read from GitHub. */
export type PullEvent =
  /** Opened, pushed to, edited, reopened, closed: look again. */
  | { readonly kind: 'changed'; readonly pushedBy?: Account }
  /** A review, or the gate may have opened by itself. */
  | { readonly kind: 'reviewed' }
  /** Checks of others have ended. */
  | { readonly kind: 'checked' }
  /** `servers`: so did what its servers are, and a plan of the same base is another one now. */
  | { readonly kind: 'base-moved'; readonly servers?: true }
  /** Somebody edited or deleted a comment of ours that is to stand for good. */
  | ({ readonly kind: 'notice-changed' } & NoticeChange)
  | { readonly kind: 'asked'; readonly request: Request }
  /** A comment begins with /doaas but is no command; the text says what to do. */
  | { readonly kind: 'misspelt'; readonly request: Request; readonly text: string };
