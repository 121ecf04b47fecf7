import type { ResolvedConfiguration } from '../../../spec/configuration.ts';

/** A document that asks for nothing, for tests to fill. */
export const EMPTY: ResolvedConfiguration = Object.freeze({
  aptRepositories: {},
  packages: {},
  directories: {},
  files: {},
  groups: {},
  users: {},
  units: {},
  sysctl: {},
  hostsEntries: {},
  scripts: {},
  probes: [],
});
