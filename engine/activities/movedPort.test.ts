import { describe, expect, it } from 'vitest';
import type { ResolvedHost } from '../spec/resolution.ts';
import { SERVER } from '../spec/testing.ts';
import { withPortAdvice } from './movedPort.ts';
import type { HostPlanning } from './planning.ts';

const at = (port: number): { readonly hosts: readonly ResolvedHost[] } => ({
  hosts: [{ kind: 'resolved-host', name: 'web-1', server: { ...SERVER, port }, documents: [] }],
});
const problem = (away: boolean): HostPlanning => ({
  kind: 'problem',
  host: 'web-1',
  message: 'It cannot be reached.',
  away,
  cause: undefined,
});
const said = (planning: HostPlanning, from: number, to: number) =>
  withPortAdvice([planning], { base: at(from), merged: at(to) }).map(
    (one) => 'message' in one && one.message,
  );

describe('a server that does not answer', () => {
  it('at the port that the change moves it to is told with the way to do it', () => {
    const [message] = said(problem(true), 22, 2222);
    expect(message).toMatch(
      /^It cannot be reached\. This change moves it from port 22 to 2222\..*three pull requests/,
    );
    const orders = [
      /1\. let sshd listen on both \("Port 22" and "Port 2222" .*let 2222\/tcp in by a rule;/,
      /2\. change "port" of the Server to 2222;/,
      /3\. take "Port 22" away, and that rule/,
    ];
    for (const order of orders) expect(message).toMatch(order);
    expect(orders.map((order) => String(message).search(order))).toEqual(
      orders.map((order) => String(message).search(order)).sort((a, b) => a - b),
    );
  });

  it('anywhere else, or that refuses, is not', () => {
    expect(said(problem(true), 22, 22)).toEqual(['It cannot be reached.']);
    expect(said(problem(false), 22, 2222)).toEqual(['It cannot be reached.']);
    expect(withPortAdvice([problem(true)], { base: { hosts: [] }, merged: at(2222) })).toEqual([
      problem(true),
    ]);
  });
});
