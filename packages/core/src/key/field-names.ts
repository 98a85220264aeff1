/** The distinct names of a list, without the empty ones that imgproxy's lists keep ("a,,b"). */
export function distinctNames(names: readonly string[]): readonly string[] {
  return [...new Set(names)].filter((name) => name !== '');
}

/** The distinct names of headers, ignoring case, each as it was first written: the items of a `Vary`. */
export function headerNames(names: readonly string[]): readonly string[] {
  const byLowerCase = new Map<string, string>();
  for (const name of distinctNames(names)) {
    const lowerCased = name.toLowerCase();
    if (!byLowerCase.has(lowerCased)) byLowerCase.set(lowerCased, name);
  }
  return Object.freeze([...byLowerCase.values()]);
}

/** Describes what is wrong with a list of header names. `undefined`: nothing. An impossible name would never match. */
export function headerNamesFault(names: readonly string[]): string | undefined {
  const wrong = names.find((name) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]*$/.test(name));
  return wrong === undefined
    ? undefined
    : `${JSON.stringify(wrong)} cannot be the name of a header: separate names by commas`;
}

/** Describes what is wrong with a list of cookie names. `undefined`: nothing. */
export function cookieNamesFault(names: readonly string[]): string | undefined {
  const wrong = names.find((name) => /[;=]/.test(name));
  return wrong === undefined
    ? undefined
    : `${JSON.stringify(wrong)} cannot be the name of a cookie: separate names by commas`;
}
