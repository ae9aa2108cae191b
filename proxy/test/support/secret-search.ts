/**
 * Looks for a value in bytes of any kind: as it is, in the usual encodings, in UTF-16, and in pieces. It is for secrets
 * made by the test, at least 24 characters of which the last 24 are random, so that no piece is found by chance.
 */
const PIECE = 12

function renderingsOf(value: string): ReadonlyMap<string, Buffer> {
  const bytes = Buffer.from(value)
  const texts = new Map<string, string>([
    ['plain', value],
    ['hex', bytes.toString('hex')],
    ['upper-case hex', bytes.toString('hex').toUpperCase()],
    ['percent', bytes.toString('hex').replace(/../g, '%$&')],
    ['upper-case percent', bytes.toString('hex').toUpperCase().replace(/../g, '%$&')],
    ['percent where needed', encodeURIComponent(value)],
    ['JSON escapes', [...value].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')],
    ['reversed', [...value].reverse().join('')],
  ])
  for (const offset of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    // The digits that depend on nothing but the value.
    const own = encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6))
    texts.set(`base64, offset ${offset}`, own)
    texts.set(`base64url, offset ${offset}`, own.replaceAll('+', '-').replaceAll('/', '_'))
  }
  const random = value.slice(-24)
  for (let at = 0; at + PIECE <= random.length; at += 4) {
    texts.set(`piece at ${at}`, random.slice(at, at + PIECE))
  }
  const renderings = new Map<string, Buffer>()
  for (const [name, text] of texts) {
    renderings.set(name, Buffer.from(text))
    renderings.set(`${name}, UTF-16`, Buffer.from(text, 'utf16le'))
    renderings.set(`${name}, UTF-16BE`, Buffer.from(text, 'utf16le').swap16())
  }
  return renderings
}

/** Where the value stands, as `place: form`; empty when nowhere. */
export function findSecret(places: ReadonlyMap<string, Buffer>, value: string): string[] {
  const renderings = renderingsOf(value)
  const found: string[] = []
  for (const [place, bytes] of places) {
    for (const [form, needle] of renderings) if (bytes.includes(needle)) found.push(`${place}: ${form}`)
  }
  return found
}
