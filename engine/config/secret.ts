/** A value that prints, logs and serialises as `[secret]`; only `reveal` gives it, at the place that needs it. */
export interface Secret {
  readonly kind: 'secret';
  readonly reveal: () => string;
  readonly toString: () => string;
  readonly toJSON: () => string;
}

const MASK = '[secret]';

export function secret(value: string): Secret {
  return Object.freeze({ kind: 'secret', reveal: () => value, toString: () => MASK, toJSON: () => MASK });
}
