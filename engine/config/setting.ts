import type * as parse from './parsers.ts';

/** One setting of the engine; docs/configuration.md is generated from these. */
export interface Setting<T> {
  readonly name: string;
  readonly group: 'engine' | 'github' | 'temporal' | 'hosts' | 'secrets' | 'limits';
  /** `engine`: `npm start` cannot run without it. The command line works without any of these. */
  readonly required: boolean;
  readonly fallback: string | undefined;
  /** Never logged or shown. May also be given as NAME_FILE, the path of a file that holds it. */
  readonly secret: boolean;
  readonly description: string;
  readonly parse: parse.Parser<T>;
}

type Text = Pick<Setting<unknown>, 'name' | 'group' | 'description'>;

export function required<T>(parser: parse.Parser<T>, text: Text & { secret?: true }) {
  return { secret: false, ...text, required: true, fallback: undefined, parse: parser } as const;
}

export function withDefault<T>(parser: parse.Parser<T>, text: Text & { fallback: string }) {
  return { ...text, required: false, secret: false, parse: parser } as const;
}

export function optional<T>(parser: parse.Parser<T>, text: Text & { secret?: true }) {
  return { secret: false, ...text, required: false, fallback: undefined, parse: parser } as const;
}
