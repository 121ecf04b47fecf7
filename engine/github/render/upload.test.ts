import { expect, test } from 'vitest';
import type { UploadOutcome } from '../codeScanning.ts';
import { type HandedOver, renderUpload } from './upload.ts';

const DONE: UploadOutcome = { kind: 'uploaded', id: '1', processed: true };
const all = (findings: number): HandedOver => ({ findings, handedOver: findings, earlier: 0 });

test.each([
  [DONE, all(12), '12 findings stand under **Security > Code scanning**.'],
  [
    DONE,
    { findings: 12_500, handedOver: 3_125, earlier: 0 },
    '3125 of 12500 findings, the worst, stand under **Security > Code scanning**.',
  ],
  [
    DONE,
    { findings: 30_000, handedOver: 25_000, earlier: 0 },
    '25000 of 30000 findings, the worst, stand under **Security > Code scanning**. GitHub keeps 5000 of what it is given, the worst.',
  ],
  [
    { ...DONE, processed: false },
    { ...all(2), earlier: 1 },
    '2 findings were taken by GitHub, which has not processed them yet; they come under **Security > Code scanning**. Of all, 1 could not be looked at again and stand as they were seen last.',
  ],
] as const)('%j, %j', (upload, handed, text) => {
  expect(renderUpload(upload, handed)).toBe(`Uploaded for code scanning: ${text}`);
});

test('what GitHub says is no markup', () => {
  const upload: UploadOutcome = { kind: 'not-uploaded', reason: '@all <b>', lasting: false };
  expect(renderUpload(upload, all(1))).toMatch(/^Not uploaded for code scanning: (?!.*<b>)/);
});
