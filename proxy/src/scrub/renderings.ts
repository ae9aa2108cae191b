/**
 * Which byte strings count as a secret: plain, escaped, in other letter case, in encodings and encodings of encodings,
 * mixed and wrapped.
 *
 * A value is matched as a whole and, where it has parts that are secret by themselves (lines of a key file,
 * strings inside a JSON credential), also part by part.
 */
import { keyPartsOf, MIN_SECRET_BYTES } from '../kernel/index.ts'
import { escapedText, lightlyEscapedText, numberedText } from './char-alphabets.ts'
import {
  base32Alphabets,
  base64Digits,
  base64Escaped,
  base64Inside,
  betweenHex,
  betweenNumbers,
  byteInBinary,
  hexDigits,
  hexInside,
  lineBreaks,
  lineBreaksInside,
  nothingBetween,
  wrapping,
} from './digit-spellings.ts'
import { createChain, createGraph, type Graph, type Layer, type Rendering } from './graph.ts'
import { createRadix, determinedDigits } from './radix.ts'
import type { Alphabet, Spelling } from './spelling.ts'
import { createWritten } from './written.ts'

/** Base64 and hexadecimal are found in innocent text more often than words are. */
const MIN_ENCODED_CHARS = 8
const MIN_PART_CHARS = 16
/** Longer values are not looked for in base64 of base64 of base64. */
const MAX_THRICE_BYTES = 4_096

const ARMOUR_LINE = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/

export interface CompiledRenderings {
  readonly graph: Graph
  readonly names: readonly string[]
  readonly tooShort: readonly string[]
}

export function compileRenderings(secrets: ReadonlyMap<string, string>): CompiledRenderings {
  const compiling = compilingRenderings(secrets)
  for (;;) {
    const { done, value } = compiling.next()
    if (done === true) return value
  }
}

/** Works out what all secrets share, which a run would wait for otherwise. */
export const warmScrub = (): void => void compileRenderings(new Map([['', 'a value with é in it']]))

/** The same bit by bit: yields between any two parts of values. */
export function* compilingRenderings(
  secrets: ReadonlyMap<string, string>,
): Generator<void, CompiledRenderings, void> {
  const renderings: Rendering[] = []
  const names: string[] = []
  const tooShort: string[] = []
  for (const [name, value] of secrets) {
    const secret = names.push(name) - 1
    if (Buffer.byteLength(value) < MIN_SECRET_BYTES) tooShort.push(name)
    for (const part of partsOf(value)) {
      const plain = Buffer.from(part.text)
      for (const layer of layersOf(part, plain)) renderings.push({ secret, layer, plain })
      yield
    }
  }
  return { graph: createGraph(renderings), names, tooShort }
}

interface Part {
  readonly text: string
  /** One of many: what it is looked for in is less. */
  readonly isLine: boolean
}

/**
 * The value, the value without white space around it, or without what its placeholder begins or ends with too, and every part that is long enough
 * to be secret alone.
 */
function partsOf(value: string): Part[] {
  const parts = new Set([value, value.trim(), keyPartsOf(value.trim()).secret])
  const lines = new Set(linesOf(value))
  for (const leaf of jsonStrings(value)) {
    parts.add(leaf).add(leaf.trim()).add(keyPartsOf(leaf.trim()).secret)
    for (const line of linesOf(leaf)) lines.add(line)
  }
  parts.delete('')
  return [
    ...[...parts].map((text) => ({ text, isLine: false })),
    ...[...lines].filter((line) => !parts.has(line)).map((text) => ({ text, isLine: true })),
  ]
}

function linesOf(value: string): string[] {
  const lines = value.split(/\r\n|\n|\r/)
  if (lines.length === 1) return []
  // The armour of a key file is public text, and removing it everywhere would only puzzle the reader.
  return lines
    .map((line) => line.trim())
    .filter((line) => line.length >= MIN_PART_CHARS && !ARMOUR_LINE.test(line))
}

/** Strings inside a JSON credential, for instance `private_key`; addresses are left out since they are no secret. */
function jsonStrings(value: string): string[] {
  if (!/^\s*[{[]/.test(value)) return []
  const found: string[] = []
  try {
    JSON.parse(value, (_key, leaf: unknown) => {
      if (typeof leaf === 'string' && leaf.length >= MIN_PART_CHARS && !/^https?:\/\//.test(leaf))
        found.push(leaf)
      return leaf
    })
  } catch {
    return []
  }
  return found
}

/** A layer of bytes, and how few of them a match has. */
interface Source {
  readonly layer: Layer
  readonly bytes: number
}

const sourceOf = (bytes: Uint8Array): Source => ({ layer: createChain(bytes), bytes: bytes.length })

function layersOf({ text, isLine }: Part, bytes: Buffer): Layer[] {
  const plain = sourceOf(bytes)
  const layers: Layer[] = []
  const add = (layer: Layer | null): void => {
    if (layer !== null) layers.push(layer)
  }
  add(encoded(plain, 4, hexDigits, betweenHex))
  if (plain.bytes < MIN_SECRET_BYTES) {
    add(encoded(plain, 6, base64Digits, wrapping))
    return layers
  }
  const { chain, alphabet } = escapedText(text)
  add(createWritten(chain, alphabet, { spelling: lineBreaks, isNeeded: false }))
  add(encoded(plain, 6, isLine ? base64Digits : base64Escaped(), wrapping))
  const twice = encodedInside(plain, 6, base64Inside)
  if (twice !== null) add(encoded(twice, 6, base64Digits, wrapping))
  for (const digits of isLine ? base32Alphabets.slice(0, 2) : base32Alphabets) {
    add(encoded(plain, 5, digits, wrapping))
  }
  if (isLine) return layers

  for (const numbers of numberedText(text)) {
    add(createWritten(numbers.chain, numbers.alphabet, { spelling: betweenNumbers, isNeeded: true }))
  }
  add(createWritten(plain.layer, byteInBinary(), { spelling: betweenNumbers, isNeeded: false }))
  const little = Buffer.from(text, 'utf16le')
  for (const wide of [little, Buffer.from(little).swap16()].map(sourceOf)) {
    for (const digits of hexInside) add(encoded(wide, 4, digits, lineBreaksInside))
    add(encoded(wide, 6, base64Digits, wrapping))
  }
  // What is escaped may be encoded afterwards, and what is encoded again.
  const light = lightlyEscapedText(text)
  if (light !== null) {
    const layer = createWritten(light.chain, light.alphabet, { spelling: lineBreaksInside, isNeeded: false })
    add(encoded({ layer, bytes: plain.bytes }, 6, base64Digits, wrapping))
  }
  const inHex = hexInside
    .map((digits) => encodedInside(plain, 4, digits, nothingBetween))
    .filter((source) => source !== null)
  for (const source of inHex) {
    add(encoded(source, 6, base64Digits, wrapping))
    add(encoded(source, 4, hexDigits, lineBreaksInside))
  }
  if (twice !== null) {
    for (const digits of hexInside) add(encoded(twice, 4, digits, lineBreaksInside))
    if (plain.bytes <= MAX_THRICE_BYTES) {
      const once = encodedInside(plain, 6, base64Inside, nothingBetween)
      const thrice = once && encodedInside(once, 6, base64Inside, nothingBetween)
      if (thrice !== null) add(encoded(thrice, 6, base64Inside, lineBreaksInside))
    }
  }
  return layers
}

/** The digits of the bytes, where there are enough of them. */
function encoded(source: Source, bits: Bits, alphabet: Alphabet, spelling: Spelling): Layer | null {
  const starts = startsOf(source.bytes, bits)
  if (starts.length === 0) return null
  const radix = createRadix(source.layer, bits, { starts, takesLast: true })
  return createWritten(radix, alphabet, { spelling, isNeeded: false })
}

/** The same, to be encoded again. */
function encodedInside(
  source: Source,
  bits: Bits,
  alphabet: Alphabet,
  spelling = lineBreaksInside,
): Source | null {
  const starts = startsOf(source.bytes, bits)
  if (starts.length === 0) return null
  const radix = createRadix(source.layer, bits, { starts, takesLast: false })
  const digits = starts.map((start) => determinedDigits(source.bytes, bits, start))
  return { layer: createWritten(radix, alphabet, { spelling, isNeeded: false }), bytes: Math.min(...digits) }
}

type Bits = 4 | 5 | 6

/** The bits of another byte that may stand before the first one so that enough digits are left. */
const startsOf = (bytes: number, bits: Bits): number[] =>
  STARTS[bits].filter((start) => determinedDigits(bytes, bits, start) >= MIN_ENCODED_CHARS)

const STARTS = { 4: [0], 5: [0, 3, 1, 4, 2], 6: [0, 2, 4] } as const
