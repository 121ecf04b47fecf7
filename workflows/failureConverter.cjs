/**
 * Messages and stack traces of failures as payloads, so that the codec encrypts them too. Temporal loads it by path, with `require`, in
 * the client and the worker as well as in the bundle of the workflows.
 */
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
