import type { IncomingMessage } from 'node:http';
import { errorCodes } from 'fastify';

/** Of all bodies that the process holds at once: five of GitHub's largest, and thousands as they mostly are. */
export const BODIES_BYTES_MAX = 128 * 1024 * 1024;
/** What a chunk takes in memory beside its bytes; a sender can make each of them hold one byte. */
const CHUNK_BYTES = 256;

/** In the place of a body for which there was no room. What its sender still writes was not read. */
export const NO_ROOM = Symbol('no room for the body');

export interface BodyBounds {
  /** Of one body. */
  readonly oneMax: number;
  /** Of all that are held. */
  readonly allMax: number;
}

/** Bodies of requests that are not answered yet. */
export interface Bodies {
  /** Reads one, with what it holds counted as it arrives: what a sender only announces takes room from nobody. */
  readonly read: (request: IncomingMessage) => Promise<Buffer | typeof NO_ROOM>;
  /** To be called once the request is answered, or its connection gone. */
  readonly release: (request: IncomingMessage) => void;
}

/** `read` rejects as Fastify does for a body that is too large, or that does not come to its end. */
export function createBodies({ oneMax, allMax }: BodyBounds): Bodies {
  const held = new Map<IncomingMessage, number>();
  let all = 0;
  const release = (request: IncomingMessage): void => {
    all -= held.get(request) ?? 0;
    held.delete(request);
  };
  const take = (request: IncomingMessage, bytes: number): boolean => {
    if (all + bytes > allMax) return false;
    all += bytes;
    held.set(request, (held.get(request) ?? 0) + bytes);
    return true;
  };
  const read = (request: IncomingMessage): Promise<Buffer | typeof NO_ROOM> =>
    new Promise((resolve, reject) => {
      let chunks: Buffer[] = [];
      let length = 0;
      const stop = (): void => {
        request.off('data', onData).off('end', onEnd).off('error', onCut).off('close', onCut).pause();
      };
      const drop = (): void => {
        stop();
        chunks = [];
        release(request);
      };
      const onData = (chunk: Buffer): void => {
        length += chunk.length;
        if (length > oneMax) {
          drop();
          reject(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
        } else if (take(request, chunk.length + CHUNK_BYTES)) {
          chunks.push(chunk);
        } else {
          drop();
          resolve(NO_ROOM);
        }
      };
      const onEnd = (): void => {
        stop();
        resolve(Buffer.concat(chunks, length));
      };
      const onCut = (): void => {
        drop();
        reject(new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH());
      };
      if (Number(request.headers['content-length']) > oneMax)
        return reject(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
      return void request.on('data', onData).on('end', onEnd).on('error', onCut).on('close', onCut).resume();
    });
  return { read, release };
}
