/**
 * Trojan Source (CVE-2021-42574) and invisible text: characters that a screen does not show or that reorder what it shows,
 * so that a person approves other text than runs. Controls except tab and line feed, whatever
 * Unicode calls default-ignorable (soft hyphen, zero-width and tag characters, variation selectors, fillers), line
 * and paragraph separators, bidirectional controls, interlinear marks, the blank braille pattern. Not those that
 * an emoji is made with where they stand in one (UTS 51).
 */
const HIDDEN =
  /(?![\t\n])(?!(?<=\p{Extended_Pictographic})\ufe0f|(?<=[0-9#*])\ufe0f(?=\u20e3)|(?<=\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?)\u200d(?=\p{Extended_Pictographic}))[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Zl}\p{Zp}\u2800\ufff9-\ufffb]/u
const HIDDEN_HERE = new RegExp(HIDDEN.source, 'uy')

export const hasHiddenCharacters = (text: string): boolean => HIDDEN.test(text)

/** The text with every hidden character written out as `⟨U+202E⟩`; tabs and line feeds stay. */
export function visibleText(text: string): string {
  const plain = text.toWellFormed()
  const first = plain.search(HIDDEN)
  return first === -1 ? plain : writtenOut(plain, first)
}

const [SHOWN, ASKED, CONTROL] = [0, 1, 2] as const
/** Of each UTF-16 unit: shown, hidden, or for the expression to say by what stands around it. Made when first needed. */
let kinds: Uint8Array | undefined

const kindsOfUnits = (): Uint8Array =>
  Uint8Array.from({ length: 65_536 }, (_, unit) => {
    if (unit === 0x09 || unit === 0x0a) return SHOWN
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) return CONTROL
    // The first half of a pair may be that of a hidden character; the second is passed over with it, or is shown.
    if (unit >= 0xd800 && unit < 0xdc00) return ASKED
    return HIDDEN.test(String.fromCharCode(unit)) && (unit < 0xdc00 || unit >= 0xe000) ? ASKED : SHOWN
  })

/** In memory of its own: a text of a million hidden characters would be as many small texts. */
function writtenOut(text: string, first: number): string {
  kinds ??= kindsOfUnits()
  const codes = new Map<number, Uint16Array>()
  let out = new Uint16Array(text.length + 4_096)
  let length = 0
  for (let at = 0; at < text.length; at += 1) {
    if (out.length - length < 16) {
      const larger = new Uint16Array(out.length * 2)
      larger.set(out)
      out = larger
    }
    const unit = text.charCodeAt(at)
    const kind = at < first ? SHOWN : kinds[unit]
    HIDDEN_HERE.lastIndex = at
    if (kind === SHOWN || (kind === ASKED && !HIDDEN_HERE.test(text))) {
      out[length] = unit
      length += 1
      continue
    }
    const point = text.codePointAt(at) ?? 0
    const code = codes.get(point) ?? unitsOf(`⟨U+${point.toString(16).toUpperCase().padStart(4, '0')}⟩`)
    codes.set(point, code)
    for (const one of code) {
      out[length] = one
      length += 1
    }
    if (point > 0xffff) at += 1
  }
  return Buffer.from(out.buffer, 0, length * 2).toString('utf16le')
}

const unitsOf = (text: string): Uint16Array =>
  Uint16Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))

/** Visible text on one line of at most `limit` characters, cut with an ellipsis. */
export function oneLine(text: string, limit: number): string {
  const head = text.slice(0, limit * 4)
  const flat = visibleText(head).replace(/\s+/g, ' ').trim()
  const chars = [...flat]
  // What is left out shows, also when blanks alone stood before it.
  if (head.length < text.length && chars.length < limit) return `${flat}…`
  return chars.length > limit || head.length < text.length ? `${chars.slice(0, limit - 1).join('')}…` : flat
}
