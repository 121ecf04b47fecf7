import type { Client } from '@temporalio/client';
import type { Config } from '../config/config.ts';
import type { GitHub } from '../github/client.ts';
import type { Transport } from '../hosts/session.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';
import type { Revisions } from './revisions.ts';

/** The parts that activities are bound to; made once in main.ts. */
export interface Engine {
  readonly config: Pick<Config, 'publicUrl' | 'botName' | 'hostOutageSeconds'>;
  readonly store: Store;
  readonly transport: Transport;
  readonly github: GitHub;
  readonly revisions: Revisions;
  readonly temporal: Pick<Client, 'workflow'>;
  readonly log: Logger;
}
