/** The part of the contract of types.ts that is about comments on issues. */

import type { RepositoryRef, Request } from './types.ts';

/** What may be asked on a pull request. */
export type CommandName =
  | 'plan'
  | 'apply'
  | 'cancel'
  | 'rollback'
  | 'status'
  | 'security'
  | 'unlock'
  | 'help';

export type IssueCommandName = 'adopt' | 'cancel' | 'status' | 'security' | 'unlock' | 'help';

/** The same, in a comment on an issue. */
export interface IssueRequest extends Omit<Request, 'command'> {
  readonly command: IssueCommandName;
  /** Of the actor's account; stays when it is renamed. Missing in workflows of older engines. */
  readonly actorId?: number;
  /** The comment asks for nothing that can be done; this is the answer. Markdown of ours. */
  readonly mistaken?: string;
}

/** What an answer is given to. */
export type Asked = Pick<Request, 'at' | 'commentId'> & { readonly command: CommandName | IssueCommandName };

/** What came of `adopt`. Sentences may hold words of hosts. */
export type AdoptAnswer =
  | {
      readonly kind: 'adopted';
      readonly pull: number;
      readonly changed: number;
      readonly cannot: number;
      readonly again: boolean;
      /** Hosts that were left out, as a run is to change them. */
      readonly busy?: readonly string[];
    }
  | { readonly kind: 'not-adopted'; readonly reason: string; readonly cannot: readonly string[] };

/** A document whose differences are to be adopted, and the commit that they are differences from. */
export interface AdoptionReading {
  readonly repository: RepositoryRef;
  readonly document: string;
  readonly commit: string;
}

/** Some servers of the document only the workers of these sites reach. */
export interface AdoptElsewhere extends AdoptionReading {
  readonly kind: 'elsewhere';
  readonly sites: readonly string[];
}

/** What the workers of a site found on its servers of a document. */
export interface SiteAdoption {
  readonly site: string;
  /** In the store: contents of files are not for histories. Left out: no worker serves the site. */
  readonly kept?: readonly string[];
  /** Servers that could not be read. */
  readonly unread: readonly string[];
  /** Servers that a run is to change. Missing from workers of older engines. */
  readonly busy?: readonly string[];
}
