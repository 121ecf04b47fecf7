import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Batch, batchPayloads, batchScript } from '../operations/batch.ts';
import { writeFile } from '../operations/path.ts';
import type { Step } from '../plan/step.ts';
import { createSecrets } from '../secrets/secrets.ts';
import type { SecretUse } from '../spec/secrets.ts';
import { maskResult, unpack } from './unsealedBatch.ts';

const TEMPLATE = 'A=‹secret a›\n';
const USES: readonly SecretUse[] = [
  { name: 'a', placeholder: '‹secret a›', ref: { from: 'env', name: 'A' } },
];
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const contentOf = async (hash: string) => (hash === sha256(TEMPLATE) ? Buffer.from(TEMPLATE) : undefined);

function unsealingOf(value: string | undefined) {
  const environment = { DOAAS_SECRET_A: value };
  const places = {
    environment,
    folder: undefined,
    ageKeys: [],
    vault: undefined,
    fingerprintKey: Buffer.alloc(32, 1),
  };
  return createSecrets(places).open(contentOf);
}

async function approved(value: string, uses = USES): Promise<Batch> {
  const { fingerprint } = await unsealingOf(value).unseal(Buffer.from(TEMPLATE), USES);
  const step: Step = {
    kind: 'step',
    id: 'file:/etc/app.env',
    operation: writeFile.operation,
    host: 'web-1',
    params: {
      path: '/etc/app.env',
      sha256: sha256(TEMPLATE),
      mode: '0600',
      owner: 'root',
      group: 'root',
      sealed: { fingerprint, uses },
    },
    dependsOn: [],
    reversible: 'yes',
    disruption: 'none',
    reason: 'change',
    wave: 0,
    document: 'Configuration/app',
    summary: 'app.env',
    diff: '',
    onRemoval: 'restore',
    absent: [],
    before: { 'path:/etc/app.env': 'f'.repeat(64) },
  };
  return { kind: 'batch', run: 'r1-w0', repository: 'o/r', steps: [step] };
}

describe('a batch with secrets', () => {
  test('gets the whole content just before it goes to the server', async () => {
    const unpacked = await unpack(contentOf, await approved('hunter2'), unsealingOf('hunter2'));
    if (unpacked.kind === 'refused') throw new Error(unpacked.message);
    const whole = sha256('A=hunter2\n');
    expect(batchPayloads(unpacked.batch)).toEqual([whole]);
    expect(Buffer.from(unpacked.payloads.get(whole) ?? []).toString()).toBe('A=hunter2\n');
    expect(batchScript(unpacked.batch).text).not.toContain('secret');
  });

  test.each([
    [
      'is another one than was approved',
      'other',
      /were changed since the plan was approved \(fingerprint [0-9a-f]{16}…/,
    ],
    ['cannot be read', undefined, /DOAAS_SECRET_A is not set/],
  ])('is refused when a secret %s', async (_name, value, words) => {
    const unpacked = await unpack(contentOf, await approved('hunter2'), unsealingOf(value));
    expect(unpacked).toMatchObject({
      kind: 'refused',
      passing: false,
      message: expect.stringMatching(words),
    });
    expect(JSON.stringify(unpacked)).not.toMatch(/hunter2|other/);
  });

  test('is never made a script with its placeholders', async () => {
    const batch = await approved('hunter2');
    expect(() => batchScript(batch)).toThrow(/the secrets of \/etc\/app.env have not been filled in/);
  });

  test('is stored with the encrypted files that it needs', async () => {
    const ref = { from: 'age', path: 'a.age', key: 'k', sha256: 'e'.repeat(64) } as const;
    const sealed = await approved('hunter2', [{ name: 'a', placeholder: '‹secret a›', ref }]);
    expect(batchPayloads(sealed)).toEqual([sha256(TEMPLATE), 'e'.repeat(64)]);
  });

  test('has its result masked, whatever the server said', async () => {
    const unsealing = unsealingOf('hunter2');
    await unsealing.learn(USES);
    const event = { at: 1, step: 's', event: 'failed', detail: 'bad hunter2' };
    const result = {
      kind: 'batch-result',
      run: 'r',
      mode: 'apply',
      end: 'failed',
      events: [event],
      output: 'A=hunter2',
    } as const;
    const masked = maskResult(result, unsealing.mask);
    expect(masked.output).toBe('A=‹secret a›');
    expect(masked.events[0]?.detail).toBe('bad ‹secret a›');
  });
});
