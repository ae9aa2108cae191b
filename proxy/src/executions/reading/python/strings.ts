import { EXPRESSION, listOf, type Reading, type Token } from './reading.ts'
import type { Expr, FieldPart } from './syntax.ts'
import { literalHead, readEscapes, readLiteral } from './text-of.ts'
import type { TreeCursor } from './tree.ts'

/** Signs that pass for a dot or a slash of an address. */
const ODD_SIGN =
  /[\u2024\u3002\uff0e\uff61\u2044\u2215\u29f8\uff0f\u2571\u27cb\u0589\u05c3\ua789\u2236\uff1a\uff1f\uff03\uff20]/
const ADDRESS =
  /:\/\/|^[\w.-]*[\u2024\u3002\uff0e\uff61][\w.-]+$|^\/?[\w./-]*[\u2044\u2215\u29f8\uff0f\u2571\u27cb][\w./-]+$|:[\u2044\u2215\u29f8\uff0f]/

/** The string literal from `from` to `to`, which has no replacement fields. */
export function stringAt(reading: Reading, from: number, to: number): Expr {
  const { text, bytes, escapedLetters } = readLiteral(reading.code.slice(from, to))
  if (escapedLetters) reading.escaped.push(from)
  if (ODD_SIGN.test(text) && ADDRESS.test(text)) reading.odd.push(from)
  return bytes ? { k: 'const', at: from, v: text, bytes: true } : { k: 'const', at: from, v: text }
}

/** The f-string under the cursor. */
export function formatAt(reading: Reading, cursor: TreeCursor): Expr {
  const { code } = reading
  const at = cursor.from
  const { prefix, quote, start } = literalHead(code.slice(at, at + 5))
  const end = cursor.to - quote.length
  const raw = prefix.includes('r')
  const parts: (string | FieldPart)[] = []
  let letters = 0
  const piece = (from: number, to: number): void => {
    if (to <= from) return
    const source = code.slice(from, to).replace(/\{\{/g, '{').replace(/\}\}/g, '}')
    const read = raw ? { text: source, letters: 0 } : readEscapes(source, false)
    letters += read.letters
    if (ODD_SIGN.test(read.text) && ADDRESS.test(read.text)) reading.odd.push(from)
    parts.push(read.text)
  }
  let done = at + start
  if (cursor.firstChild()) {
    do {
      if (cursor.name !== 'FormatReplacement') continue
      piece(done, cursor.from)
      fieldAt(reading, cursor, parts)
      done = cursor.to
    } while (cursor.nextSibling())
    cursor.parent()
  }
  piece(done, end)
  if (letters > 1) reading.escaped.push(at)
  return { k: 'fstring', at, parts }
}

function fieldAt(reading: Reading, cursor: TreeCursor, parts: (string | FieldPart)[]): void {
  const from = cursor.from
  const tokens: Token[] = []
  const inner: (string | FieldPart)[] = []
  let formatted = false
  cursor.firstChild()
  do {
    const name = cursor.name
    if (EXPRESSION.has(name))
      tokens.push({ name, from: cursor.from, to: cursor.to, x: reading.expression(cursor) })
    else if (name === ',' || name === '*') tokens.push({ name, from: cursor.from, to: cursor.to })
    else if (name === 'FormatSelfDoc') {
      if (cursor.to > cursor.from) formatted = true
    } else if (name === 'FormatConversion') formatted = formatted || reading.code[cursor.from + 1] !== 's'
    else if (name === 'FormatSpec') {
      formatted = cursor.to - cursor.from > 1
      if (cursor.firstChild()) {
        do {
          if (cursor.name === 'FormatReplacement') fieldAt(reading, cursor, inner)
        } while (cursor.nextSibling())
        cursor.parent()
      }
    }
  } while (cursor.nextSibling())
  cursor.parent()
  parts.push({ x: listOf(tokens, 0, tokens.length, from), formatted })
  for (const part of inner) if (typeof part !== 'string') parts.push({ x: part.x, formatted: true })
}

/** String literals that stand behind one another, as the one text that they are. */
export function joined(tokens: readonly Token[], at: number): Expr {
  const parts: (string | FieldPart)[] = []
  let bytes = false
  for (const { x } of tokens) {
    if (x?.k === 'const' && typeof x.v === 'string') {
      parts.push(x.v)
      if (x.bytes) bytes = true
    } else if (x?.k === 'fstring') for (const part of x.parts) parts.push(part)
  }
  if (parts.some((part) => typeof part !== 'string')) return { k: 'fstring', at, parts }
  return bytes ? { k: 'const', at, v: parts.join(''), bytes: true } : { k: 'const', at, v: parts.join('') }
}
