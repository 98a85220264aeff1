/** The distinct names of a list. imgproxy's lists keep empty items ("a,,b"): an empty name selects nothing. */
export function distinctNames(names: readonly string[]): readonly string[] {
  return [...new Set(names)].filter((name) => name !== '');
}

/** Distinct names of headers, whatever their case, each as it was first written: the items of a `Vary`. */
export function headerNames(names: readonly string[]): readonly string[] {
  const byLowerCase = new Map<string, string>();
  for (const name of distinctNames(names)) {
    const lowerCased = name.toLowerCase();
    if (!byLowerCase.has(lowerCased)) byLowerCase.set(lowerCased, name);
  }
  return Object.freeze([...byLowerCase.values()]);
}

/** What is wrong with a list of headers, in words, or `undefined`. Of one that no header has, no value would count. */
export function headerNamesFault(names: readonly string[]): string | undefined {
  const wrong = names.find((name) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]*$/.test(name));
  return wrong === undefined
    ? undefined
    : `${JSON.stringify(wrong)} cannot be the name of a header: separate names by commas`;
}

/** The same for cookies. */
export function cookieNamesFault(names: readonly string[]): string | undefined {
  const wrong = names.find((name) => /[;=]/.test(name));
  return wrong === undefined
    ? undefined
    : `${JSON.stringify(wrong)} cannot be the name of a cookie: separate names by commas`;
}
