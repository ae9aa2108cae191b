import {
  COMPUTED,
  constant,
  constantsOf,
  DECODED,
  mergeTaints,
  taint,
  taintOf,
  unknown,
  type Value,
} from './values.ts'

const DECODERS =
  /^(?:base64\.(?:\w*decode\w*|decodebytes)|codecs\.(?:decode|escape_decode|getdecoder)|builtins\.(?:bytes|bytearray)\.fromhex|binascii\.(?:unhexlify|a2b_\w+)|zlib\.decompress|gzip\.decompress|bz2\.decompress|lzma\.decompress|quopri\.decodestring|urllib\.parse\.unquote\w*|html\.unescape)$/

/** Obfuscation by encoding: what a decoder makes of its first argument; null when the name is no decoder. */
export function decoded(name: string, value: Value, how: Value): Value | null {
  if (!DECODERS.test(name)) return null
  // What these undo is ordinary in addresses and pages.
  const ordinary = /^urllib\.parse|^html\./.test(name)
  const texts = constantsOf(value)
  if (texts !== null && texts.length <= 8) {
    const made = texts.map((text) =>
      typeof text === 'string' ? plain(name, text, String(constantsOf(how)?.[0] ?? '')) : null,
    )
    if (made.every((text) => text !== null))
      return made.flatMap((text) => constant(text, ordinary ? 0 : DECODED))
  }
  const of = mergeTaints(taintOf(value), taint(COMPUTED))
  return unknown(ordinary ? of : mergeTaints(of, taint(DECODED)))
}

function plain(name: string, text: string, how: string): string | null {
  if (text.length > 100_000) return null
  if (name.startsWith('urllib')) {
    try {
      return decodeURIComponent(text)
    } catch {
      return null
    }
  }
  if (name.startsWith('base64')) {
    if (/b64|decodebytes|standard|urlsafe/.test(name)) return Buffer.from(text, 'base64').toString('utf8')
    if (name.endsWith('b16decode')) return Buffer.from(text, 'hex').toString('utf8')
    return name.endsWith('b32decode') ? base32(text) : null
  }
  if (name.endsWith('fromhex') || name.endsWith('unhexlify') || name.endsWith('a2b_hex'))
    return Buffer.from(text.replace(/\s/g, ''), 'hex').toString('utf8')
  if (name.endsWith('a2b_base64')) return Buffer.from(text, 'base64').toString('utf8')
  if (name === 'codecs.decode') {
    if (/^rot_?-?13$/i.test(how)) return rot13(text)
    if (/^hex/i.test(how)) return Buffer.from(text, 'hex').toString('utf8')
    if (/^base_?64/i.test(how)) return Buffer.from(text, 'base64').toString('utf8')
  }
  return null
}

/** Letters moved by 13 places. */
const rot13 = (text: string): string =>
  text.replace(/[a-z]/gi, (char) => {
    const base = char <= 'Z' ? 65 : 97
    return String.fromCharCode(((char.charCodeAt(0) - base + 13) % 26) + base)
  })

function base32(text: string): string | null {
  let bits = ''
  for (const char of text.replace(/=+$/, '').toUpperCase()) {
    const value = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char)
    if (value < 0) return null
    bits += value.toString(2).padStart(5, '0')
  }
  const bytes = bits.match(/.{8}/g) ?? []
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2))).toString('utf8')
}
