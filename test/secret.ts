/** Of the webhooks. */
export const SECRET = 'a webhook secret for tests only';
