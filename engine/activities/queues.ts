/**
 * Workflows, and activities that wait for no server, are on `TASK_QUEUE`. These are for the others; `workflows/activities.ts`
 * names them the same way.
 */

/** What reads servers, each with what a change and its base want of all of them in memory. */
export const READING_QUEUE = 'doaas:reading';
/** What changes servers, or proves or undoes a change. */
export const HOSTS_QUEUE = 'doaas:hosts';
