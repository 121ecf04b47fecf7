import { isIP } from 'node:net';
import { type ConfigurationDocument, errorAt, errorAtKey } from '../documents.ts';
import { MAX_WAIT_SECONDS } from '../duration.ts';
import type { SpecError } from '../manifest.ts';
import { childPointer } from '../pointer.ts';
import { variableTypeProblem } from '../variableType.ts';
import { checkDuration } from './duration.ts';
import { listed } from './listed.ts';
import { targetPathProblem } from './paths.ts';
import { checkProbes } from './probes.ts';

/** What the schema of a configuration cannot say about a single document. */
export function checkConfiguration(document: ConfigurationDocument): readonly SpecError[] {
  return [
    ...checkPaths(document),
    ...checkFiles(document),
    ...checkUnits(document),
    ...checkAbsent(document),
    ...checkRepositories(document),
    ...checkAddresses(document),
    ...checkVariables(document),
    ...checkTimeouts(document),
    ...checkProbes(document, document.spec.probes),
  ];
}

function checkPaths(document: ConfigurationDocument): readonly SpecError[] {
  const { files = {}, directories = {} } = document.spec;
  const entries = [
    ...Object.keys(files).map((path) => ({ path, pointer: childPointer('/spec/files', path) })),
    ...Object.keys(directories).map((path) => ({ path, pointer: childPointer('/spec/directories', path) })),
  ];
  return entries.flatMap(({ path, pointer }) => {
    const problem = targetPathProblem(path);
    return problem === undefined ? [] : [errorAtKey(document, 'wrong-path', pointer, `${path} ${problem}.`)];
  });
}

const FILE_FORMS = ['content', 'source', 'template', 'linkTo', 'state'] as const;
const UNIT_FORMS = ['content', 'source', 'template'] as const;

function checkFiles(document: ConfigurationDocument): readonly SpecError[] {
  return Object.entries(document.spec.files ?? {}).flatMap(([path, file]) => {
    const pointer = childPointer('/spec/files', path);
    const forms = FILE_FORMS.filter((form) => file[form] !== undefined);
    const error = (message: string) => [errorAtKey(document, 'wrong-value', pointer, message)];
    if (forms.length === 0)
      return error(`${path} says nothing to write; give content, source, template or linkTo.`);
    if (forms.length > 1) return error(`${path} has ${listed(forms)}; keep one of them.`);
    const owned = (['mode', 'owner', 'group'] as const).filter((name) => file[name] !== undefined);
    return file.linkTo !== undefined && owned.length > 0
      ? error(`${path} is a link, which has no ${listed(owned)} of its own; remove that.`)
      : [];
  });
}

function checkUnits(document: ConfigurationDocument): readonly SpecError[] {
  return Object.entries(document.spec.units ?? {}).flatMap(([name, unit]) => {
    const forms = UNIT_FORMS.filter((form) => unit[form] !== undefined);
    const pointer = childPointer('/spec/units', name);
    if (forms.length > 1) {
      return [
        errorAtKey(document, 'wrong-value', pointer, `${name} has ${listed(forms)}; keep one of them.`),
      ];
    }
    const template = /@\./.test(name) && (unit.enabled !== undefined || unit.running !== undefined);
    const message = `${name} is a template unit, which cannot be enabled or run itself; name an instance such as ${name.replace('@.', '@1.')}.`;
    return template ? [errorAtKey(document, 'wrong-value', pointer, message)] : [];
  });
}

/** An item that must not exist has no other properties (but may notify). */
function checkAbsent(document: ConfigurationDocument): readonly SpecError[] {
  const sections = ['packages', 'directories', 'files', 'groups', 'users', 'units'] as const;
  return sections.flatMap((section) =>
    Object.entries(document.spec[section] ?? {}).flatMap(([name, item]) => {
      if (item.state !== 'absent') return [];
      const others = Object.keys(item).filter((key) => key !== 'state' && key !== 'notify');
      const pointer = childPointer(`/spec/${section}`, name);
      const message = `${name} is to be absent, so it can have no ${listed(others)}; remove one or the other.`;
      return others.length === 0 || (section === 'files' && others.some(isForm))
        ? []
        : [errorAtKey(document, 'wrong-value', pointer, message)];
    }),
  );
}

function isForm(name: string): boolean {
  return FILE_FORMS.some((form) => form === name);
}

function checkRepositories(document: ConfigurationDocument): readonly SpecError[] {
  return Object.entries(document.spec.aptRepositories ?? {}).flatMap(
    ([name, { suites, components = [] }]) => {
      const flat = suites.filter((suite) => suite.endsWith('/'));
      const pointer = childPointer('/spec/aptRepositories', name);
      const error = (message: string) => [errorAtKey(document, 'wrong-value', pointer, message)];
      if (flat.length === 0 && components.length === 0)
        return error(`${name} has no "components", such as [main].`);
      if (flat.length > 0 && (components.length > 0 || flat.length < suites.length)) {
        return error(
          `${name} mixes a flat suite (${flat[0]}) with components or other suites; split it in two.`,
        );
      }
      return [];
    },
  );
}

function checkAddresses(document: ConfigurationDocument): readonly SpecError[] {
  return Object.keys(document.spec.hostsEntries ?? {})
    .filter((address) => isIP(address) === 0)
    .map((address) =>
      errorAtKey(
        document,
        'wrong-value',
        childPointer('/spec/hostsEntries', address),
        `${address} is not an IP address; write one such as 10.0.0.9 as the key and the names as its list.`,
      ),
    );
}

function checkVariables(document: ConfigurationDocument): readonly SpecError[] {
  return Object.entries(document.spec.variables ?? {}).flatMap(([name, variable]) => {
    if (variable.default === undefined) return [];
    const problem = variableTypeProblem(variable.type, variable.default);
    const pointer = childPointer(childPointer('/spec/variables', name), 'default');
    const message = `The default of ${name} ${problem ?? ''}.`;
    return problem === undefined ? [] : [errorAt(document, 'variable-type', pointer, message)];
  });
}

function checkTimeouts(document: ConfigurationDocument): readonly SpecError[] {
  return Object.entries(document.spec.scripts ?? {}).flatMap(([name, { timeout }]) =>
    timeout === undefined
      ? []
      : checkDuration(
          document,
          `${childPointer('/spec/scripts', name)}/timeout`,
          timeout,
          1,
          MAX_WAIT_SECONDS,
        ),
  );
}
