import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { RepositoryError } from './error.ts';
import { LOCAL_TIMEOUT_MS } from './limits.ts';

/** An unused process ends after this; the next question starts another. */
const IDLE_MS = 30_000;
/** A header line is `OID TYPE SIZE`; what is longer is none. Bytes. */
const HEADER_MAX_BYTES = 512;

export interface ObjectInfo {
  readonly type: string;
  readonly size: number;
}

export interface GitObject extends ObjectInfo {
  readonly bytes: Buffer;
}

/** Objects by id; those that are not here are left out. Calls throw `RepositoryError`. */
export interface Objects {
  readonly info: (oids: readonly string[]) => Promise<ReadonlyMap<string, ObjectInfo>>;
  /** The caller has bounded what it asks for, by `info`. */
  readonly contents: (oids: readonly string[]) => Promise<ReadonlyMap<string, GitObject>>;
}

interface Question {
  readonly command: 'info' | 'contents';
  left: number;
  readonly found: Map<string, GitObject>;
  readonly resolve: (found: ReadonlyMap<string, GitObject>) => void;
  readonly reject: (error: Error) => void;
}

/** A running `git cat-file` and what it was asked, in order. */
interface Reader {
  readonly child: ChildProcessWithoutNullStreams;
  readonly questions: Question[];
  readonly parser: Parser;
  timer: NodeJS.Timeout | undefined;
}

/** Readers end with the engine, not some moments after it. */
const running = new Set<ChildProcessWithoutNullStreams>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Reads objects through one `git cat-file --batch-command` (git 2.36 or newer) that stays: starting a process from
 * one as large as the engine stops everything else for 2 to 30 ms, and a pull request would need ten of them.
 */
export function gitObjects(dir: string, env: Readonly<Record<string, string>>): Objects {
  let reader: Reader | undefined;
  const end = (ended: Reader, error: Error): void => {
    if (reader === ended) reader = undefined;
    clearTimeout(ended.timer);
    ended.child.kill('SIGKILL');
    for (const question of ended.questions.splice(0)) question.reject(error);
  };
  const start = (): Reader => {
    const child = spawn('git', ['cat-file', '--batch-command'], { cwd: dir, env, stdio: 'pipe' });
    running.add(child);
    child.once('close', () => running.delete(child));
    const started: Reader = { child, questions: [], parser: createParser(), timer: undefined };
    const fail = (why: string): void =>
      end(started, new RepositoryError('git-failed', `Git failed. (git cat-file: ${why})`));
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code, signal) => fail(`ended with ${signal ?? code}`));
    child.stdin.on('error', (error) => fail(error.message));
    child.stderr.resume();
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        started.parser.push(chunk, started.questions);
      } catch (error) {
        fail(error instanceof Error ? error.message : String(error));
      }
      rest(started, end);
    });
    return started;
  };
  const ask = (command: Question['command'], oids: readonly string[]) => {
    if (oids.length === 0) return Promise.resolve(new Map<string, GitObject>());
    reader ??= start();
    const asked = reader;
    return new Promise<ReadonlyMap<string, GitObject>>((resolve, reject) => {
      asked.questions.push({ command, left: oids.length, found: new Map(), resolve, reject });
      rest(asked, end);
      asked.child.stdin.write(oids.map((oid) => `${command} ${oid}\n`).join(''));
    });
  };
  return { info: (oids) => ask('info', oids), contents: (oids) => ask('contents', oids) };
}

/** Sets the time limit that fits: of the question under way, or of having none. An idle process holds nobody back. */
function rest(reader: Reader, end: (reader: Reader, error: Error) => void): void {
  clearTimeout(reader.timer);
  const busy = reader.questions.length > 0;
  const error = new RepositoryError(
    'git-timeout',
    'Git took too long and was stopped; the engine tries again. (git cat-file)',
  );
  reader.timer = setTimeout(() => end(reader, error), busy ? LOCAL_TIMEOUT_MS : IDLE_MS);
  const parts = [reader.child, reader.child.stdin, reader.child.stdout, reader.child.stderr, reader.timer];
  for (const part of parts as readonly { ref?: () => void; unref?: () => void }[]) {
    if (busy) part.ref?.();
    else part.unref?.();
  }
}

interface Parser {
  /** Gives the answers to the questions, the first of them first. Throws on what is no answer. */
  readonly push: (chunk: Buffer, questions: Question[]) => void;
}

interface Pending extends ObjectInfo {
  readonly oid: string;
}

/** `OID TYPE SIZE<LF>`, for `contents` followed by CONTENT<LF>; or `OID missing<LF>`. */
function createParser(): Parser {
  let chunks: Buffer[] = [];
  let held = 0;
  let header: Pending | undefined;
  const take = (): Buffer => {
    const all = chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks);
    chunks = [];
    held = 0;
    return all;
  };
  const keep = (rest: Buffer): void => {
    if (rest.length === 0) return;
    chunks.push(rest);
    held += rest.length;
  };
  const push = (chunk: Buffer, questions: Question[]): void => {
    keep(chunk);
    // a large object comes in many chunks: nothing is joined before all of it is here
    if (header !== undefined && held < header.size + 1) return;
    let rest = take();
    for (let question = questions[0]; question !== undefined; question = questions[0]) {
      if (header === undefined) {
        const line = headerLine(rest);
        if (line === undefined) break;
        rest = rest.subarray(line.length + 1);
        header = parseHeader(line);
        if (header === undefined) {
          answered(questions, question);
          continue;
        }
      }
      const { oid, type, size } = header;
      if (question.command === 'contents') {
        if (rest.length < size + 1) break;
        // copied, so that one object kept in memory does not keep all of them
        question.found.set(oid, { type, size, bytes: Buffer.from(rest.subarray(0, size)) });
        rest = rest.subarray(size + 1);
      } else question.found.set(oid, { type, size, bytes: Buffer.alloc(0) });
      header = undefined;
      answered(questions, question);
    }
    keep(rest);
  };
  return { push };
}

function headerLine(rest: Buffer): string | undefined {
  const end = rest.indexOf(0x0a);
  if (end < 0 && rest.length > HEADER_MAX_BYTES) throw new Error('it answered without end');
  return end < 0 ? undefined : rest.toString('latin1', 0, end);
}

/** Undefined for an object that is not here. */
function parseHeader(line: string): Pending | undefined {
  const [oid = '', type = '', size = ''] = line.split(' ');
  if (type === 'missing') return undefined;
  if (!/^\d+$/.test(size)) throw new Error(`it answered "${line.slice(0, 80)}"`);
  return { oid, type, size: Number(size) };
}

function answered(questions: Question[], question: Question): void {
  question.left -= 1;
  if (question.left > 0) return;
  questions.shift();
  question.resolve(question.found);
}
