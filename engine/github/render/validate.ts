import type { SpecError } from '../../spec/manifest.ts';
import { code, oneLine, prose, table } from './escape.ts';
import type { Rendered, ValidateView } from './views.ts';
import { count } from './words.ts';

/** Rows of the table; all errors are annotations too. */
const MAX_ERRORS = 100;
const MAX_LEFT_OUT = 20;

const FORK =
  '\n\n**Validated only:** this pull request comes from a fork, so nothing is planned on the servers. Somebody with write access can push the branch to this repository and open a pull request from there.';

export function renderValidate(view: ValidateView): Rendered {
  const { errors } = view;
  if (errors.length === 0) {
    const title = `Valid: ${count(view.documents, 'document')} for ${count(view.hosts, 'server')}`;
    const body = 'Every document passes its schema and the checks between documents.';
    return { title, body: `${body}${warningsOf(view)}${leftOut(view)}${view.fork === true ? FORK : ''}` };
  }
  const rows = errors.slice(0, MAX_ERRORS).map((error) => [place(error), prose(error.message, 1000)]);
  const more = errors.length - rows.length;
  const rest = more > 0 ? `\n\n*and ${more} more*` : '';
  return {
    title: title(errors),
    body: `${table(['place', 'error'], rows)}${rest}${warningsOf(view)}${leftOut(view)}\n\nCheck locally: \`doaas validate .\``,
  };
}

function warningsOf({ warnings = [] }: ValidateView): string {
  if (warnings.length === 0) return '';
  const rows = warnings.slice(0, MAX_ERRORS).map((one) => [place(one), prose(one.message, 1000)]);
  const more = warnings.length - rows.length;
  return `\n\n${table(['place', 'warning'], rows)}${more > 0 ? `\n\n*and ${more} more*` : ''}`;
}

/** What is not read must be said: a document in it would be missing without a word. */
function leftOut({ leftOut: paths = [] }: ValidateView): string {
  if (paths.length === 0) return '';
  const lines = paths.slice(0, MAX_LEFT_OUT).map(({ path, why }) => `- ${code(path)} is ${prose(why, 200)}`);
  const more = paths.length - lines.length;
  return `\n\nNot read:\n${lines.join('\n')}${more > 0 ? `\n- *and ${more} more*` : ''}`;
}

function title(errors: readonly SpecError[]): string {
  const [only] = errors;
  if (errors.length === 1 && only !== undefined)
    return oneLine(`${only.position.file}: ${only.message}`, 120);
  const files = new Set(errors.map((error) => error.position.file));
  return `${count(errors.length, 'error')} in ${count(files.size, 'file')}`;
}

function place({ position }: SpecError): string {
  return code(`${position.file}:${position.line}:${position.column}`);
}
