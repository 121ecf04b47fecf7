/** A `Configuration` for all web servers, as YAML (which JSON is). */
export function configuration(name: string, spec: Readonly<Record<string, unknown>>): string {
  const document = {
    apiVersion: 'doaas/v1',
    kind: 'Configuration',
    metadata: { name },
    spec: { targets: { labels: { role: 'web' } }, ...spec },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
