import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { Config } from '../config/config.ts';
import type { Logger } from '../log.ts';
import { encryptionCodec } from './codec.ts';

export type TemporalConfig = Pick<
  Config,
  | 'temporalNamespace'
  | 'temporalApiKey'
  | 'temporalTlsCa'
  | 'temporalTlsCert'
  | 'temporalTlsKey'
  | 'temporalTlsServerName'
  | 'encryptionKey'
  | 'encryptionKeyPrevious'
  | 'encryptionAcceptPlain'
>;

/** The server is not there, or refuses; the message says what to do. */
export class TemporalUnavailable extends Error {
  readonly type = 'temporal-unavailable';
}

/** One try to connect. */
const CONNECT_TIMEOUT_MS = 3000;
/** A refused connection uses its whole time too, and pauses grow by half each: some 23 s in all. */
const CONNECT_TRIES = 5;
const FIRST_PAUSE_MS = 1000;
/** After a long outage gRPC would wait two minutes before it looks again. */
const RECONNECT_MAX_MS = 2000;

/**
 * A client that has reached the server and its namespace. Tries for a bounded time, then throws `TemporalUnavailable`. `address`: HOST:PORT. The caller closes
 * `client.connection`.
 */
export async function connectTemporal(
  config: TemporalConfig,
  address: string,
  log: Logger,
  tries = CONNECT_TRIES,
): Promise<Client> {
  const options = await connectionOptions(config, address);
  for (let attempt = 1; ; attempt++) {
    try {
      return await connectOnce(config, options);
    } catch (error) {
      if (attempt >= tries || !isWorthRetrying(error)) throw unavailable(config, address, attempt, error);
      const pauseMs = FIRST_PAUSE_MS * 1.5 ** (attempt - 1);
      log.warn({ address, attempt, pauseMs, reason: reasonOf(error) }, 'Temporal does not answer yet');
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** Also part of the workflow bundle. */
export const FAILURE_CONVERTER = fileURLToPath(
  new URL('../../workflows/failureConverter.cjs', import.meta.url),
);

/** For the client and the worker: both must encrypt the same. Undefined: payloads are not encrypted. */
export function dataConverter(config: TemporalConfig): DataConverter | undefined {
  const { encryptionKey: current, encryptionKeyPrevious: previous, encryptionAcceptPlain } = config;
  if (current === undefined) return undefined;
  const keys = { current, previous, acceptPlain: encryptionAcceptPlain === 'yes' };
  return { payloadCodecs: [encryptionCodec(keys)], failureConverterPath: FAILURE_CONVERTER };
}

/** Address, TLS and key, of the form that `Connection.connect` and the worker's `NativeConnection.connect` take. */
export async function connectionOptions(config: TemporalConfig, address: string) {
  const tls = await tlsOf(config);
  const apiKey = config.temporalApiKey?.reveal();
  return { address, ...(tls === undefined ? {} : { tls }), ...(apiKey === undefined ? {} : { apiKey }) };
}

async function tlsOf(config: TemporalConfig) {
  const { temporalTlsCa, temporalTlsCert, temporalTlsKey, temporalTlsServerName } = config;
  const ca =
    temporalTlsCa === undefined
      ? {}
      : { serverRootCACertificate: await readPem('TEMPORAL_TLS_CA', temporalTlsCa) };
  const pair =
    temporalTlsCert === undefined || temporalTlsKey === undefined
      ? {}
      : {
          clientCertPair: {
            crt: await readPem('TEMPORAL_TLS_CERT', temporalTlsCert),
            key: await readPem('TEMPORAL_TLS_KEY', temporalTlsKey),
          },
        };
  const name = temporalTlsServerName === undefined ? {} : { serverNameOverride: temporalTlsServerName };
  const tls = { ...ca, ...pair, ...name };
  return Object.keys(tls).length === 0 && config.temporalApiKey === undefined ? undefined : tls;
}

async function readPem(setting: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new TemporalUnavailable(
      `The file that ${setting} names cannot be read: ${path} (${codeOf(error)}).`,
    );
  }
}

async function connectOnce(config: TemporalConfig, options: ConnectionOptions): Promise<Client> {
  const connection = await Connection.connect({
    ...options,
    connectTimeout: CONNECT_TIMEOUT_MS,
    channelArgs: { 'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS },
  });
  try {
    await connection.withDeadline(Date.now() + CONNECT_TIMEOUT_MS, () =>
      connection.workflowService.describeNamespace({ namespace: config.temporalNamespace }),
    );
    const converter = dataConverter(config);
    return new Client({
      connection,
      namespace: config.temporalNamespace,
      ...(converter === undefined ? {} : { dataConverter: converter }),
    });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** gRPC status codes that another try does not change (grpc.io, "Status codes"). */
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

function isWorthRetrying(error: unknown): boolean {
  const code = codeOf(error);
  return code !== NOT_FOUND && code !== PERMISSION_DENIED && code !== UNAUTHENTICATED;
}

function unavailable(
  config: TemporalConfig,
  address: string,
  tries: number,
  error: unknown,
): TemporalUnavailable {
  const code = codeOf(error);
  if (code === NOT_FOUND) {
    const create = `temporal operator namespace create --address ${address} -n ${config.temporalNamespace}`;
    return new TemporalUnavailable(
      `Temporal at ${address} has no namespace ${config.temporalNamespace}. Create it: ${create}`,
    );
  }
  if (code === PERMISSION_DENIED || code === UNAUTHENTICATED) {
    return new TemporalUnavailable(
      `Temporal at ${address} refuses the engine (${reasonOf(error)}). Check TEMPORAL_API_KEY or TEMPORAL_TLS_*.`,
    );
  }
  return new TemporalUnavailable(
    `Temporal does not answer at ${address} after ${tries} tries (${reasonOf(error)}). Start it, correct TEMPORAL_ADDRESS, or unset it to use the embedded server.`,
  );
}

function codeOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error) return error.code;
  return 'cause' in error ? codeOf(error.cause) : undefined;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
