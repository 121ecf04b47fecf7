import { expect, test } from 'vitest';
import { type DescribedRequest, loadDescription } from './openapi.ts';

const description = await loadDescription();
const request = (method: string, path: string, body?: unknown, query = ''): DescribedRequest => ({
  method,
  path,
  query: new URLSearchParams(query),
  body,
});
const output = { title: 'T', summary: 'S' };

test.each([
  request('GET', '/repos/a/b/pulls', undefined, 'state=open&per_page=100'),
  request('GET', '/repos/a/b/contents/dir/file.yaml', undefined, 'ref=main'),
  request('GET', '/repos/a/b/commits/heads/main/check-runs'),
  request('GET', '/repos/a/b/commits/f00/check-runs', undefined, 'check_name=x&app_id=1&filter=all'),
  request('POST', '/repos/a/b/check-runs', { name: 'x', head_sha: 'f', status: 'in_progress', output }),
  request('PATCH', '/repos/a/b/check-runs/7', { status: 'completed', conclusion: 'success', output }),
  request('PUT', '/repos/a/b/pulls/7/merge', { sha: 'f', merge_method: 'squash' }),
  request('POST', '/repos/a/b/issues', { title: 'T', body: 'B', milestone: null }),
  request('POST', '/app/installations/7/access_tokens'),
])('$method $path is allowed', (described) => {
  expect(description.problems(described)).toEqual([]);
});

test.each([
  [request('GET', '/repos/a/b/wishes'), /GitHub has no/],
  [request('GET', '/repos/a/b/pulls', undefined, 'state=ajar'), /query state/],
  [request('GET', '/repos/a/b/pulls', undefined, 'stat=open'), /unknown query parameter "stat"/],
  [request('GET', '/repos/a/b/pulls/seven'), /path \{pull_number\}/],
  [request('POST', '/repos/a/b/issues/7/comments', { text: 'x' }), /unknown body property "text"/],
  [request('POST', '/repos/a/b/issues/7/comments'), /JSON body is missing/],
  [request('POST', '/repos/a/b/check-runs', { name: 'x', head_sha: 'f', output: { title: 'T' } }), /summary/],
  [request('PUT', '/repos/a/b/pulls/7/merge', { merge_method: 'octopus' }), /merge_method/],
])('%o is not', (described, message) => {
  expect(description.problems(described).join('\n')).toMatch(message);
});
