import { type Layer, ROOT, type Visit } from './graph.ts'

/**
 * Bytes as digits of so many bits (RFC 4648), at every place that they can have among other bytes.
 *
 * Only digits that the bytes determine alone are read: the first one often tells of a byte before as well. The last
 * one, which may tell of a byte behind, is taken along when it is there.
 *
 * A node says which byte was read last, how many of its low bits no digit has told yet, and whether a digit of it is
 * still to come.
 */

/** Bytes by which one node of the layer below may be reached; what is there keeps to a few. */
const MAX_BYTES_INTO = 4
const MAX_KEPT = 256
/** All digits told, one still to come, the digit behind the last. */
const STAGES = 3
const TOLD = 0
const HALF = 1
const BEHIND = 2

interface Place {
  readonly below: number
  readonly byteIndex: number
  readonly rest: number
  readonly stage: number
}

/**
 * `starts`: numbers of bits that may stand before the first byte in its first digit. `takesLast`: whether a last digit
 * that is not determined is taken along; a layer above could not tell which one it was.
 */
export function createRadix(
  below: Layer,
  bits: 4 | 5 | 6,
  { starts, takesLast }: { readonly starts: readonly number[]; readonly takesLast: boolean },
): Layer {
  const mask = (1 << bits) - 1
  const idOf = (node: number, byteIndex: number, rest: number, stage: number): number =>
    ((node * MAX_BYTES_INTO + byteIndex) * bits + rest) * STAGES + stage
  const placeOf = (id: number): Place => {
    const stage = id % STAGES
    const digits = (id - stage) / STAGES
    const rest = digits % bits
    const whole = (digits - rest) / bits
    const byteIndex = whole % MAX_BYTES_INTO
    return { below: (whole - byteIndex) / MAX_BYTES_INTO, byteIndex, rest, stage }
  }
  const after = (rest: number): number => (rest + 8) % bits
  const before = (rest: number): number => (((rest - 8) % bits) + bits) % bits
  const isDouble = (rest: number): boolean => rest + 8 >= 2 * bits

  const known = new Map<number, number[]>()
  const bytesInto = (node: number): number[] => {
    let bytes = known.get(node)
    if (bytes !== undefined) return bytes
    bytes = []
    below.into(node, (byte) => {
      if (!bytes?.includes(byte) && (bytes?.length ?? 0) < MAX_BYTES_INTO) bytes?.push(byte)
    })
    if (known.size >= MAX_KEPT) known.clear()
    known.set(node, bytes)
    return bytes
  }
  /** With all bits told it does not matter which byte it was. */
  const told = (node: number, byte: number, rest: number): number =>
    idOf(node, rest === 0 ? 0 : Math.max(0, bytesInto(node).indexOf(byte)), rest, TOLD)
  const half = (node: number, byte: number, rest: number): number =>
    idOf(node, Math.max(0, bytesInto(node).indexOf(byte)), rest, HALF)
  const firstDigit = (last: number, rest: number, byte: number): number =>
    ((((last & ((1 << rest) - 1)) << 8) | byte) >> (rest + 8 - bits)) & mask

  /** Edges by the next bytes, where `last` was read and `rest` bits of it are to come. */
  const onward = (node: number, last: number, rest: number, visit: Visit): void => {
    const left = after(rest)
    below.out(node, (byte, target) => {
      visit(
        firstDigit(last, rest, byte),
        isDouble(rest) ? half(target, byte, left) : told(target, byte, left),
      )
    })
  }

  /** A first digit that is not determined is passed over, so the next one leaves the root. */
  const outOfRoot = (visit: Visit): void => {
    for (const rest of starts) {
      if (rest === 0) {
        onward(ROOT, 0, 0, visit)
        continue
      }
      const left = after(rest)
      below.out(ROOT, (byte, target) => {
        if (isDouble(rest)) visit((byte >> left) & mask, told(target, byte, left))
        else onward(target, byte, left, visit)
      })
    }
  }

  /** Whether the root's edges leave from here as well, since the digit before is not determined. */
  const isPassedOver = (node: number, byte: number, rest: number): boolean => {
    const start = before(rest)
    if (start === 0 || isDouble(start) || !starts.includes(start)) return false
    let isFirst = false
    below.into(node, (label, source) => {
      isFirst ||= source === ROOT && label === byte
    })
    return isFirst
  }

  /** The places from which `byte`, leading to `node` with `left` bits to come, was the next. */
  const sourcesOf = (node: number, byte: number, left: number, visit: Visit): void => {
    const rest = before(left)
    below.into(node, (label, source) => {
      if (label !== byte) return
      if (source === ROOT) {
        if (rest === 0 && starts.includes(0)) visit(firstDigit(0, 0, byte), ROOT)
        return
      }
      if (rest === 0) visit(firstDigit(0, 0, byte), idOf(source, 0, 0, TOLD))
      bytesInto(source).forEach((last, index) => {
        if (rest !== 0) visit(firstDigit(last, rest, byte), idOf(source, index, rest, TOLD))
        if (isPassedOver(source, last, rest)) visit(firstDigit(last, rest, byte), ROOT)
      })
    })
  }

  const lastDigits = (byte: number, rest: number, visit: (digit: number) => void): void => {
    const known = (byte & ((1 << rest) - 1)) << (bits - rest)
    for (let low = 0; low < 1 << (bits - rest); low++) visit(known | low)
  }

  return {
    size: (below.size * MAX_BYTES_INTO + MAX_BYTES_INTO) * bits * STAGES,
    out(id, visit) {
      if (id === ROOT) return outOfRoot(visit)
      const { below: node, byteIndex, rest, stage } = placeOf(id)
      const byte = bytesInto(node)[byteIndex] ?? 0
      if (stage === BEHIND) return
      if (stage === HALF) return visit((byte >> rest) & mask, told(node, byte, rest))
      onward(node, byte, rest, visit)
      if (takesLast && rest !== 0 && below.accepts(node)) {
        lastDigits(byte, rest, (digit) => visit(digit, idOf(node, byteIndex, rest, BEHIND)))
      }
    },
    into(id, visit) {
      const { below: node, byteIndex, rest, stage } = placeOf(id)
      const bytes = bytesInto(node)
      const byte = bytes[byteIndex] ?? 0
      if (stage === BEHIND) {
        lastDigits(byte, rest, (digit) => visit(digit, idOf(node, byteIndex, rest, TOLD)))
        return
      }
      if (stage === HALF) return sourcesOf(node, byte, rest, visit)
      const start = before(rest)
      for (const [index, one] of bytes.entries()) {
        if (rest !== 0 && index !== byteIndex) continue
        if (!isDouble(start)) {
          sourcesOf(node, one, rest, visit)
          continue
        }
        const digit = (one >> rest) & mask
        visit(digit, idOf(node, index, rest, HALF))
        if (start === 0 || !starts.includes(start)) continue
        below.into(node, (label, source) => {
          if (label === one && source === ROOT) visit(digit, ROOT)
        })
      }
    },
    accepts(id) {
      const { below: node, stage } = placeOf(id)
      return stage !== HALF && below.accepts(node)
    },
    shortest: Math.min(...starts.map((start) => determinedDigits(below.shortest, bits, start))),
    depth: (id) => Math.ceil((below.depth(placeOf(id).below) * 8) / bits) + 1,
  }
}

/** Digits of so many bits that `bytes` bytes determine alone, behind so many bits of another byte. */
export const determinedDigits = (bytes: number, bits: number, start: number): number =>
  Math.floor((bytes * 8 + start) / bits) - (start === 0 ? 0 : 1)
