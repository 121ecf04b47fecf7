import type { EventOrigin } from './events.ts';
import { event, ignored, type Mapped, type MappingOptions, type Payload, senderOf } from './mapping.ts';
import { at, list, number, optional, text } from './payload.ts';

/** Pull requests that one event concerns. */
const PULLS_MAX = 300;

export function mapCheckRun(payload: Payload, of: EventOrigin, { appId }: MappingOptions): Mapped {
  const action = text(payload.action);
  const run = at(payload, 'check_run');
  if (action !== 'requested_action' && action !== 'rerequested')
    return ignored(`check_run.${action} changes nothing for us`);
  if (isOthers(at(run, 'app', 'id'), appId)) return ignored("another App's check");
  const common = {
    ...of,
    name: text(at(run, 'name')),
    headSha: text(at(run, 'head_sha')),
    sender: senderOf(payload),
    numbers: pullNumbers(at(run, 'pull_requests')),
  };
  if (action === 'rerequested') return event({ ...common, kind: 'check-rerequested' });
  return event({
    ...common,
    kind: 'check-action',
    identifier: text(at(payload, 'requested_action', 'identifier')),
    checkRunId: number(at(run, 'id')),
    externalId: optional(text, at(run, 'external_id')) ?? '',
  });
}

export function mapCheckSuite(payload: Payload, of: EventOrigin, { appId }: MappingOptions): Mapped {
  const action = text(payload.action);
  const suite = at(payload, 'check_suite');
  if (action === 'completed') return mapCompleted(suite, of, appId);
  if (action !== 'rerequested') return ignored(`check_suite.${action} changes nothing for us`);
  if (isOthers(at(suite, 'app', 'id'), appId)) return ignored("another App's checks");
  return event({
    ...of,
    kind: 'check-rerequested',
    name: undefined,
    headSha: text(at(suite, 'head_sha')),
    sender: senderOf(payload),
    numbers: pullNumbers(at(suite, 'pull_requests')),
  });
}

function mapCompleted(suite: unknown, of: EventOrigin, appId: number): Mapped {
  if (at(suite, 'app', 'id') === appId) return ignored('our own checks have ended');
  return event({
    ...of,
    kind: 'checks-completed',
    headSha: text(at(suite, 'head_sha')),
    numbers: pullNumbers(at(suite, 'pull_requests')),
  });
}

/** GitHub names no pull requests here. */
export function mapStatus(payload: Payload, of: EventOrigin): Mapped {
  if (text(payload.state) === 'pending') return ignored('a status that is pending opens no gate');
  return event({ ...of, kind: 'checks-completed', headSha: text(payload.sha), numbers: [] });
}

/** GitHub sends these two actions only to the App that owns the check; a missing App is taken for ours. */
function isOthers(appId: unknown, ours: number): boolean {
  return typeof appId === 'number' && appId !== ours;
}

function pullNumbers(pulls: unknown): readonly number[] {
  return list(pulls)
    .slice(0, PULLS_MAX)
    .map((pull) => number(at(pull, 'number')));
}
