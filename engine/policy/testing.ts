import type { Review } from '../github/reviews.ts';
import type { Step } from '../plan/step.ts';
import { aStep } from '../plan/testing.ts';
import type { Change, Place, Target } from './change.ts';

/** Made-up changes for the tests of policy. */
export const review: Review = {
  reviewId: 1,
  reviewer: 'rita',
  reviewerId: 7,
  isBot: false,
  state: 'approved',
  commitId: 'head',
  submittedAt: '2026-01-01T00:00:10Z',
  permission: 'write',
};

export function step(given: Partial<Step> = {}): Step {
  return {
    ...aStep,
    id: 'file:/etc/motd',
    operation: 'file',
    params: {},
    summary: '',
    diff: '',
    before: {},
    ...given,
  };
}

/** With the site and labels that are given, or all of it. */
export function target(name: string, given: Partial<Target & Place> = {}): Target {
  const { site = 'default', labels = { role: 'web' }, ...rest } = given;
  const steps = [step({ host: name })];
  return { name, now: [{ site, labels }], before: [], moved: false, steps, ...rest };
}

export function change(given: Partial<Change> = {}): Change {
  return {
    author: { login: 'anna', id: 1 },
    pushers: [],
    pushersUnknown: undefined,
    headSha: 'head',
    superseded: false,
    draft: false,
    fork: false,
    vouched: false,
    aside: undefined,
    strayed: false,
    unmergeable: [],
    open: true,
    shownAt: '2026-01-01T00:00:10.900Z',
    replaced: false,
    reviews: [review],
    reviewsCut: false,
    targets: [target('web-1')],
    paths: ['web.yaml'],
    codeowners: undefined,
    teams: { organisation: 'acme', members: new Map(), unknown: new Set() },
    checks: [],
    checksCut: false,
    now: Date.parse('2026-01-01T00:01:00Z'),
    lifted: 'nothing',
    ...given,
  };
}
