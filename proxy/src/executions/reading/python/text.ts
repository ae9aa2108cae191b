import { MAX_VALUES } from './limits.ts'
import {
  type Alt,
  COMPUTED,
  constant,
  join,
  mergeTaints,
  NOTHING,
  type Piece,
  taint,
  taintOf,
  unknown,
  type Value,
} from './values.ts'

const MAX_TEXT = 65_536
const MAX_PIECES = 64

/** The ways to write a value as text, each in pieces. */
export function writings(value: Value): (readonly Piece[])[] {
  return value.map((alt) => {
    if (alt.t === 'const') {
      return [pythonText(alt.v)]
    }
    if (alt.t === 'text') return alt.pieces
    const of = taintOf([alt])
    return [of.bits === 0 && of.secrets.length === 0 ? taint(COMPUTED) : of]
  })
}

/** `str(v)`. */
export function pythonText(v: string | number | boolean | null): string {
  if (v === null) return 'None'
  if (typeof v === 'boolean') return v ? 'True' : 'False'
  return String(v)
}

/** Text from pieces, neighbours joined. `bits` are those of constants that went in. */
function textOf(pieces: readonly Piece[], bits = 0): Alt {
  const out: Piece[] = []
  let length = 0
  for (const piece of pieces) {
    const last = out.at(-1)
    if (typeof piece === 'string') {
      if (piece === '') continue
      length += piece.length
      if (typeof last === 'string') out[out.length - 1] = last + piece
      else out.push(piece)
    } else if (last !== undefined && typeof last !== 'string') out[out.length - 1] = mergeTaints(last, piece)
    else out.push(piece)
  }
  if (length > MAX_TEXT || out.length > MAX_PIECES) {
    let all = taint(COMPUTED)
    for (const piece of out) if (typeof piece !== 'string') all = mergeTaints(all, piece)
    const start = typeof out[0] === 'string' ? out[0].slice(0, 2000) : ''
    return { t: 'text', pieces: [start, all] }
  }
  if (out.length === 0) return { t: 'const', v: '', bits }
  if (out.length === 1) {
    const only = out[0] as Piece
    return typeof only === 'string' ? { t: 'const', v: only, bits } : { t: 'unknown', taint: only }
  }
  if (bits !== 0) {
    const hole = out.findIndex((piece) => typeof piece !== 'string')
    out[hole] = mergeTaints(out[hole] as Exclude<Piece, string>, taint(bits))
  }
  return { t: 'text', pieces: out }
}

const bitsOf = (value: Value): number =>
  value.reduce((bits, alt) => (alt.t === 'const' ? bits | alt.bits : bits), 0)

/** All texts that values put one behind another can make. */
export function concat(values: readonly Value[]): Value {
  let made: { pieces: Piece[]; bits: number }[] = [{ pieces: [], bits: 0 }]
  for (const value of values) {
    const ways = writings(value)
    if (ways.length === 0) continue
    const bits = bitsOf(value)
    if (ways.length * made.length > MAX_VALUES) {
      const of = mergeTaints(taintOf(value), taint(COMPUTED))
      for (const one of made) one.pieces.push(of)
      continue
    }
    if (ways.length === 1) {
      for (const one of made) {
        for (const piece of ways[0] as readonly Piece[]) one.pieces.push(piece)
        one.bits |= bits
      }
    } else
      made = made.flatMap((one) =>
        ways.map((way) => ({ pieces: [...one.pieces, ...way], bits: one.bits | bits })),
      )
  }
  let out: Value = NOTHING
  for (const one of made) out = join(out, [textOf(one.pieces, one.bits)])
  return out
}

/** A method of str that only changes its text; null when it is none of these. */
export function textMethod(name: string, self: Alt, args: readonly Value[]): Value | null {
  const values = args.map((value) => (value.length === 1 && value[0]?.t === 'const' ? value[0].v : undefined))
  if (self.t === 'const' && typeof self.v === 'string' && values.every((value) => value !== undefined)) {
    const made = constantMethod(name, self.v, values as (string | number | boolean | null)[])
    if (made !== undefined)
      return constant(made, self.bits | args.reduce((bits, value) => bits | bitsOf(value), 0))
  }
  if (self.t === 'text' && KEEPING.has(name)) {
    const pieces = self.pieces.map((piece, index) => {
      if (typeof piece !== 'string') return piece
      const made = constantMethod(name, piece, values as (string | number | boolean | null)[])
      if (typeof made !== 'string' || made === piece) return piece
      const edge = index === 0 || index === self.pieces.length - 1
      if (name === 'strip' || name === 'lstrip' || name === 'rstrip') {
        if (!edge) return piece
        if (index === 0 && name !== 'rstrip')
          return constantMethod('lstrip', piece, values as string[]) as string
        if (index > 0 && name !== 'lstrip')
          return constantMethod('rstrip', piece, values as string[]) as string
        return piece
      }
      return made
    })
    return [textOf(pieces)]
  }
  if (KEEPING.has(name) || MAKING.has(name)) {
    let of = taintOf([self])
    for (const value of args) of = mergeTaints(of, taintOf(value))
    if (self.t === 'const') of = mergeTaints(of, taint(COMPUTED))
    return unknown(of.bits === 0 && of.secrets.length === 0 ? taint(COMPUTED) : of)
  }
  return null
}

const KEEPING = new Set(
  'lower upper strip lstrip rstrip replace encode decode casefold expandtabs translate removeprefix removesuffix'.split(
    ' ',
  ),
)
const MAKING = new Set('title capitalize swapcase zfill ljust rjust center hex'.split(' '))

function constantMethod(
  name: string,
  self: string,
  args: readonly (string | number | boolean | null)[],
): string | number | boolean | undefined {
  const [a, b] = args
  const chars = typeof a === 'string' ? a : undefined
  switch (name) {
    case 'lower':
    case 'casefold':
      return self.toLowerCase()
    case 'upper':
      return self.toUpperCase()
    case 'encode':
    case 'decode':
      return chars === undefined || /^(?:utf-?8|ascii|latin-?1)$/i.test(chars.replace('_', '-'))
        ? self
        : undefined
    case 'strip':
      return trimEnd(trimStart(self, chars), chars)
    case 'lstrip':
      return trimStart(self, chars)
    case 'rstrip':
      return trimEnd(self, chars)
    case 'replace':
      if (typeof a !== 'string' || typeof b !== 'string' || a === '') return undefined
      return self.length * b.length > MAX_TEXT * 4 ? undefined : self.replaceAll(a, b)
    case 'removeprefix':
      return chars !== undefined && self.startsWith(chars) ? self.slice(chars.length) : self
    case 'removesuffix':
      return chars !== undefined && chars !== '' && self.endsWith(chars) ? self.slice(0, -chars.length) : self
    case 'capitalize':
      return self.slice(0, 1).toUpperCase() + self.slice(1).toLowerCase()
    case 'title':
      return self.toLowerCase().replace(/[a-z]+/g, (word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    case 'swapcase':
      return Array.from(self, (char) =>
        char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase(),
      ).join('')
    case 'zfill':
      return typeof a === 'number' && a < 1000 ? self.padStart(a, '0') : undefined
    default:
      return undefined
  }
}

function trimStart(text: string, chars: string | undefined): string {
  let at = 0
  while (
    at < text.length &&
    (chars === undefined ? /\s/.test(text[at] as string) : chars.includes(text[at] as string))
  )
    at++
  return text.slice(at)
}

function trimEnd(text: string, chars: string | undefined): string {
  let at = text.length
  while (
    at > 0 &&
    (chars === undefined ? /\s/.test(text[at - 1] as string) : chars.includes(text[at - 1] as string))
  )
    at--
  return text.slice(0, at)
}

const FIELD = /\{\{|\}\}|\{([\w.[\]]{0,100})(![sra])?(:[^{}]{0,60})?\}/g
const PERCENT = /%(?:\((\w{1,100})\))?([-+ #0]{0,5}\d{0,5}(?:\.\d{1,4})?)([a-zA-Z%])/g

/** `'…{}…'.format(…)`. */
export function formatText(form: string, args: readonly Value[], named: ReadonlyMap<string, Value>): Value {
  let next = 0
  return filled(form, FIELD, (match) => {
    if (match[0] === '{{') return constant('{')
    if (match[0] === '}}') return constant('}')
    const [head, ...rest] = (match[1] ?? '').split(/[.[]/)
    const value =
      head === '' ? args[next++] : /^\d+$/.test(head ?? '') ? args[Number(head)] : named.get(head ?? '')
    const of = value ?? unknown(taint(COMPUTED))
    const opened = match[3] !== undefined && !/^:s?$/.test(match[3])
    return rest.length > 0 || opened || (match[2] !== undefined && match[2] !== '!s')
      ? unknown(openTaint(of))
      : of
  })
}

/** `'…%s…' % (…)`. */
export function percentText(
  form: string,
  args: readonly Value[],
  named: ReadonlyMap<string, Value> | null,
): Value {
  let next = 0
  return filled(form, PERCENT, (match) => {
    if (match[3] === '%') return constant('%')
    const value = match[1] !== undefined ? named?.get(match[1]) : args[next++]
    const of = value ?? unknown(taint(COMPUTED))
    return match[2] !== '' || (match[3] !== 's' && match[3] !== 'd' && match[3] !== 'i')
      ? unknown(openTaint(of))
      : of
  })
}

function openTaint(value: Value): ReturnType<typeof taintOf> {
  const of = taintOf(value)
  return of.bits === 0 && of.secrets.length === 0 ? taint(COMPUTED) : of
}

function filled(form: string, pattern: RegExp, fill: (match: RegExpMatchArray) => Value): Value {
  const values: Value[] = []
  let done = 0
  let count = 0
  for (const match of form.matchAll(pattern)) {
    if (++count > MAX_PIECES) return unknown(taint(COMPUTED))
    if (match.index > done) values.push(constant(form.slice(done, match.index)))
    values.push(fill(match))
    done = match.index + match[0].length
  }
  if (done < form.length) values.push(constant(form.slice(done)))
  return concat(values)
}
