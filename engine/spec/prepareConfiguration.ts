import type { ResolvedConfiguration } from './configuration.ts';
import type { ConfigurationDocument, ServerDocument } from './documents.ts';
import { MAX_ERRORS } from './limits.ts';
import { type Contents, resolveConfiguration } from './resolveConfiguration.ts';
import { NO_CONTENT, type Resolving, type ResolvingHost, storeContent } from './resolving.ts';
import { isSecretSetting, type TemplateValue, toSecret } from './secrets.ts';
import { isArmored, readSources, type Sources, WRONG } from './sources.ts';
import { isLabelName, renderTemplate, type Template } from './template.ts';
import type { VariableSetting } from './types.generated.ts';
import { configurationValues } from './variables.ts';

type Values = ReadonlyMap<string, VariableSetting>;

/** Reads what a configuration names, once, and gives what resolves it for one host after the other. */
export function prepareConfiguration(
  document: ConfigurationDocument,
  resolving: Resolving,
): (host: ResolvingHost) => ResolvedConfiguration {
  const { manifest, errors, mistakes } = resolving;
  const enough = errors.length + mistakes.count() >= MAX_ERRORS;
  const sources = enough ? nothingRead : readSources(manifest, document, resolving.parseTemplate);
  errors.push(...sources.errors);
  for (const { code, problem, pointer } of sources.mistakes)
    mistakes.add(code, problem, { document, pointer });
  let shared: ResolvedConfiguration | undefined;
  return (host) => {
    const { name } = host.document.metadata;
    const { values, errors: wrong } = configurationValues(document, host.settings, name);
    errors.push(...wrong);
    if (shared !== undefined) return shared;
    const contents = contentsOn(host.document, document, sources, values, resolving);
    const spec = resolveConfiguration(document.spec, contents);
    // Nothing in it depends on the host.
    if (sources.templates.size === 0) shared = spec;
    return spec;
  };
}

const nothingRead: Sources = { templates: new Map(), secretive: new Set(), errors: [], mistakes: [] };

const empty = new Uint8Array();

function contentsOn(
  server: ServerDocument,
  document: ConfigurationDocument,
  sources: Sources,
  values: Values,
  resolving: Resolving,
): Contents {
  const { files } = resolving.manifest;
  const store = (bytes: Uint8Array, pointer: string) => storeContent(resolving, document, bytes, pointer);
  const source = (path: string, pointer: string) => store(files.get(path) ?? empty, pointer);
  const render = (template: Template, pointer: string) => {
    const named = templateValues(values, (file) => source(file, pointer).sha256);
    const rendered = renderTemplate(template, withHost(named, server));
    if (rendered.kind === 'problem') {
      resolving.mistakes.add(WRONG, rendered, { document, pointer, host: server.metadata.name });
      return NO_CONTENT;
    }
    const payload = store(new TextEncoder().encode(rendered.text), pointer);
    return rendered.secrets.length === 0 ? payload : { ...payload, sealed: rendered.secrets };
  };
  return {
    inline: (text, pointer) => store(new TextEncoder().encode(text), pointer),
    source,
    template: (path, pointer) => {
      const template = sources.templates.get(path);
      // A mistake in the template has been reported once for all hosts, a missing value for this one.
      const missing = values.size < Object.keys(document.spec.variables ?? {}).length;
      return template === undefined || missing ? NO_CONTENT : render(template, pointer);
    },
    isSecretive: (path) => sources.secretive.has(path),
    isArmored: (path) => isArmored(files.get(path) ?? empty),
  };
}

/** Encrypted files travel with the contents, so that whoever applies the plan has what was planned. */
function templateValues(
  values: Values,
  fileHash: (path: string) => string,
): ReadonlyMap<string, TemplateValue> {
  return new Map(
    [...values].map(([name, value]) => [
      name,
      isSecretSetting(value) ? toSecret(name, value, fileHash) : value,
    ]),
  );
}

function withHost(
  values: ReadonlyMap<string, TemplateValue>,
  server: ServerDocument,
): ReadonlyMap<string, TemplateValue> {
  const labels = Object.entries(server.metadata.labels).map(
    ([name, value]) => [`host.labels.${name}`, value] as const,
  );
  return new Map<string, TemplateValue>([
    ...values,
    ['host.name', server.metadata.name],
    ['host.address', server.spec.address],
    ...labels.filter(([name]) => isLabelName(name)),
  ]);
}
