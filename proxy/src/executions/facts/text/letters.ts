/**
 * Homoglyphs in code: letters that pass for Latin letters or for punctuation of code. Cyrillic, Greek, Armenian, Cherokee,
 * full-width and mathematical forms, dotless i, phonetic letters, number forms, clicks.
 */
const LOOKALIKE =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\u0131\u01c0-\u01c3\u0250-\u02af\u1d00-\u1d7f\u2044\u2150-\u218f\u2215\uff01-\uff5e\u{1d400}-\u{1d7ff}]/u
/** Greek letters that have no Latin lookalike stand in formulas beside Latin ones: `Δt`, `kΩ`. */
const MIXING =
  /[\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Cherokee}\u0131\u01c0-\u01c3\u0250-\u02af\u1d00-\u1d7f\u2150-\u218f\uff01-\uff5e\u{1d400}-\u{1d7ff}αγικνορσςυϲϳηχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ]/u
/** Greek letters that formulas use though they look like Latin ones; an omicron or a capital lookalike is no symbol. */
const GREEK = /[\p{Script=Greek}--[οΑΒΕΖΗΙΚΜΝΟΡΤΥΧ]]/gv
const LATIN = /[A-Za-z]/
const LETTERS = /\p{L}/gu
/** Letters of other scripts whose very shape is a Latin letter's, alone or with digits. */
const PASSING =
  /^[асеорухіјѕһԁԛԝАВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρ\u0131\u01c0-\u01c3\u0250-\u02af\u1d00-\u1d7f\u2150-\u218f\uff01-\uff5e\u{1d400}-\u{1d7ff}_$\d]{2,}$/u
/** Slashes and a click that pass for `/` and `!`; a fraction such as 1⁄2 is none. */
const PASSING_MARK = /(?<!\d)\u2044|\u2044(?!\d)|[\u2215\u01c3]/u
const WORD = /[\p{L}\p{N}\p{M}_$]+/gu
const PART = /[\p{L}\p{N}\p{M}]+/gu
const OTHER_SCRIPT = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/u

/** Letters of Turkish and Azerbaijani, which write a dotless i. */
const TURKISH = /[çğöşüÇĞİÖŞÜə]/
/** Words that code is made of: with a dotless i they are no Turkish. */
const OF_CODE =
  /^(?:if|in|is|this|with|while|switch|filter|find|finally|print|list|string|file|write|size|index|id|key_?id|url_?i?d?|uri|min|time|limit|git\w*|api\w*|admin|client|main|exit|split|slice|splice|join|import|include\w*|function|description|authorization|script|bind|init|iter|int|input|isarray|isnan|parseint|settimeout|setinterval|stripe|twilio|openai|civil|mail\w*|email|sign\w*|verif\w*|pipe|line|link|tri\w*|config|dir|exists?sync|writefile\w*|readfile\w*)$/

/** Whether a text is written in a language with a dotless i, so that it is a letter like others there. */
export const isTurkish = (text: string): boolean => TURKISH.test(text)

/**
 * The first word that mixes Latin letters with letters that look like them. `turkish`: a dotless i is ordinary in
 * words other than those of code.
 */
export function mixedWord(text: string, turkish = isTurkish(text)): string | undefined {
  if (!MIXING.test(text)) return undefined
  return (text.match(WORD) ?? []).find((word) =>
    (word.match(PART) ?? []).some((part) => isMixed(turkish ? turkishAside(part) : part)),
  )
}

const turkishAside = (part: string): string => {
  if (!part.includes('\u0131')) return part
  const plain = part.replaceAll('\u0131', 'i')
  return OF_CODE.test(plain.toLowerCase()) ? part : plain
}

function isMixed(part: string): boolean {
  if (!LATIN.test(part) || !MIXING.test(part)) return false
  // A short part with one Greek letter is a formula's: `dρ`, `αx`.
  const letters = part.match(LETTERS)?.length ?? 0
  const greek = part.match(GREEK)?.length ?? 0
  return !(letters <= 3 && greek === 1 && !MIXING.test(part.replace(GREEK, '')))
}

export const hasMixedWord = (text: string): boolean => mixedWord(text) !== undefined

/**
 * The first word that is made of such letters alone, so that it reads as another, Latin word; or the first mark that
 * passes for a slash. A word beside another of its own script that cannot be read as Latin is plain text.
 */
export function passingWord(text: string): string | undefined {
  const mark = PASSING_MARK.exec(text)?.[0]
  if (mark !== undefined) return mark
  if (!LOOKALIKE.test(text)) return undefined
  const words = [...text.matchAll(WORD)]
  return words.find((match, at) => {
    const word = match[0]
    if (!LOOKALIKE.test(word) || !PASSING.test(word)) return false
    // One letter with an index is a formula's: `ρ0`, `ν_1`.
    if ((word.match(GREEK)?.length ?? 0) === 1 && (word.match(LETTERS)?.length ?? 0) === 1) return false
    return !isProse(text, words, at)
  })?.[0]
}

/** Whether a neighbour, past blanks and commas alone, is a word of another script that no Latin word looks like. */
function isProse(text: string, words: readonly RegExpExecArray[], at: number): boolean {
  const here = words[at] as RegExpExecArray
  return [words[at - 1], words[at + 1]].some((near) => {
    if (near === undefined) return false
    const [first, second] = near.index < here.index ? [near, here] : [here, near]
    const between = text.slice(first.index + first[0].length, second.index)
    const plain = between.length <= 4 && /^[\s,–—-]+$/.test(between)
    return plain && OTHER_SCRIPT.test(near[0]) && !LATIN.test(near[0]) && !PASSING.test(near[0])
  })
}

/** An emoji with its skin tone, its presentation and the emoji joined to it; a keycap; the three flags of nations. */
const EMOJI =
  /\p{Extended_Pictographic}\p{Emoji_Modifier}?[\ufe0e\ufe0f]?(?:\u200d\p{Extended_Pictographic}\p{Emoji_Modifier}?\ufe0f?)*|[0-9#*]\ufe0f\u20e3?/gu
const FLAGS =
  /\u{1f3f4}\u{e0067}\u{e0062}(?:\u{e0065}\u{e006e}\u{e0067}|\u{e0073}\u{e0063}\u{e0074}|\u{e0077}\u{e006c}\u{e0073})\u{e007f}/gu

/** The text without what belongs to an emoji, so that the characters that are left are hidden ones. */
export const withoutEmoji = (text: string): string =>
  /[\u200d\ufe0e\ufe0f\u{e007f}]/u.test(text) ? text.replace(FLAGS, '').replace(EMOJI, '') : text
