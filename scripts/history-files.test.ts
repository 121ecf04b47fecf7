import { expect, test } from 'vitest';
import { fileName, namesIn, payloadTexts, scrubbed, workflowTypeOf } from './history-files.ts';

const b64 = (text: string): string => Buffer.from(text).toString('base64');
const history = {
  events: [
    {
      eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED',
      workflowExecutionStartedEventAttributes: {
        workflowType: { name: 'rollback' },
        identity: '123@builder',
      },
    },
    {
      eventType: 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED',
      activityTaskScheduledEventAttributes: { activityType: { name: 'startRun' } },
    },
    {
      eventType: 'EVENT_TYPE_ACTIVITY_TASK_FAILED',
      failure: { message: 'no', stackTrace: 'at /srv/x.ts:1', cause: { stackTrace: 'at y' } },
      input: { payloads: [{ metadata: { encoding: b64('json/plain') }, data: b64('"text"') }] },
    },
  ],
};

test('what tells of the machine is taken out, at any depth', () => {
  const text = JSON.stringify(scrubbed(history));
  expect(text).not.toMatch(/builder|srv|at y/);
  expect(text).toContain('"message":"no"');
});

test('names follow the shape, not the content', () => {
  expect(workflowTypeOf(history)).toBe('rollback');
  const name = fileName('rollback', history);
  expect(name).toMatch(/^rollback-[0-9a-f]{8}\.json$/);
  expect(fileName('rollback', scrubbed(history))).toBe(name);
  expect(fileName('rollback', { events: history.events.slice(0, 2) })).not.toBe(name);
});

test('what a history shows of the code is named', () => {
  const details = (id: string) => ({
    'patch-data': { payloads: [{ data: b64(`{"id":"${id}","deprecated":false}`) }] },
  });
  const events = [
    ...history.events,
    {
      eventType: 'MARKER',
      markerRecordedEventAttributes: { markerName: 'core_patch', details: details('new-way') },
    },
    { eventType: 'SIGNALED', workflowExecutionSignaledEventAttributes: { signalName: 'stopRun' } },
    {
      eventType: 'SCHEDULED',
      activityTaskScheduledEventAttributes: {
        activityType: { name: 'readSite' },
        taskQueue: { name: 'doaas:site:berlin' },
      },
    },
    { eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW' },
  ];
  expect([...namesIn({ events })]).toEqual([
    'activity startRun',
    'guard new-way',
    'signal stopRun',
    'activity readSite',
    'activity readSite at a site',
    'begun anew',
  ]);
  expect(fileName('pullRequest', { events })).not.toBe(
    fileName('pullRequest', { events: events.slice(0, -1) }),
  );
});

test('payloads are read through their base64', () => {
  expect(payloadTexts(history)).toEqual(['json/plain', '"text"']);
});
