/** Bounds on what a repository may hold: anybody who can open a pull request chooses these inputs. */

/** Bytes of one YAML file. */
export const MAX_SPEC_FILE_BYTES = 1024 * 1024;
/** Bytes of one file that a document copies or renders. */
export const MAX_SOURCE_FILE_BYTES = 8 * 1024 * 1024;
/** Bytes of a template before, and of its text after rendering. */
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
export const MAX_YAML_VALUES = 50_000;
/** Errors reported for one file. */
export const MAX_ERRORS_PER_FILE = 100;
