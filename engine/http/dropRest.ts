import type { IncomingMessage } from 'node:http';

/**
 * Reads what a sender still writes, and keeps nothing of it: one that is cut off in the middle of its body sees a broken
 * connection instead of the answer. Resolves at the body's end, after `bytesMax`, or when the connection ends, which the
 * server's request timeout sees to.
 */
export function dropRest(request: IncomingMessage, bytesMax: number): Promise<void> {
  if (request.readableEnded || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let dropped = 0;
    const done = (): void => {
      request.off('data', count).pause();
      resolve();
    };
    const count = (chunk: Buffer): void => {
      dropped += chunk.length;
      if (dropped >= bytesMax) done();
    };
    request.on('data', count).once('end', done).once('close', done).resume();
  });
}
