/** Reading this machine's apt sources, so that lab hosts get their packages from where the machine gets its own. */

export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Path of a keyring on this machine, when the source names one. */
  readonly signedBy?: string;
}

/** Sources of one file, in either of apt's formats: sources.list(5). */
export function parseAptSources(name: string, text: string): AptSource[] {
  return name.endsWith('.sources') ? parseDeb822(text) : text.split('\n').flatMap(parseOneLine);
}

/** Only the distribution's own archive (its suites, with `main`): third-party repositories are no part of a bare host. */
export function archiveSources(all: readonly AptSource[], codename: string): AptSource[] {
  const suites = new Set([codename, `${codename}-updates`, `${codename}-security`]);
  return all.flatMap((source) => {
    const own = source.suites.filter((suite) => suites.has(suite));
    const usable = /^https?:\/\//.test(source.uri) && source.components.includes('main');
    return own.length > 0 && usable ? [{ ...source, suites: own }] : [];
  });
}

/**
 * The same sources as a host's deb822 file. apt-cacher-ng fetches an https source for a client that asks for
 * `http://HTTPS///host/path` (its manual, "HTTPS repositories").
 */
export function hostSources(sources: readonly AptSource[]): string {
  const stanza = (source: AptSource): string =>
    [
      'Types: deb',
      `URIs: ${throughCache(source.uri)}`,
      `Suites: ${source.suites.join(' ')}`,
      `Components: ${source.components.join(' ')}`,
      `Signed-By: ${source.signedBy ?? '/usr/share/keyrings/debian-archive-keyring.gpg'}`,
      '',
    ].join('\n');
  return sources.map(stanza).join('\n');
}

export function throughCache(uri: string): string {
  return uri.replace(/^https:\/\//, 'http://HTTPS///');
}

function parseDeb822(text: string): AptSource[] {
  const plain = text.replace(/^#.*\n?/gm, '');
  return plain.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string): string =>
      new RegExp(`^${name}:[ \\t]*(.*(?:\\n[ \\t]+.*)*)`, 'im').exec(stanza)?.[1]?.trim() ?? '';
    const words = (name: string): string[] => field(name).split(/\s+/).filter(Boolean);
    if (!words('Types').includes('deb') || /^no$/i.test(field('Enabled'))) return [];
    const signedBy = field('Signed-By');
    return words('URIs').map((uri) => ({
      uri,
      suites: words('Suites'),
      components: words('Components'),
      ...(signedBy.startsWith('/') ? { signedBy } : {}),
    }));
  });
}

function parseOneLine(line: string): AptSource[] {
  const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)/.exec(line);
  if (!match) return [];
  const [, options = '', uri = '', suite = '', rest = ''] = match;
  const signedBy = /signed-by=(\/\S+)/.exec(options)?.[1];
  const components = rest.trim().split(/\s+/).filter(Boolean);
  return [{ uri, suites: [suite], components, ...(signedBy ? { signedBy } : {}) }];
}
