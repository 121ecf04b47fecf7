/** What of a workflow's history is kept in workflows/histories/: pure, so that it is tested. */
import { createHash } from 'node:crypto';

/** A history as JSON: enums by name, bytes in base64, 64-bit numbers as text. */
export interface HistoryJson {
  readonly events: readonly HistoryEventJson[];
}

export type HistoryEventJson = Readonly<Record<string, unknown>> & { readonly eventType: string };

type Value = unknown;

/** Fields that replay does not read and that tell of the machine: processes, host names, stack traces with paths. */
const PRIVATE: Readonly<Record<string, string>> = {
  identity: 'worker',
  stackTrace: '',
  lastWorkerIdentity: 'worker',
  workerVersion: '',
};

export function scrubbed(history: HistoryJson): HistoryJson {
  return scrub(history) as HistoryJson;
}

function scrub(value: Value): Value {
  if (Array.isArray(value)) return value.map(scrub);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, inner]) => {
    const replacement = typeof inner === 'string' ? PRIVATE[key] : undefined;
    return [key, replacement ?? scrub(inner)];
  });
  return Object.fromEntries(entries);
}

/** Names a history by its shape: which events, activities, signals and guards in which order. Runs of the same shape are kept once. */
export function fileName(workflowType: string, history: HistoryJson): string {
  const shape = history.events.map(
    (event) => `${event.eventType} ${activityOf(event)} ${signalOf(event)}${guardOf(event)}`,
  );
  const hash = createHash('sha256').update(shape.join('\n')).digest('hex').slice(0, 8);
  return `${workflowType}-${hash}.json`;
}

/** The name of what a history is about: of the workflow that its first event started. */
export function workflowTypeOf(history: HistoryJson): string {
  return nested(history.events[0], 'workflowExecutionStartedEventAttributes', 'workflowType', 'name');
}

/** What a history shows of its workflow's code, in words: activities, signals, guards, and that it was begun anew. */
export function namesIn(history: HistoryJson): ReadonlySet<string> {
  return new Set(history.events.flatMap(namesOf));
}

function namesOf(event: HistoryEventJson): readonly string[] {
  const [activity, signal, guard] = [activityOf(event), signalOf(event), guardOf(event)];
  return [
    ...(activity === '' ? [] : [`activity ${activity}`]),
    ...(signal === '' ? [] : [`signal ${signal}`]),
    ...(guard === '' ? [] : [`guard ${guard}`]),
    ...(event.eventType === 'EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW' ? ['begun anew'] : []),
    ...(event.eventType === 'EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED' ? ['activity given up'] : []),
    ...(queueOf(event).startsWith('doaas:site:') ? [`activity ${activity} at a site`] : []),
  ];
}

/** All payloads as text, to look for what must not be published, and whether one is encrypted. */
export function payloadTexts(history: HistoryJson): readonly string[] {
  const texts: string[] = [];
  const visit = (value: Value): void => {
    if (Array.isArray(value)) for (const inner of value) visit(inner);
    else if (value !== null && typeof value === 'object') {
      for (const [key, inner] of Object.entries(value)) {
        if ((key === 'data' || key === 'encoding') && typeof inner === 'string')
          texts.push(Buffer.from(inner, 'base64').toString());
        else visit(inner);
      }
    }
  };
  visit(history.events);
  return texts;
}

/** Name of the guard that a marker of `patched` was written by. */
function guardOf(event: HistoryEventJson): string {
  if (nested(event, 'markerRecordedEventAttributes', 'markerName') !== 'core_patch') return '';
  const [text = '{}'] = payloadTexts({ events: [event] }).filter((each) => each.startsWith('{'));
  return nested(JSON.parse(text), 'id');
}

function queueOf(event: HistoryEventJson): string {
  return nested(event, 'activityTaskScheduledEventAttributes', 'taskQueue', 'name');
}

function activityOf(event: HistoryEventJson): string {
  return nested(event, 'activityTaskScheduledEventAttributes', 'activityType', 'name');
}

function signalOf(event: HistoryEventJson): string {
  return nested(event, 'workflowExecutionSignaledEventAttributes', 'signalName');
}

function nested(value: Value, ...keys: readonly string[]): string {
  const found = keys.reduce<Value>(
    (at, key) =>
      at !== null && typeof at === 'object' ? (at as Readonly<Record<string, Value>>)[key] : undefined,
    value,
  );
  return typeof found === 'string' ? found : '';
}
