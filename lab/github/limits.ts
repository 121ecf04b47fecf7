import { asJson, isJson, type Json } from './json.ts';

/** GitHub's limits, in characters: https://docs.github.com/en/rest/checks/runs and the API's own error texts. */
export const COMMENT_LIMIT_CHARS = 65_536;
export const CHECK_TEXT_LIMIT_CHARS = 65_535;
export const PULL_TITLE_LIMIT_CHARS = 256;
/** Annotations in one request. */
export const ANNOTATIONS_PER_REQUEST = 50;
export const CHECK_ACTIONS_LIMIT = 3;
export const ACTION_LIMITS_CHARS = { label: 20, description: 40, identifier: 20 };

export interface LimitError {
  readonly resource: string;
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

interface Rule {
  readonly path: RegExp;
  readonly check: (body: Json) => LimitError[];
}

const RULES: readonly Rule[] = [
  { path: /^\/repos\/[^/]+\/[^/]+\/issues\/(\d+\/comments|comments\/\d+)$/, check: checkComment },
  { path: /^\/repos\/[^/]+\/[^/]+\/pulls\/\d+\/reviews$/, check: checkComment },
  { path: /^\/repos\/[^/]+\/[^/]+\/(pulls|issues)(\/\d+)?$/, check: checkPull },
  { path: /^\/repos\/[^/]+\/[^/]+\/check-runs(\/\d+)?$/, check: checkCheckRun },
];

/** What GitHub would refuse with 422 in a writing request. */
export function limitErrors(method: string, path: string, body: unknown): LimitError[] {
  if (method === 'GET' || !isJson(body)) return [];
  return RULES.filter((rule) => rule.path.test(path)).flatMap((rule) => rule.check(body));
}

function tooLong(resource: string, field: string, value: unknown, limit: number): LimitError[] {
  if (typeof value !== 'string' || value.length <= limit) return [];
  const message = `${field} is too long (maximum is ${limit} characters)`;
  return [{ resource, field, code: 'custom', message }];
}

function checkComment(body: Json): LimitError[] {
  return tooLong('IssueComment', 'body', body.body, COMMENT_LIMIT_CHARS);
}

function checkPull(body: Json): LimitError[] {
  return [
    ...tooLong('Issue', 'title', body.title, PULL_TITLE_LIMIT_CHARS),
    ...tooLong('Issue', 'body', body.body, COMMENT_LIMIT_CHARS),
  ];
}

function checkCheckRun(body: Json): LimitError[] {
  const output = asJson(body.output);
  const actions = Array.isArray(body.actions) ? body.actions.map(asJson) : [];
  const annotations = Array.isArray(output.annotations) ? output.annotations.length : 0;
  return [
    ...tooLong('CheckRun', 'summary', output.summary, CHECK_TEXT_LIMIT_CHARS),
    ...tooLong('CheckRun', 'text', output.text, CHECK_TEXT_LIMIT_CHARS),
    ...tooMany('annotations', annotations, ANNOTATIONS_PER_REQUEST),
    ...tooMany('actions', actions.length, CHECK_ACTIONS_LIMIT),
    ...actions.flatMap((action) =>
      Object.entries(ACTION_LIMITS_CHARS).flatMap(([field, limit]) =>
        tooLong('CheckRun', field, action[field], limit),
      ),
    ),
  ];
}

function tooMany(field: string, count: number, limit: number): LimitError[] {
  if (count <= limit) return [];
  return [
    { resource: 'CheckRun', field, code: 'invalid', message: `No more than ${limit} ${field} are allowed` },
  ];
}
