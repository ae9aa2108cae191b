/** A value in the forms that encoders, printers and shells write, each as the bytes that a reader would see. */
type Rendering = (value: string) => string | Buffer

const hexOf = (code: number, digits = 2): string => code.toString(16).padStart(digits, '0')
const chars = (value: string, write: (code: number, index: number) => string): string =>
  [...value].map((char, index) => write(char.codePointAt(0) ?? 0, index)).join('')
const bytes = (value: string, write: (byte: number, index: number) => string): string =>
  [...Buffer.from(value)].map(write).join('')
const base64 = (value: string | Buffer): string => Buffer.from(value as string).toString('base64')
const wrapped = (text: string, columns = 76, lineBreak = '\n'): string =>
  text.replaceAll(new RegExp(`.{${columns}}(?!$)`, 'g'), `$&${lineBreak}`)
const swapped = (value: string): string =>
  [...value].map((char, index) => (index % 2 === 0 ? char.toUpperCase() : char.toLowerCase())).join('')
const utf16be = (value: string): Buffer => Buffer.from(value, 'utf16le').swap16()

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const BASE32_HEX = '0123456789ABCDEFGHIJKLMNOPQRSTUV'

/** RFC 4648, with padding. */
function base32(value: string | Buffer, alphabet = BASE32): string {
  const bits = [...Buffer.from(value as string)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const digits = (bits.match(/.{1,5}/g) ?? []).map(
    (part) => alphabet[Number.parseInt(part.padEnd(5, '0'), 2)],
  )
  return digits.join('').padEnd(Math.ceil(digits.length / 8) * 8, '=')
}

/** RFC 2045, every octet escaped, lines of 76 columns. */
const quotedPrintable = (value: string): string =>
  bytes(value, (byte) => `=${hexOf(byte).toUpperCase()}`).replaceAll(/.{75}(?!$)/g, '$&=\r\n')

const ESCAPES: readonly ((code: number) => string)[] = [
  (code) => String.fromCodePoint(code),
  (code) => `\\u{${code.toString(16)}}`,
  (code) => (code < 0x80 ? `%${hexOf(code)}` : encodeURIComponent(String.fromCodePoint(code))),
  (code) => `&#${code};`,
  (code) => (code < 0x100 ? `\\x${hexOf(code)}` : `\\u{${hexOf(code, 4)}}`),
  (code) => (code < 0x80 ? `\\${code.toString(8).padStart(3, '0')}` : `&#x${hexOf(code)};`),
  (code) => (code < 0x80 ? `=${hexOf(code).toUpperCase()}` : String.fromCodePoint(code)),
  (code) => (code < 0x10000 ? `\\u${hexOf(code, 4)}` : `\\u{${hexOf(code)}}`),
]

/** The value's own characters, some of them escaped. */
const mixed = (value: string, step: number): string =>
  chars(value, (code, index) => (ESCAPES[(index * step) % ESCAPES.length] ?? String)(code))

export const RENDERINGS: Readonly<Record<string, Rendering>> = {
  'UTF-16, little endian': (value) => Buffer.from(value, 'utf16le'),
  'UTF-16, big endian': utf16be,
  'UTF-32': (value) =>
    Buffer.from(
      [...value].flatMap((char) => {
        const code = char.codePointAt(0) ?? 0
        return [code & 255, (code >> 8) & 255, code >> 16, 0]
      }),
    ),
  'UTF-16 of base64': (value) => Buffer.from(base64(value), 'utf16le'),
  'UTF-16 of JSON': (value) => Buffer.from(JSON.stringify(value).slice(1, -1), 'utf16le'),
  'upper case': (value) => value.toUpperCase(),
  'lower case': (value) => value.toLowerCase(),
  'mixed case': swapped,
  'percent form of the upper case': (value) => encodeURIComponent(value.toUpperCase()),
  'escapes of the upper case': (value) => chars(value.toUpperCase(), (code) => `\\u${hexOf(code, 4)}`),
  base32: (value) => base32(value),
  'base32 without padding, lower case': (value) => base32(value).toLowerCase().replaceAll('=', ''),
  base32hex: (value) => base32(value, BASE32_HEX),
  'base32 in lines': (value) => wrapped(base32(value), 16, '\r\n'),
  'base64 twice': (value) => base64(base64(value)),
  'base64 twice, url-safe inside': (value) => base64(Buffer.from(value).toString('base64url')),
  'base64 twice, url-safe outside': (value) => Buffer.from(base64(value)).toString('base64url'),
  'base64 twice, in lines inside': (value) => base64(wrapped(base64(value), 16)),
  'base64 twice, in lines outside': (value) => wrapped(base64(base64(value)), 16, '\r\n'),
  'base64 three times': (value) => base64(base64(base64(value))),
  'base64 of hexadecimal': (value) => base64(Buffer.from(value).toString('hex')),
  'hexadecimal of base64': (value) => Buffer.from(base64(value)).toString('hex'),
  'hexadecimal twice': (value) => Buffer.from(Buffer.from(value).toString('hex')).toString('hex'),
  'base64 of UTF-16': (value) => Buffer.from(value, 'utf16le').toString('base64'),
  'base64 of UTF-16, big endian': (value) => utf16be(value).toString('base64'),
  'hexadecimal of UTF-16': (value) => Buffer.from(value, 'utf16le').toString('hex'),
  'base64 of JSON': (value) => base64(JSON.stringify(value)),
  'base64 of the percent form': (value) => base64(encodeURIComponent(value)),
  'base64 in indented lines': (value) => wrapped(base64(value), 16, '\n      '),
  'base64, escaped here and there': (value) => mixed(base64(value).replaceAll('=', ''), 3),
  'base64 in percent form throughout': (value) => bytes(base64(value), (byte) => `%${hexOf(byte)}`),
  'HTML, named': (value) =>
    chars(
      value,
      (code) =>
        ({ 34: '&quot;', 38: '&amp;', 60: '&lt;', 62: '&gt;', 47: '&sol;', 43: '&plus;' })[code] ??
        String.fromCodePoint(code),
    ),
  'HTML, named twice': (value) =>
    chars(
      value,
      (code) =>
        ({ 34: '&amp;quot;', 38: '&amp;amp;', 60: '&amp;lt;', 62: '&amp;gt;' })[code] ??
        String.fromCodePoint(code),
    ),
  'HTML, decimal': (value) => chars(value, (code) => `&#${code};`),
  'HTML, hexadecimal': (value) => chars(value, (code) => `&#x${code.toString(16)};`),
  'HTML, leading zeros, upper case': (value) =>
    chars(value, (code) => `&#X000${code.toString(16).toUpperCase()};`),
  'HTML, decimal with zeros': (value) => chars(value, (code) => `&#0000${code};`),
  'HTML without semicolons': (value) => chars(value, (code) => `&#${code}`),
  'HTML in JSON as Go writes it': (value) => chars(value, (code) => `\\u0026#${code};`),
  'percent form of HTML': (value) => encodeURIComponent(chars(value, (code) => `&#${code};`)),
  'quoted-printable': quotedPrintable,
  'quoted-printable in upper case only': (value) =>
    bytes(value, (byte) =>
      byte > 126 || byte === 61 ? `=${hexOf(byte).toUpperCase()}` : String.fromCharCode(byte),
    ),
  'quoted-printable with soft breaks': (value) =>
    bytes(
      value,
      (byte, index) =>
        `${index % 5 === 4 ? '=\r\n' : ''}${byte > 126 || byte === 61 ? `=${hexOf(byte)}` : String.fromCharCode(byte)}`,
    ),
  '\\u{} escapes': (value) => chars(value, (code) => `\\u{${code.toString(16)}}`),
  '\\u{} escapes with zeros': (value) => chars(value, (code) => `\\u{00${code.toString(16)}}`),
  'octal escapes': (value) => bytes(value, (byte) => `\\${byte.toString(8).padStart(3, '0')}`),
  'short octal escapes': (value) => bytes(value, (byte) => `\\${byte.toString(8)}`),
  '\\x escapes': (value) => bytes(value, (byte) => `\\x${hexOf(byte)}`),
  '\\U escapes': (value) => chars(value, (code) => `\\U${hexOf(code, 8)}`),
  'CSS escapes': (value) => chars(value, (code) => `\\${code.toString(16)} `),
  'escape()': (value) => chars(value, (code) => (code < 256 ? `%${hexOf(code)}` : `%u${hexOf(code, 4)}`)),
  '%u throughout': (value) =>
    Array.from({ length: value.length }, (_, at) => `%u${hexOf(value.charCodeAt(at), 4)}`).join(''),
  'percent of percent of percent': (value) =>
    encodeURIComponent(encodeURIComponent(encodeURIComponent(value))),
  'JSON three times': (value) => JSON.stringify(JSON.stringify(JSON.stringify(value))).slice(7, -7),
  'escapes in JSON in JSON': (value) =>
    chars(value, (code) => (code < 128 ? `\\\\\\\\u${hexOf(code, 4)}` : String.fromCodePoint(code))),
  'percent form of JSON': (value) => encodeURIComponent(JSON.stringify(value).slice(1, -1)),
  'percent form of escapes': (value) => encodeURIComponent(chars(value, (code) => `\\u${hexOf(code, 4)}`)),
  'backslashes before everything odd': (value) => value.replaceAll(/[^\w]/gu, '\\$&'),
  'every character escaped in another way': (value) => mixed(value, 1),
  'escapes mixed otherwise': (value) => mixed(value, 5),
  'hexadecimal with blanks': (value) => bytes(value, (byte) => `${hexOf(byte)} `),
  'hexadecimal with commas and 0x': (value) => bytes(value, (byte) => `0x${hexOf(byte)}, `),
  'hexadecimal with 0x, no blanks': (value) => bytes(value, (byte) => `,0x${hexOf(byte)}`),
  'hexadecimal in pairs': (value) =>
    bytes(value, (byte, index) => `${hexOf(byte)}${index % 2 === 1 ? ' ' : ''}`),
  'a list of char codes': (value) => JSON.stringify([...Buffer.from(value)]),
  'a list of char codes, indented': (value) => JSON.stringify([...Buffer.from(value)], null, 2),
  'a list of code points': (value) => chars(value, (code) => `${code} `),
  'octal dump': (value) => bytes(value, (byte) => `${byte.toString(8).padStart(3, '0')} `),
  'binary digits': (value) => bytes(value, (byte) => `${byte.toString(2).padStart(8, '0')} `),
  'binary digits together': (value) => bytes(value, (byte) => byte.toString(2).padStart(8, '0')),
}
