/** The words of these texts, which white space separates: long lists of names, a few lines each. */
export const wordSet = (...texts: readonly string[]): ReadonlySet<string> =>
  new Set(texts.flatMap((text) => text.trim().split(/\s+/)))
