import { describe, expect, test } from 'vitest';
import { limiter } from '../limit.ts';
import { frame, readyParser } from './bootstrap.ts';
import { excerpt } from './host-error.ts';
import { fingerprint, formatHostKey, hostKeyAlgorithms, parseHostKey } from './host-key.ts';
import { cappedOutput, LINE_MAX_CHARS, lineSplitter } from './output.ts';
import { type HostTarget, needsSudo, targetKey } from './target.ts';

// Key and fingerprint as `ssh-keygen -l` prints them for GitHub's published ed25519 key.
const GITHUB = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl comment';

describe('host keys', () => {
  test('a key line is parsed, printed and fingerprinted', () => {
    const key = parseHostKey(GITHUB);
    expect(key?.type).toBe('ssh-ed25519');
    expect(formatHostKey(key?.blob ?? Buffer.alloc(0))).toBe(GITHUB.replace(' comment', ''));
    expect(fingerprint(key?.blob ?? Buffer.alloc(0))).toBe(
      'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU',
    );
  });
  test.each(['', 'ssh-ed25519', 'ssh-rsa AAAAC3NzaC1lZDI1NTE5', 'ssh-ed25519 !!!!', 'x /////w=='])(
    'refuses %j',
    (line) => {
      expect(parseHostKey(line)).toBeUndefined();
    },
  );
  test('the pinned type is asked for first', () => {
    const key = parseHostKey(GITHUB);
    const order = hostKeyAlgorithms(key === undefined ? [] : [key], [
      'rsa-sha2-512',
      'ssh-ed25519',
      'ecdsa-sha2-nistp256',
    ]);
    expect(order).toEqual(['ssh-ed25519', 'rsa-sha2-512', 'ecdsa-sha2-nistp256']);
  });
});

describe('the frame and the ready line', () => {
  test('sizes are of bytes, not of characters', () => {
    const framed = frame({ kind: 'sh', text: 'echo ä' }, Buffer.from('p')).toString();
    expect(framed).toBe('8 1\necho ä\np');
    expect(() => frame({ kind: 'sh', text: '\0' }, Buffer.alloc(0))).toThrow(/NUL/);
  });
  test('is found byte by byte behind what a login shell prints, and what follows is kept', () => {
    const parser = readyParser();
    const all = Buffer.from('Welcome!\nno doaas-ready 1 2 here\ndoaas-ready 4711 99\nout\n');
    const rest = [...all].map((byte) => parser.push(Buffer.from([byte])).toString()).join('');
    expect(rest).toBe('out\n');
    expect(parser.session()).toEqual({ id: 4711, start: 99 });
  });
  test('endless noise is an error', () => {
    expect(() => readyParser().push(Buffer.alloc(70_000, 'x'))).toThrow(/without end/);
  });
});

describe('output', () => {
  test('is cut at the bound, and only what is over it counts as cut', () => {
    const output = cappedOutput(4);
    output.push(Buffer.from('abcd'));
    expect([output.text(), output.truncated()]).toEqual(['abcd', false]);
    output.push(Buffer.from('e'));
    expect([output.text(), output.truncated()]).toEqual(['abcd', true]);
  });
  test('lines are whole across chunks and characters, long ones cut once', () => {
    const seen: string[] = [];
    const split = lineSplitter((line) => seen.push(line));
    for (const byte of Buffer.from('ä1\n\nb')) split.push(Buffer.from([byte]));
    split.end();
    split.push(Buffer.from(`${'x'.repeat(LINE_MAX_CHARS + 5)}\nnext\n`));
    split.end();
    expect(seen).toEqual(['ä1', '', 'b', 'x'.repeat(LINE_MAX_CHARS), 'next']);
  });
  test('host output in a message is one printable line', () => {
    expect(excerpt(' a\u001b[31m\nb\u202e ')).toBe('a [31m b');
    expect(excerpt('x'.repeat(1000)).length).toBeLessThan(310);
  });
});

test('the limiter never runs more than its bound and survives failures', async () => {
  const limit = limiter(2);
  let running = 0;
  let most = 0;
  const work = (fails: boolean) =>
    limit(async () => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      if (fails) throw new Error('x');
    });
  await Promise.allSettled([true, false, true, false, false].map(work));
  expect([most, running]).toEqual([2, 0]);
});

test('a target shares its connection only with the same place, user and keys', () => {
  const base: HostTarget = {
    name: 'a',
    address: 'x',
    port: 22,
    user: 'u',
    hostKeys: ['k1', 'k2'],
    become: 'sudo',
    site: 's',
  };
  const key = targetKey(base);
  expect(targetKey({ ...base, name: 'b', hostKeys: ['k2', 'k1'], become: 'none' })).toBe(key);
  for (const change of [
    { address: 'y' },
    { port: 23 },
    { user: 'v' },
    { hostKeys: ['k1'] },
    { jump: base },
  ]) {
    expect(targetKey({ ...base, ...change })).not.toBe(key);
  }
  expect([
    needsSudo(base, undefined),
    needsSudo(base, false),
    needsSudo({ ...base, user: 'root' }, true),
  ]).toEqual([true, false, false]);
});
