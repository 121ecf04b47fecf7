/** Bounds on what a repository may hold: anybody who can open a pull request chooses these inputs. */

/** Bytes of one YAML file. */
export const MAX_SPEC_FILE_BYTES = 1024 * 1024;
/** Bytes of all YAML files with documents together. */
export const MAX_SPEC_BYTES = 2 * 1024 * 1024;
/** Values of all documents together: so many take about a second to check, and nothing else runs meanwhile. */
export const MAX_SPEC_VALUES = 100_000;
/** Bytes of YAML files that may hold documents, as they have a `kind`, and do not name ours: what comes after that is not looked at. */
export const MAX_FOREIGN_BYTES = 2 * 1024 * 1024;
/** Bytes of one file that a document copies or renders; repository/tree.ts reads no larger ones. */
export const MAX_SOURCE_FILE_BYTES = 1024 * 1024;
/** Bytes of a template. */
export const MAX_TEMPLATE_BYTES = 256 * 1024;
/** Spaces and line ends in a row in a template: in a tag that it reads, Mustache's time grows with their square. */
export const MAX_TEMPLATE_BLANKS = 256;
/** Bytes of a template's text after rendering. */
export const MAX_RENDERED_BYTES = 1024 * 1024;
/** Bytes of all different contents of one repository together. */
export const MAX_PAYLOAD_BYTES = 256 * 1024 * 1024;
/** YAML files with documents. */
export const MAX_SPEC_FILES = 2_000;
/** Documents of one repository. */
export const MAX_DOCUMENTS = 10_000;
/** Collections within collections. */
export const MAX_YAML_DEPTH = 32;
/** Aliases (`*name`) in one document. */
export const MAX_YAML_ALIASES = 100;
/** Values in one document once its aliases are expanded; a text counts once more per 64 characters. */
export const MAX_YAML_VALUES = 20_000;
/** Entries of one list or map. Schema errors of n entries cost n squared. */
export const MAX_YAML_ENTRIES = 2_048;
/** Errors reported for one file. */
export const MAX_ERRORS_PER_FILE = 100;
/** Errors after which a check stops; those that suggest names cost a look at many names each. */
export const MAX_ERRORS = 200;
/** Items (files, packages, values of variables, ...) of all documents, counted once for each server that they reach. */
export const MAX_ITEMS_ON_SERVERS = 1_000_000;
