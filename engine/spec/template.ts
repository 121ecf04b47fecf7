import Mustache from 'mustache';
import { MAX_RENDERED_BYTES } from './limits.ts';
import { fileStart, indexLines, type Lines } from './lines.ts';
import type { Position } from './manifest.ts';
import { nearestName } from './nearest.ts';
import { isSecret, type SecretUse, type SecretValue, type TemplateValue } from './secrets.ts';
import { blanksMistake, type SyntaxMistake, syntaxMistake } from './templateSyntax.ts';

/** A Mustache template, parsed once and rendered for many hosts. Logic-less: texts, values and sections. */
export interface Template {
  readonly kind: 'template';
  /** Path in the repository. */
  readonly file: string;
  readonly nodes: readonly TemplateNode[];
}

type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly name: string; readonly position: Position }
  | {
      readonly kind: 'section' | 'inverted';
      readonly name: string;
      readonly position: Position;
      readonly children: readonly TemplateNode[];
    };

/** What is wrong in a template, at its place in the template's own file. */
export interface TemplateProblem {
  readonly kind: 'problem';
  readonly position: Position;
  /** The rest of a sentence that begins with "This template", without its full stop. */
  readonly message: string;
}

/** Sections within sections. */
const MAX_SECTION_DEPTH = 16;

/** Mustache's token: type, text or name, start, end, then for sections the children. */
type Token = readonly [type: string, value: string, start: number, end: number, children?: readonly Token[]];

/** `file`: path of the template in the repository. */
export function parseTemplate(file: string, text: string): Template | TemplateProblem {
  const lines = indexLines(file, text);
  const blanks = blanksMistake(text);
  if (blanks !== undefined) return syntaxProblem(blanks, lines);
  try {
    // A writer of its own: the default one keeps every template for ever.
    const tokens = new Mustache.Writer().parse(text) as unknown as readonly Token[];
    return { kind: 'template', file, nodes: tokens.map((token) => toNode(token, lines, 1)).filter(isNode) };
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    return syntaxProblem(syntaxMistake(error, text), lines);
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

function syntaxProblem({ start, end, reason }: SyntaxMistake, lines: Lines): TemplateProblem {
  return {
    kind: 'problem',
    position: lines.position(start, end),
    message: `is not valid: ${inShort(reason)}`,
  };
}

/** Characters of a name or reason that are repeated in a sentence. */
const SHOWN_LENGTH = 100;

function inShort(text: string): string {
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text;
}

function isNode(node: TemplateNode | undefined): node is TemplateNode {
  return node !== undefined;
}

function toNode(token: Token, lines: Lines, depth: number): TemplateNode | undefined {
  const [type, value, start, end, children = []] = token;
  const position = lines.position(start, end);
  if (depth > MAX_SECTION_DEPTH)
    throw failed(position, `nests sections more than ${MAX_SECTION_DEPTH} deep; flatten it`);
  switch (type) {
    case 'text':
      return { kind: 'text', text: value };
    case 'name':
    case '&':
      return { kind: 'value', name: value, position };
    case '#':
    case '^': {
      const nodes = children.map((child) => toNode(child, lines, depth + 1)).filter(isNode);
      return { kind: type === '#' ? 'section' : 'inverted', name: value, position, children: nodes };
    }
    case '>':
      throw failed(
        position,
        `includes the partial "${inShort(value)}", which is not supported; write its text here`,
      );
    default:
      return undefined;
  }
}

function failed(position: Position, message: string): ProblemError {
  return new ProblemError({ kind: 'problem', position, message });
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
    .map(({ name, position }) => ({ kind: 'problem' as const, position, message: asked(name) }));
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
  return [...uses.values()].slice(0, MAX_UNDECLARED).map(({ name, position }) => {
    const nearest = nearestName(name, declared);
    const advice =
      nearest === undefined ? 'declare it under "variables"' : `did you mean ${JSON.stringify(nearest)}?`;
    return {
      kind: 'problem',
      position,
      message: `uses "${inShort(name)}", which is not declared; ${advice}`,
    };
  });
}

export function isLabelName(name: string): boolean {
  return /^host\.labels\../.test(name);
}

interface NameUse {
  readonly name: string;
  readonly position: Position;
  readonly inSection: boolean;
  /** It is asked for, not printed. */
  readonly isSection: boolean;
}

function namesOf(nodes: readonly TemplateNode[], inSection: boolean): readonly NameUse[] {
  return nodes.flatMap((node) => {
    if (node.kind === 'text') return [];
    const use = { name: node.name, position: node.position, inSection, isSection: node.kind !== 'value' };
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
  const start = fileStart(template.file);
  const output: Output = { start, parts: [], length: 0, secrets: new Map() };
  try {
    renderNodes(template.nodes, values, undefined, output);
    const text = output.parts.join('');
    if (Buffer.byteLength(text) > MAX_RENDERED_BYTES) throw failed(start, TOO_LARGE);
    return { kind: 'rendered', text, secrets: usesIn(text, output) };
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
}

interface Output {
  /** Of the template, for what is wrong with all of it. */
  readonly start: Position;
  readonly parts: string[];
  length: number;
  /** How often each was printed. */
  readonly secrets: Map<SecretValue, number>;
}

/** No other text, however it is put together, may read like a placeholder: what it stands for would be filled in there. */
function usesIn(text: string, { start, secrets }: Output): readonly SecretUse[] {
  return [...secrets].map(([{ name, placeholder, ref }, times]) => {
    if (text.split(placeholder).length - 1 !== times)
      throw failed(
        start,
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
    if (node.kind === 'text') write(output, node.text, output.start);
    else if (node.kind === 'value') writeValue(node, values, dot, output);
    else renderSection(node, values, dot, output);
  }
}

function writeValue(
  { name, position }: Extract<TemplateNode, { readonly kind: 'value' }>,
  values: ReadonlyMap<string, TemplateValue>,
  dot: TemplateValue | undefined,
  output: Output,
): void {
  const value = name === '.' ? dot : values.get(name);
  if (isSecret(value)) output.secrets.set(value, (output.secrets.get(value) ?? 0) + 1);
  write(output, isSecret(value) ? value.placeholder : valueText(name, position, value), position);
}

function renderSection(
  node: Extract<TemplateNode, { readonly children: unknown }>,
  values: ReadonlyMap<string, TemplateValue>,
  dot: TemplateValue | undefined,
  output: Output,
): void {
  const value = node.name === '.' ? dot : values.get(node.name);
  if (value === undefined && !isLabelName(node.name)) throw missing(node.name, node.position);
  if (isSecret(value)) throw failed(node.position, asked(node.name));
  const items = Array.isArray(value) ? value : isTrue(value) ? [value] : [];
  if (node.kind === 'inverted') {
    if (items.length === 0) renderNodes(node.children, values, dot, output);
    return;
  }
  for (const item of items) {
    // Counted, so that lists within lists end also where they print nothing.
    write(output, '', node.position);
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
  position: Position,
  value: Exclude<TemplateValue, SecretValue> | undefined,
): string {
  if (value === undefined) throw missing(name, position);
  if (Array.isArray(value))
    throw failed(position, `prints the list "${name}"; write {{#${name}}}{{.}}{{/${name}}}`);
  return String(value);
}

/** Only a label can be: every variable has a value before anything is rendered. */
function missing(name: string, position: Position): ProblemError {
  const shown = inShort(name);
  const way = isLabelName(name)
    ? `; give the server that label, or write {{#${shown}}}{{.}}{{/${shown}}}`
    : '';
  return failed(position, `uses "${shown}", which has no value${way}`);
}

const TOO_LARGE = `gives more than ${MAX_RENDERED_BYTES / 1024} KiB; make it smaller`;

/** Characters are a lower bound of bytes; the exact size is checked on the result. Every write costs at least one. */
function write(output: Output, text: string, position: Position): void {
  output.length += text.length + 1;
  if (output.length > 2 * MAX_RENDERED_BYTES) throw failed(position, TOO_LARGE);
  output.parts.push(text);
}
