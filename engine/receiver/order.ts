import type { Outbound } from '../store/inbox.ts';
import type { StoreLocation } from '../store/store.ts';

/** What the receiver's thread is told at its start: plain data, so secrets are revealed here; it stays in this process. */
export interface ReceiverOrder {
  readonly inbox: StoreLocation;
  readonly host: string;
  readonly port: number;
  readonly logLevel: string;
  readonly secrets: readonly string[];
  readonly appId: number;
  readonly concurrency: number;
  readonly bodyLimitBytes: number;
  /** Whether signed links to whole plans are served. */
  readonly plans: boolean;
  /** Parts of the main thread that `/readyz` asks for. */
  readonly parts: readonly string[];
}

/** What the receiver's thread asks of the main one. */
export interface MainFunctions {
  readonly listening: (url: string) => Promise<void>;
  /** Something new is in the inbox. */
  readonly arrived: () => Promise<void>;
  readonly planText: (digest: string) => Promise<string | undefined>;
  /** Rejects with a sentence while that part does not work. */
  readonly check: (part: string) => Promise<void>;
  /** The main thread's own metrics, in Prometheus' text format. */
  readonly metrics: () => Promise<string>;
}

/** What the main thread asks of the receiver's. */
export type ReceiverFunctions = Outbound & {
  /** Answers what is in flight, then ends. */
  readonly close: () => Promise<void>;
};
