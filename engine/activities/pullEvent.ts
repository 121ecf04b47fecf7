import type { Account } from '../policy/account.ts';
import type { Request } from './types.ts';

/** Something happened on GitHub. Only a hint: what is true is read from GitHub. */
export type PullEvent =
  /** Opened, pushed to, edited, reopened, closed: look again. */
  | { readonly kind: 'changed'; readonly pushedBy?: Account }
  /** A review, or the gate may have opened by itself. */
  | { readonly kind: 'reviewed' }
  /** Checks of others have ended. */
  | { readonly kind: 'checked' }
  | { readonly kind: 'base-moved' }
  /** Somebody edited or deleted a comment of ours that is to stand for good. */
  | { readonly kind: 'notice-changed'; readonly by: string }
  | { readonly kind: 'asked'; readonly request: Request }
  /** A comment begins with /doaas but is no command; the text says what to do. */
  | { readonly kind: 'misspelt'; readonly request: Request; readonly text: string };
