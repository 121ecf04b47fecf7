import Mustache from 'mustache';
import { MAX_RENDERED_BYTES } from './limits.ts';
import { indexLines, type Lines } from './lines.ts';
import { nearestName } from './nearest.ts';
import { isSecret, type SecretUse, type SecretValue, type TemplateValue } from './secrets.ts';

/** A Mustache template, parsed once and rendered for many hosts. Logic-less: texts, values and sections. */
export interface Template {
  readonly kind: 'template';
  readonly nodes: readonly TemplateNode[];
}

type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly name: string; readonly line: number }
  | {
      readonly kind: 'section' | 'inverted';
      readonly name: string;
      readonly line: number;
      readonly children: readonly TemplateNode[];
    };

/** What is wrong in a template; `line` counts from 1 within the template's file. */
export interface TemplateProblem {
  readonly kind: 'problem';
  readonly line: number;
  /** The rest of a sentence that begins with the template's file and line. */
  readonly message: string;
}

/** Sections within sections. */
const MAX_SECTION_DEPTH = 16;

/** Mustache's token: type, text or name, start, end, then for sections the children. */
type Token = readonly [type: string, value: string, start: number, end: number, children?: readonly Token[]];

export function parseTemplate(text: string): Template | TemplateProblem {
  try {
    // A writer of its own: the default one keeps every template for ever.
    const tokens = new Mustache.Writer().parse(text) as unknown as readonly Token[];
    const lines = indexLines('', text);
    return { kind: 'template', nodes: tokens.map((token) => toNode(token, lines, 1)).filter(isNode) };
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    return syntaxProblem(error, text);
  }
}

class ProblemError extends Error {
  readonly type = 'template-problem';
  readonly problem: TemplateProblem;
  constructor(problem: TemplateProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

function syntaxProblem(error: unknown, text: string): TemplateProblem {
  const reason = error instanceof Error ? error.message : String(error);
  const at = / at (\d+)$/.exec(reason);
  const line = at === null ? 1 : indexLines('', text).position(Number(at[1]), Number(at[1])).line;
  return {
    kind: 'problem',
    line,
    message: `is not a valid template: ${reason.replace(/ at \d+$/, '').toLowerCase()}`,
  };
}

function isNode(node: TemplateNode | undefined): node is TemplateNode {
  return node !== undefined;
}

function toNode(token: Token, lines: Lines, depth: number): TemplateNode | undefined {
  const [type, value, start, , children = []] = token;
  const { line } = lines.position(start, start);
  if (depth > MAX_SECTION_DEPTH)
    throw failed(line, `nests sections more than ${MAX_SECTION_DEPTH} deep; flatten it`);
  switch (type) {
    case 'text':
      return { kind: 'text', text: value };
    case 'name':
    case '&':
      return { kind: 'value', name: value, line };
    case '#':
    case '^': {
      const nodes = children.map((child) => toNode(child, lines, depth + 1)).filter(isNode);
      return { kind: type === '#' ? 'section' : 'inverted', name: value, line, children: nodes };
    }
    case '>':
      throw failed(line, `includes the partial "${value}", which is not supported; write its text here`);
    default:
      return undefined;
  }
}

function failed(line: number, message: string): ProblemError {
  return new ProblemError({ kind: 'problem', line, message });
}

/** Undeclared names that are reported for one template. */
const MAX_UNDECLARED = 20;

/** Whether the template prints one of these secrets, and what is wrong with how it uses them. */
export function secretUsage(
  template: Template,
  secrets: ReadonlySet<string>,
): { readonly used: boolean; readonly problems: readonly TemplateProblem[] } {
  const uses = namesOf(template.nodes, false).filter(({ name }) => secrets.has(name));
  const problems = uses
    .filter((use) => use.isSection)
    .slice(0, MAX_UNDECLARED)
    .map(({ name, line }) => ({ kind: 'problem' as const, line, message: asked(name) }));
  return { used: uses.length > 0, problems };
}

/** Names in a template that nothing declares, each once and with the nearest that is. */
export function undeclaredNames(
  template: Template,
  declared: ReadonlySet<string>,
): readonly TemplateProblem[] {
  const uses = new Map<string, NameUse>();
  for (const use of namesOf(template.nodes, false)) {
    const known = declared.has(use.name) || (use.name === '.' && use.inSection) || isLabelName(use.name);
    if (!known && !uses.has(use.name)) uses.set(use.name, use);
  }
  return [...uses.values()].slice(0, MAX_UNDECLARED).map(({ name, line }) => {
    const nearest = nearestName(name, declared);
    const advice =
      nearest === undefined ? 'declare it under "variables"' : `did you mean ${JSON.stringify(nearest)}?`;
    return { kind: 'problem', line, message: `uses "${name}", which is not declared; ${advice}` };
  });
}

export function isLabelName(name: string): boolean {
  return /^host\.labels\../.test(name);
}

interface NameUse {
  readonly name: string;
  readonly line: number;
  readonly inSection: boolean;
  /** It is asked for, not printed. */
  readonly isSection: boolean;
}

function namesOf(nodes: readonly TemplateNode[], inSection: boolean): readonly NameUse[] {
  return nodes.flatMap((node) => {
    if (node.kind === 'text') return [];
    const use = { name: node.name, line: node.line, inSection, isSection: node.kind !== 'value' };
    if (node.kind === 'value') return [use];
    return [use, ...namesOf(node.children, inSection || node.kind === 'section')];
  });
}

export interface Rendered {
  readonly kind: 'rendered';
  readonly text: string;
  /** Those whose placeholders are in the text. */
  readonly secrets: readonly SecretUse[];
}

/** The text for one host, nothing escaped. `values` holds all names; a name that is missing is a problem. */
export function renderTemplate(
  template: Template,
  values: ReadonlyMap<string, TemplateValue>,
): Rendered | TemplateProblem {
  const output: Output = { parts: [], length: 0, secrets: new Map() };
  try {
    renderNodes(template.nodes, values, undefined, output);
    const text = output.parts.join('');
    return { kind: 'rendered', text, secrets: usesIn(text, output.secrets) };
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
}

interface Output {
  readonly parts: string[];
  length: number;
  /** How often each was printed. */
  readonly secrets: Map<SecretValue, number>;
}

/** No other text, however it is put together, may read like a placeholder: what it stands for would be filled in there. */
function usesIn(text: string, secrets: ReadonlyMap<SecretValue, number>): readonly SecretUse[] {
  return [...secrets].map(([{ name, placeholder, ref }, times]) => {
    if (text.split(placeholder).length - 1 !== times)
      throw failed(
        1,
        `gives the text "${placeholder}" by itself, which stands for a secret; change that text`,
      );
    return { name, placeholder, ref };
  });
}

function renderNodes(
  nodes: readonly TemplateNode[],
  values: ReadonlyMap<string, TemplateValue>,
  dot: TemplateValue | undefined,
  output: Output,
): void {
  for (const node of nodes) {
    if (node.kind === 'text') write(output, node.text, 1);
    else if (node.kind === 'value') writeValue(node, values, dot, output);
    else renderSection(node, values, dot, output);
  }
}

function writeValue(
  { name, line }: Extract<TemplateNode, { readonly kind: 'value' }>,
  values: ReadonlyMap<string, TemplateValue>,
  dot: TemplateValue | undefined,
  output: Output,
): void {
  const value = name === '.' ? dot : values.get(name);
  if (isSecret(value)) output.secrets.set(value, (output.secrets.get(value) ?? 0) + 1);
  write(output, isSecret(value) ? value.placeholder : valueText(name, line, value), line);
}

function renderSection(
  node: Extract<TemplateNode, { readonly children: unknown }>,
  values: ReadonlyMap<string, TemplateValue>,
  dot: TemplateValue | undefined,
  output: Output,
): void {
  const value = node.name === '.' ? dot : values.get(node.name);
  if (value === undefined && !isLabelName(node.name)) throw missing(node.name, node.line);
  if (isSecret(value)) throw failed(node.line, asked(node.name));
  const items = Array.isArray(value) ? value : isTrue(value) ? [value] : [];
  if (node.kind === 'inverted') {
    if (items.length === 0) renderNodes(node.children, values, dot, output);
    return;
  }
  for (const item of items) {
    // Counted, so that lists within lists end also where they print nothing.
    write(output, '', node.line);
    renderNodes(node.children, values, item === true ? dot : item, output);
  }
}

/** Mustache's rule: false, zero, empty text and empty lists skip a section. */
function isTrue(value: TemplateValue | undefined): value is TemplateValue {
  return value !== undefined && value !== false && value !== 0 && value !== '';
}

function asked(name: string): string {
  return `asks whether the secret "${name}" is there, which would tell of it; a secret can only be printed: {{${name}}}`;
}

function valueText(
  name: string,
  line: number,
  value: Exclude<TemplateValue, SecretValue> | undefined,
): string {
  if (value === undefined) throw missing(name, line);
  if (Array.isArray(value))
    throw failed(line, `prints the list "${name}"; write {{#${name}}}{{.}}{{/${name}}}`);
  return String(value);
}

function missing(name: string, line: number): ProblemError {
  return failed(line, `uses "${name}", which has no value on this host`);
}

/** Characters are a lower bound of bytes; the exact size is checked on the result. Every write costs at least one. */
function write(output: Output, text: string, line: number): void {
  output.length += text.length + 1;
  if (output.length > 2 * MAX_RENDERED_BYTES) {
    throw failed(line, `gives more than ${MAX_RENDERED_BYTES / 1024} KiB; make it smaller`);
  }
  output.parts.push(text);
}
