/** A property that is left out where it has no value, to be spread into an object. */
export function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [N in Name]?: Value } | Record<string, never> {
  return value === undefined ? {} : ({ [name]: value } as { readonly [N in Name]?: Value });
}
