/**
 * Homoglyphs among a program's own names: letters that pass for others in common typefaces, after Unicode compatibility
 * forms are made one (UTS 39).
 */
const LOOK: Record<string, string> = {
  '0': 'O',
  '1': 'l',
  I: 'l',
  '|': 'l',
  а: 'a',
  е: 'e',
  о: 'o',
  р: 'p',
  с: 'c',
  у: 'y',
  х: 'x',
  і: 'l',
  ј: 'j',
  ѕ: 's',
  һ: 'h',
  ԁ: 'd',
  ո: 'n',
  ν: 'v',
  ο: 'o',
  α: 'a',
  ρ: 'p',
  ι: 'l',
  ı: 'l',
  А: 'A',
  В: 'B',
  Е: 'E',
  К: 'K',
  М: 'M',
  Н: 'H',
  О: 'O',
  Р: 'P',
  С: 'C',
  Т: 'T',
  Х: 'X',
  Ο: 'O',
  Α: 'A',
  Β: 'B',
  Ε: 'E',
  Κ: 'K',
  Μ: 'M',
  Η: 'H',
  Ρ: 'P',
  Τ: 'T',
  Χ: 'X',
}

/** The name as the eye sees it: two names with one skeleton look the same. */
function skeletonOf(name: string): string {
  // Most names hold nothing that looks like anything else.
  if (!/[01I|]|rn|vv|[^\x20-\x7e]/.test(name)) return name
  let skeleton = ''
  for (const char of name.normalize('NFKC')) skeleton += LOOK[char] ?? char
  return name.length >= 4 ? skeleton.replaceAll('rn', 'm').replaceAll('vv', 'w') : skeleton
}

/**
 * Pairs of names that look the same but are not. Names that differ in their last number or letter's case only are not
 * meant.
 */
export function confusablePairs(names: Iterable<string>): [string, string][] {
  const seen = new Map<string, string>()
  const pairs: [string, string][] = []
  for (const name of names) {
    // Short plain names (`x1` and `xl`) are told apart by use.
    if (name.length < 3 && /^[\x20-\x7e]*$/.test(name)) continue
    const skeleton = skeletonOf(name)
    const other = seen.get(skeleton)
    if (other === undefined) seen.set(skeleton, name)
    else if (other !== name && pairs.length < 50) pairs.push([other, name])
  }
  return pairs
}
