import type { Readings } from '../facts/fact.ts';
import type { Mask } from '../spec/secrets.ts';
import type { HostPlan } from './step.ts';

/** Of all secrets of a host, and of those alone of which something stands in a text. */
interface Masks {
  readonly mask: Mask;
  readonly maskOfThoseIn: (said: string) => Mask;
}

/** Characters that are searched for what the host showed; where it says more, all that is known is taken out. */
const SAID_MAX = 4_000_000;

/**
 * Takes the values of secrets out of words that quote a host. A value that the host did not show stays: it is the repository's own
 * text, and whoever guesses one there must not be told that it is right.
 */
export function maskOfQuotes({ mask, maskOfThoseIn }: Masks, readings: Readings): Mask {
  const maskOfSaid = (said: string): Mask => (said.length > SAID_MAX ? mask : maskOfThoseIn(said));
  let ofThose: Mask | undefined;
  return (text) => {
    if (mask(text) === text) return text;
    ofThose ??= maskOfSaid(saidBy(readings));
    return ofThose(text);
  };
}

/** What the host said, with contents of files as they are. */
function saidBy(readings: Readings): string {
  return [...readings.values()]
    .flatMap(({ raw, state }) => [raw, JSON.stringify(state) ?? '', ...filesIn(state)])
    .join('\n');
}

function filesIn(state: unknown): readonly string[] {
  const { content, saved } = (state ?? {}) as { readonly content?: unknown; readonly saved?: unknown };
  return [content, saved].flatMap((base64) =>
    typeof base64 === 'string' ? [Buffer.from(base64, 'base64').toString('utf8')] : [],
  );
}

/** Nothing of it is part of the digest. */
export function withQuotesMasked(plan: HostPlan, mask: Mask): HostPlan {
  return {
    ...plan,
    steps: plan.steps.map((step) =>
      Object.freeze({ ...step, summary: mask(step.summary), diff: maskedDiff(step.diff, mask) }),
    ),
    findings: plan.findings.map((finding) => ({ ...finding, message: mask(finding.message) })),
  };
}

/** Lines that begin alike are read together, without the sign in front: a value of several lines stands in them as a whole. */
export function maskedDiff(diff: string, mask: Mask): string {
  const blocks: { readonly sign: string; readonly lines: string[] }[] = [];
  for (const line of diff.split('\n')) {
    const sign = /^[-+ ~]?/.exec(line)?.[0] ?? '';
    const last = blocks.at(-1);
    if (last?.sign === sign) last.lines.push(line.slice(sign.length));
    else blocks.push({ sign, lines: [line.slice(sign.length)] });
  }
  return blocks
    .flatMap(({ sign, lines }) =>
      mask(lines.join('\n'))
        .split('\n')
        .map((line) => `${sign}${line}`),
    )
    .join('\n');
}
