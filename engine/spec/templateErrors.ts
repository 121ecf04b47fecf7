import { hostList } from './conflicts.ts';
import type { ConfigurationDocument } from './documents.ts';
import type { SpecError, TemplateUser } from './manifest.ts';
import type { TemplateProblem } from './template.ts';
import { valuePosition } from './validate.ts';

/** Who meets a mistake of a template. */
interface Meeting {
  readonly document: ConfigurationDocument;
  /** Of what names the template in the document. */
  readonly pointer: string;
  /** Where the mistake depends on the server. */
  readonly host?: string;
}

export interface TemplateErrors {
  readonly add: (code: string, problem: TemplateProblem, meeting: Meeting) => void;
  /** How many different ones there are. */
  readonly count: () => number;
  readonly errors: () => readonly SpecError[];
}

interface Found {
  readonly code: string;
  readonly problem: TemplateProblem;
  readonly users: Map<string, TemplateUser>;
  readonly hosts: Set<string>;
}

/** Mistakes at their place in the template: one error each, however many documents and servers meet it. */
export function templateErrors(): TemplateErrors {
  const all = new Map<string, Found>();
  return {
    add: (code, problem, { document, pointer, host }) => {
      const key = JSON.stringify([problem.position, code, problem.message]);
      const found = all.get(key) ?? { code, problem, users: new Map(), hosts: new Set() };
      all.set(key, found);
      found.users.set(`${document.ref} ${pointer}`, {
        document: document.ref,
        position: valuePosition(document, pointer),
      });
      if (host !== undefined) found.hosts.add(host);
    },
    count: () => all.size,
    errors: () => [...all.values()].map(toError),
  };
}

function toError({ code, problem, users, hosts }: Found): SpecError {
  const usedBy = [...users.values()];
  return {
    kind: 'spec-error',
    code,
    message: `${sentence(problem.message, [...hosts])} It is used by ${hostList(usedBy.map(userText))}.`,
    position: problem.position,
    pointer: '',
    usedBy,
  };
}

function sentence(message: string, hosts: readonly string[]): string {
  const where = hosts.length === 0 ? '' : ` (on ${hostList(hosts)})`;
  return `This template ${message}${where}${message.endsWith('?') ? '' : '.'}`;
}

function userText({ document, position: { file, line } }: TemplateUser): string {
  return `${document} (${file} line ${line})`;
}
